# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The engine behind libgvc.

`python -m gvc.engine` serves one encoder or decoder over an inherited socket; `gvc serve` serves any number of them
over connections.
"""
