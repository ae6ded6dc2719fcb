# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding ahead: while the pictures of one GOP are shown, the next one is decoded.

The first packet of a GOP holds the whole GOP; each later one only tells the decoder to show the next picture. A decoder
that returns each picture with its own packet therefore makes its caller wait for a whole GOP, and has nothing to do
while the GOP is shown. Here a thread decodes the packets, and pictures come later than their packets.

Each packet gets exactly one answer: a picture, an error, or nothing. In this example a GOP has four pictures and takes
about three packets' time to decode. G is the first packet of a GOP, s is a later one, and P2 is the picture of packet
2. `-` is an answer without a picture.

    packet put        0    1    2    3    4    5    6    7    8    9   end
    content           G    s    s    s    G    s    s    s    G    s
    thread decodes    [== GOP 0 ==]       [== GOP 1 ==]       [== GOP 2 ==]
    answer            -    -    -    P0   P1   P2   P3   P4   P5   P6  P7 P8 P9 last

- The answer to packet 3 has the picture P0, since GOP 0 has been decoded by then. From there on each answer has the
  next picture, three packets late.
- If GOP 0 were still being decoded when packet 4 comes, its answer would wait for P0. A picture is therefore at most
  one GOP late.
- The thread starts GOP 2 only when all pictures of GOP 0 have been taken, so at most two GOPs are in memory.
- After the end each remaining picture is an answer of its own, and an answer marked `last` follows.

The options low_delay and frame_delay limit by how many packets a picture may be late. They are for programs that take
the n-th picture for the picture of the n-th packet. With low_delay=1 each answer waits for its own packet's picture.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from math import inf
from types import SimpleNamespace

from .bitstream import MAX_SHOWN, is_show
from .decoder import Decoder
from .errors import GvcError
from .gop.rule import CurrentGop
from .loop.denoise import OnStep
from .media import Packet, Picture, VideoFormat
from .prior import ModelOptions
from .priors import Opener, open_prior
from .priors.shared import SharedPrior

PACKET_COST = 1024  # Approximate number of bytes that a waiting packet takes beside its data


class _StoppedError(Exception):
    """The GOP that is being decoded is no longer wanted."""


@dataclass(frozen=True)
class Answer:
    """The answer to a packet or to the end of the stream.

    pictures: one picture or none.
    format: format of the pictures. Default: None, without pictures.
    error: error that replaces the picture. Default: none.
    number: number of the packet to which the picture or error belongs, counted from 0. Default: None, nothing was due.
    to_packet: whether this answers a packet instead of the end. Default: a packet.
    last: whether this is the last answer to the end. Default: not.
    """

    pictures: list[Picture]
    format: VideoFormat | None = None
    error: Exception | None = None
    number: int | None = None
    to_packet: bool = True
    last: bool = False


@dataclass(frozen=True)
class _Job:
    """A packet that the thread decodes or has decoded, until its picture is taken.

    number: number of the packet, counted from 0.
    gop: number of its GOP.
    cost: bytes that the packet takes.
    future: result of decoding it.
    """

    number: int
    gop: int
    cost: int
    future: Future


