# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How much of the machine this process may use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")  # version 2, whose hierarchy is one tree


@cache
def processors() -> int:
    """Return how many processors this process may use at a time: its affinity, and the quota of its container."""
    count = len(os.sched_getaffinity(0))
    for text in _settings("cpu.max"):
        quota, period = text.split()
        if quota != "max":
            count = min(count, ceil(int(quota) / int(period)))
    return max(1, count)


def _settings(name: str) -> Iterator[str]:
    """Yield a setting of this process's control group and of all those around it, as far as there is one."""
    with suppress(OSError):
        groups = [line.partition("::")[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        innermost = Path(next(filter(None, groups), "/"))
        for group in (innermost, *innermost.parents):
            with suppress(OSError):
                yield (CONTROL_GROUPS / group.relative_to("/") / name).read_text()
