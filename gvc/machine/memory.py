# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The size of main memory."""

import os

from .control_groups import limits


def main_memory() -> int:
    """Return the bytes of main memory that this process may use, by the machine's size and its container's limit."""
    sizes = [int(text) for text in limits("memory.max") if text.strip() != "max"]
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *sizes])
