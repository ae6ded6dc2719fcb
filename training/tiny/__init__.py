# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Training of `wan-tiny`, a Wan 2.1 VACE small enough for two processor cores (training/README.md)."""
