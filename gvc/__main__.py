# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc` is the command `gvc`."""

from .cli import main

main()
