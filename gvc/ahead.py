# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding ahead: while the pictures of one GOP are shown, the next one is decoded.

The first packet of a GOP holds all of it, and each later one only says which of them to show. A decoder that gives
each packet's picture at once therefore makes its caller wait for a whole GOP, then has nothing to do while that is
shown. So packets are decoded in a thread, and their pictures come later than they: the first of a GOP with the first
packet after it was decoded, at the latest with that of the next GOP, the others one a packet.

How many packets later a picture may come is the caller's to say (the options low_delay and frame_delay): programs that
take the n-th picture for that of the n-th packet see wrong ones otherwise.
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

PACKET_COST = 1024  # bytes, about, that a packet takes beside its data


class _StoppedError(Exception):
    """Nobody wants the GOP that is being decoded any more."""


@dataclass(frozen=True)
class Answer:
    """What a packet gets: the picture of the oldest packet whose picture was not given yet, or nothing.

    pictures: one or none.
    format: of the pictures.
    error: in the place of pictures.
    number: of that oldest packet, counted from 0; None if nothing was due.
    to_packet: it answers a packet; else the end, which gets an answer for each picture that is left, then the last one.
    last: nothing is left.
    """

    pictures: list[Picture]
    format: VideoFormat | None = None
    error: Exception | None = None
    number: int | None = None
    to_packet: bool = True
    last: bool = False


@dataclass(frozen=True)
class _Job:
    """A packet that is being decoded, or was and its picture was not given yet. cost: bytes."""

    number: int
    gop: int
    cost: int
    future: Future


class AheadDecoder:
    """A Decoder that works in a thread of its own, a GOP ahead unless the options low_delay or frame_delay forbid it.

    At most two GOPs of pictures are kept; what comes after them waits as packets. The arguments are the Decoder's, and:

    notify: called by the thread when a packet has been decoded. `on_step` is called by that thread too.

    Attributes:
        delay: packets by which a picture may come later than its own, 0..MAX_SHOWN (a whole GOP).
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
        self._count = self._gop = 0  # packets and GOPs so far
        self._reset()

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that is being decoded, or was last."""
        return self._decoder.gop

    def put(self, packet: Packet | None, *, shown: bool = True) -> None:
        """Take a packet, or None for the end. Never waits. If it is not `shown`, its answer has no picture."""
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
        """Return the next answer; None if nothing was asked, or it takes some time yet."""
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
        """Yield an answer to each packet that has none, waiting for those that take time."""
        while self._unanswered:
            if answer := self.answer():
                yield answer
            else:
                wait([self._jobs[0].future])

    def flush(self) -> None:
        """Forget all packets and pictures. Does not wait: the GOP that is being decoded is stopped when possible."""
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
        self._inbox: deque[tuple[Packet, int, int, bool]] = deque()  # number, GOP, whether it is shown
        self._jobs: deque[_Job] = deque()
        self._unanswered: deque[tuple[float, float]] = deque()  # GOP and number of packets; infinity is the end
        self.waiting = 0  # bytes of packets that are not done with

    @property
    def _works_ahead(self) -> bool:
        return self.delay > 0

    def _start_jobs(self) -> None:
        """Let the thread decode the rest of the oldest packet's GOP, and the next GOP if it may."""
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

    # What runs in the thread

    def _decode(self, packet: Packet, shown: bool) -> tuple[list[Picture], VideoFormat | None]:
        try:
            pictures = self._decoder.decode(packet)
            return pictures if shown else [], self._decoder.format
        except GvcError:
            raise
        except Exception:
            self._decoder.flush()  # its state is anyone's guess
            raise

    def _restart(self) -> None:
        self._stopping = False
        self._decoder.flush()

    def _open(self, spec: str, options: ModelOptions) -> SharedPrior:
        return SharedPrior(self._opener(spec, options), nullcontext(), self._check)

    def _check(self) -> None:
        """Called before each use of the prior."""
        if self._stopping:
            raise _StoppedError


def _delay(options: SimpleNamespace) -> int:
    if options.low_delay:
        return 0
    return MAX_SHOWN if options.frame_delay < 0 else options.frame_delay


def _cost(packet: Packet) -> int:
    return len(packet.data) + PACKET_COST
