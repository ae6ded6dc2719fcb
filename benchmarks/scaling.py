# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How coding would scale with processors: a simulation of the pipeline of GOPs from measured times.

Each GOP has a serial part, which needs that of the GOP before (stills, bits), and a parallel part, which needs only its
own serial part. Threads take the next serial part first, because all else waits for it, then the oldest parallel part.
GOPs are given out in order, and no more than a window of them are in memory.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

THREADS = (1, 2, 4, 8, 16)
FRAMES, TIMED_GOPS, SIMULATED_GOPS = 5, 6, 48  # Pictures of a GOP, both its stills counted; GOPs of each kind
SPARE = 2  # GOPs in memory beside those that threads work on
# Stages of `gvc bench` that depend on the GOP before; all others concern one GOP.
SERIAL = {"encode": ("stills", "rest"), "decode": ("stills", "conditioning", "rest")}


@dataclass(frozen=True)
class Gop:
    """Seconds of one GOP on one thread."""

    serial: float
    parallel: float


def wall(gops: Sequence[Gop], threads: int) -> float:
    """Return the seconds after which the last GOP is given out, with as many processors as threads."""
    free = [0.0] * threads  # When each thread becomes free; a heap
    known: list[float] = []  # When the serial part of each GOP is done
    out: list[float] = []  # When each GOP is given out
    while len(out) < len(gops):
        now = heapq.heappop(free)
        serial = max(now, _serial_from(known, out, len(gops), threads + SPARE))
        parallel = max(now, known[len(out)] if len(out) < len(known) else inf)
        if serial <= parallel:
            known.append(serial + gops[len(known)].serial)
            heapq.heappush(free, known[-1])
        else:
            done = parallel + gops[len(out)].parallel
            out.append(max([done, *out[-1:]]))
            heapq.heappush(free, done)
    return out[-1]


def _serial_from(known: list[float], out: list[float], count: int, window: int) -> float:
    """Return when the next serial part may start, infinity if there is none or the window is full."""
    leaving = len(known) - window  # The GOP that must be given out first
    if len(known) == count or leaving >= len(out):
        return inf
    return max([0.0, *known[-1:], *out[leaving : leaving + 1]] if leaving >= 0 else [0.0, *known[-1:]])


def mean_gop(stages: Mapping[str, float], side: str, count: int) -> Gop:
    """Return the mean GOP from the seconds of each stage over `count` GOPs. side: "encode" or "decode"."""
    serial = sum(stages.get(name, 0.0) for name in SERIAL[side])
    return Gop(serial / count, (sum(stages.values()) - serial) / count)
