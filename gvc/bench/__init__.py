# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The measurements of `gvc bench`: time and memory of encoding and decoding, and the network's part in them."""
