# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The number of processors that this process may use."""

import os
from functools import cache
from math import ceil

from .control_groups import limits


@cache
def processors() -> int:
    """Return how many processors this process may use at a time, by its CPU affinity and its container's quota."""
    count = len(os.sched_getaffinity(0))
    for text in limits("cpu.max"):
        quota, period = text.split()
        if quota != "max":
            count = min(count, ceil(int(quota) / int(period)))
    return max(1, count)
