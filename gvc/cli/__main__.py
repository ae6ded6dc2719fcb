# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.cli` is the command `gvc`."""

from . import main

main()
