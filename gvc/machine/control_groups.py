# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The limits that a container or a service sets to its processes."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")  # Mount point of control groups version 2, which form a single tree.


def limits(name: str) -> Iterator[str]:
    """Yield the values of a setting in this process's control group and in all groups above it, where it exists."""
    with suppress(OSError):
        groups = [line.partition("::")[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        innermost = Path(next(filter(None, groups), "/"))
        for group in (innermost, *innermost.parents):
            with suppress(OSError):
                yield (CONTROL_GROUPS / group.relative_to("/") / name).read_text()
