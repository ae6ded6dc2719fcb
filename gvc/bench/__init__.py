# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What encoding and decoding cost, and which part of it is the network: the measurements behind `gvc bench`."""
