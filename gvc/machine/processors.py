# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The number of processors that this process may use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")  # Mount point of control groups version 2, which form a single tree.


@cache
def processors() -> int:
    """Return how many processors this process may use at a time, by its CPU affinity and its container's quota."""
    count = len(os.sched_getaffinity(0))
    for text in _settings("cpu.max"):
        quota, period = text.split()
        if quota != "max":
            count = min(count, ceil(int(quota) / int(period)))
    return max(1, count)


def _settings(name: str) -> Iterator[str]:
    """Yield the values of a setting in this process's control group and in all groups above it, where it exists."""
    with suppress(OSError):
        groups = [line.partition("::")[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        innermost = Path(next(filter(None, groups), "/"))
        for group in (innermost, *innermost.parents):
            with suppress(OSError):
                yield (CONTROL_GROUPS / group.relative_to("/") / name).read_text()
