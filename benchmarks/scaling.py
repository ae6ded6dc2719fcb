# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How coding would scale with processors: a simulation of the pipeline of GOPs from measured times.

Each GOP has a serial part, which needs that of the GOP before (planning and stills; stills and side information), and a
parallel part, which needs only its own serial part. Threads take the next serial part first, because all else waits for
it, then the oldest parallel part. An encoder with many threads has several chains open (gvc.gop.chains). Where the
serial part is divided among threads (gvc.machine.parallel.each), each of them has an equal share. GOPs are given out in
order, and no more than a window of them are in memory.

`python -m benchmarks.scaling CLIP PICTURES` prints the times of a clip's GOPs as JSON.
"""

import heapq
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import inf

from gvc.machine.parallel import Team
from gvc.machine.process import configure_process

THREADS = (1, 2, 4, 8, 16)
SPARE = 2  # GOPs in memory beside those that threads work on


@dataclass(frozen=True)
class Gop:
    """Seconds of one GOP on one thread. shared: the part of the serial work that is divided among threads."""

    serial: float
    shared: float
    parallel: float

    def among(self, threads: int) -> tuple[float, float]:
        """Return the serial and the parallel seconds where threads share the work that can be divided."""
        own = self.shared / threads
        return self.serial + own, self.parallel + self.shared - own


def wall(gops: Sequence[Gop], threads: int, *, chains: int = 1, at_once: int = 1) -> float:
    """Return the seconds that a film takes, with as many processors as threads.

    gops: GOPs of a chain.
    chains: number of such chains, default 1.
    at_once: largest number of chains that are open, default 1.
    """
    parts, count = [gop.among(threads) for gop in gops], len(gops)
    free = [0.0] * threads  # When each thread becomes free; a heap
    known: list[list[float]] = [[] for _ in range(chains)]  # When the serial part of each GOP is done
    out: list[list[float]] = [[] for _ in range(chains)]  # When each GOP is given out
    while len(out[-1]) < count:
        now = heapq.heappop(free)
        oldest = next(chain for chain in range(chains) if len(out[chain]) < count)
        open_ones = range(oldest, min(oldest + at_once, chains))
        begins = {c: out[c - at_once][-1] if c >= at_once else 0.0 for c in open_ones}
        serial = {c: max(now, begins[c], _serial_from(known[c], out[c], count, threads + SPARE)) for c in open_ones}
        parallel = {c: max(now, known[c][len(out[c])]) if len(out[c]) < len(known[c]) else inf for c in open_ones}
        a, b = min(serial, key=serial.get), min(parallel, key=parallel.get)
        if serial[a] <= parallel[b]:
            known[a].append(serial[a] + parts[len(known[a])][0])
            heapq.heappush(free, known[a][-1])
        else:
            done = parallel[b] + parts[len(out[b])][1]
            out[b].append(max([done, *out[b][-1:]]))
            heapq.heappush(free, done)
    return max(times[-1] for times in out)


def _serial_from(known: list[float], out: list[float], count: int, window: int) -> float:
    """Return when a chain's next serial part may start, infinity if there is none or the window is full."""
    leaving = len(known) - window  # The GOP that must be given out first
    if len(known) == count or leaving >= len(out):
        return inf
    return max([0.0, *known[-1:], *out[leaving : leaving + 1]] if leaving >= 0 else [0.0, *known[-1:]])


def gops_of(total: float, submitted: float, parallel: Sequence[float]) -> list[Gop]:
    """Return the GOPs whose parallel parts take these seconds, and share the rest equally.

    total: seconds of everything. submitted: seconds of all work that was meant for other threads.
    """
    count = len(parallel)
    serial, shared = (total - submitted) / count, (submitted - sum(parallel)) / count
    return [Gop(serial, shared, seconds) for seconds in parallel]


def measure(path: str, pictures: int) -> dict[str, list[Gop]]:
    """Return the GOPs of encoding and of decoding a clip, in processor seconds, without reading it.

    All work is done in this thread, what is meant for others too.
    """
    from gvc_container.source import VideoSource

    from gvc.decoder import Decoder
    from gvc.encoder import Encoder
    from gvc.gop.decoder import ParsedGop, Reconstruction
    from gvc.gop.encoder import GopEncoder

    found = {}
    with VideoSource(path) as source:
        clip = list(islice(source.pictures(), pictures))
        encoder = Encoder(source.format, {"threads": 2})  # The smallest team that divides work; one chain at a time
    with _timed(GopEncoder, "code") as coding, _alone() as submitted, _total() as total:
        packets = [packet for picture in (*clip, None) for packet in encoder.encode(picture)]
    found["encode"] = gops_of(sum(total), sum(submitted), coding)
    decoder = Decoder(encoder.extradata)
    with (
        _timed(ParsedGop, "reconstruct") as replaying,
        _timed(Reconstruction, "shown") as showing,
        _alone() as submitted,
        _total() as total,
    ):
        for packet in packets:
            decoder.decode(packet)
    found["decode"] = gops_of(sum(total), sum(submitted), [sum(p) for p in zip(replaying, showing, strict=True)])
    return found


@contextmanager
def _alone() -> Iterator[list[float]]:
    """Let this thread do the work of all teams; yield a list that gets the seconds of each piece, nested ones apart."""
    original, seconds, depth = Team.submit, [], 0

    def submit(team: Team, function: Callable, *arguments: object) -> Future:
        nonlocal depth
        depth += 1
        future = Future()
        with _total() as total:
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)
        depth -= 1
        if not depth:
            seconds.extend(total)
        return future

    Team.submit = submit
    try:
        yield seconds
    finally:
        Team.submit = original


@contextmanager
def _timed(owner: type, method: str) -> Iterator[list[float]]:
    """Yield a list that gets the processor seconds of each call of a method inside the block."""
    original, seconds = getattr(owner, method), []

    def call(*arguments: object, **keywords: object) -> object:
        with _total() as total:
            result = original(*arguments, **keywords)
        seconds.extend(total)
        return result

    setattr(owner, method, call)
    try:
        yield seconds
    finally:
        setattr(owner, method, original)


@contextmanager
def _total() -> Iterator[list[float]]:
    """Yield a list that gets the processor seconds of the block."""
    seconds, began = [], time.process_time()
    yield seconds
    seconds.append(time.process_time() - began)


if __name__ == "__main__":
    configure_process()
    sides = measure(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({side: [vars(gop) for gop in gops] for side, gops in sides.items()}))
