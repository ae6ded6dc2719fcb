# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How coding would scale with processors: a simulation of the pipeline of GOPs from measured times.

Each GOP has a serial part, which needs that of the GOP before (planning and stills; stills and side information), and a
parallel part, which needs only its own serial part. Threads take the next serial part first, because all else waits for
it, then the oldest parallel part. GOPs are given out in order, and no more than a window of them are in memory.

`python -m benchmarks.scaling CLIP PICTURES` prints the times of a clip's GOPs as JSON.
"""

import heapq
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import inf

from gvc.machine.process import configure_process

THREADS = (1, 2, 4, 8, 16)
SPARE = 2  # GOPs in memory beside those that threads work on


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


def gops_of(total: float, parallel: Sequence[float]) -> list[Gop]:
    """Return the GOPs whose parallel parts take these seconds, and share the rest of the total equally."""
    serial = (total - sum(parallel)) / len(parallel)
    return [Gop(serial, seconds) for seconds in parallel]


def measure(path: str, pictures: int) -> dict[str, list[Gop]]:
    """Return the GOPs of encoding and of decoding a clip on one thread, in processor seconds, without reading it."""
    from gvc_container.source import VideoSource

    from gvc.decoder import Decoder
    from gvc.encoder import Encoder
    from gvc.gop.decoder import CodedGop, Reconstruction
    from gvc.gop.encoder import GopEncoder

    options, found = {"threads": 1}, {}
    with VideoSource(path) as source:
        clip = list(islice(source.pictures(), pictures))
        encoder = Encoder(source.format, options)
    with _timed(GopEncoder, "code") as coding, _total() as total:
        packets = [packet for picture in (*clip, None) for packet in encoder.encode(picture)]
    found["encode"] = gops_of(sum(total), coding)
    decoder = Decoder(encoder.extradata, options)
    with _timed(CodedGop, "reconstruct") as replaying, _timed(Reconstruction, "shown") as showing, _total() as total:
        for packet in packets:
            decoder.decode(packet)
    found["decode"] = gops_of(sum(total), [sum(parts) for parts in zip(replaying, showing, strict=True)])
    return found


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