class AheadDecoder:
    """A Decoder that runs in a thread of its own, a GOP ahead unless the options low_delay or frame_delay forbid that.

    The pictures of at most two GOPs are in memory; later GOPs wait as packets.

    extradata, options, opener, on_step: arguments of the Decoder. The thread calls on_step.
    notify: function that the thread calls after each packet that it has decoded. Default: does nothing.

    Attributes:
        delay: largest number of packets by which a picture may be late, 0..MAX_SHOWN; MAX_SHOWN = a whole GOP.
        waiting: bytes of packets whose pictures were not taken yet.
    """

    def __init__(
        self,
        extradata: bytes | None = None,
        options: Mapping[str, object] | None = None,
        opener: Opener | None = None,
        notify: Callable[[], None] = lambda: None,
        on_step: OnStep | None = None,
    ):
        self._opener, self._notify = opener or open_prior, notify
        self._decoder = Decoder(extradata, options, self._open, on_step)
        self.delay = _delay(self._decoder.options)
        self._thread = ThreadPoolExecutor(1, "gvc-decoder")
        self._stopping = False
        self._count = self._gop = 0  # Numbers of packets and GOPs so far
        self._reset()

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that is being decoded, or was last."""
        return self._decoder.gop

    def put(self, packet: Packet | None, *, shown: bool = True) -> None:
        """Take a packet, without waiting.

        packet: packet to decode; None = end of the stream.
        shown: whether the packet's picture is wanted. Default: it is.
        """
        if packet is None:
            self._unanswered.append((inf, inf))
            return
        self._gop += not is_show(packet.data)
        self._unanswered.append((self._gop, self._count))
        self._inbox.append((packet, self._count, self._gop, shown))
        self._count += 1
        self.waiting += _cost(packet)
        self._start_jobs()

    def answer(self) -> Answer | None:
        """Return the next answer, without waiting; None if all packets are answered or the next answer takes time."""
        if not self._unanswered:
            return None
        (gop, number), oldest = self._unanswered[0], self._jobs[0] if self._jobs else None
        ready = oldest is not None and oldest.future.done()
        if oldest and not ready and (gop >= oldest.gop + self._works_ahead or number >= oldest.number + self.delay):
            return None
        to_packet = gop < inf
        if to_packet or not oldest:
            self._unanswered.popleft()
        return self._take(to_packet) if ready else Answer([], to_packet=to_packet, last=not to_packet)

    def answers(self) -> Iterator[Answer]:
        """Yield an answer to each packet that has none yet, and wait for answers that take time."""
        while self._unanswered:
            if answer := self.answer():
                yield answer
            else:
                wait([self._jobs[0].future])

    def flush(self) -> None:
        """Discard all packets and pictures, without waiting. The thread stops its GOP at the next use of the prior."""
        for job in self._jobs:
            job.future.cancel()
        self._reset()
        self._stopping = True
        self._thread.submit(self._restart)

    def close(self) -> None:
        """End the thread."""
        self._stopping = True
        self._thread.shutdown(cancel_futures=True)

    def _reset(self) -> None:
        self._inbox: deque[tuple[Packet, int, int, bool]] = deque()  # Packet, its number, its GOP, whether it is shown
        self._jobs: deque[_Job] = deque()
        self._unanswered: deque[tuple[float, float]] = deque()  # GOP and number of packets; infinity = end of stream
        self.waiting = 0

    @property
    def _works_ahead(self) -> bool:
        return self.delay > 0

    def _start_jobs(self) -> None:
        """Give the thread the packets of the oldest GOP and, unless the delay is 0, those of the next GOP."""
        while self._inbox:
            packet, number, gop, shown = self._inbox[0]
            if self._jobs and gop > self._jobs[0].gop + self._works_ahead:
                return
            self._inbox.popleft()
            job = _Job(number, gop, _cost(packet), self._thread.submit(self._decode, packet, shown))
            job.future.add_done_callback(lambda _: self._notify())
            self._jobs.append(job)

    def _take(self, to_packet: bool) -> Answer:
        job = self._jobs.popleft()
        self.waiting -= job.cost
        self._start_jobs()
        error = job.future.exception()
        pictures, video_format = ([], None) if error else job.future.result()
        return Answer(pictures, video_format, error, job.number, to_packet)

    # The following methods run in the thread

    def _decode(self, packet: Packet, shown: bool) -> tuple[list[Picture], VideoFormat | None]:
        try:
            pictures = self._decoder.decode(packet)
            return pictures if shown else [], self._decoder.format
        except GvcError:
            raise
        except Exception:
            self._decoder.flush()  # After an unexpected error the decoder's state is unknown
            raise

    def _restart(self) -> None:
        self._stopping = False
        self._decoder.flush()

    def _open(self, spec: str, options: ModelOptions) -> SharedPrior:
        return SharedPrior(self._opener(spec, options), nullcontext(), self._check)

    def _check(self) -> None:
        """Raise _StoppedError if the current GOP is no longer wanted. The prior calls this before each use."""
        if self._stopping:
            raise _StoppedError


def _delay(options: SimpleNamespace) -> int:
    if options.low_delay:
        return 0
    return MAX_SHOWN if options.frame_delay < 0 else options.frame_delay


def _cost(packet: Packet) -> int:
    return len(packet.data) + PACKET_COST
