# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding ahead: while the pictures of one GOP are shown, the next ones are decoded.

The first packet of a GOP holds the whole GOP; each later one only tells the decoder to show the next picture. A decoder
that returns each picture with its own packet therefore makes its caller wait for a whole GOP, and has nothing to do
while the GOP is shown. Here a thread reads the packets, a team of threads decodes their GOPs, and pictures come later
than their packets.

Each packet gets exactly one answer: a picture, an error, or nothing. In this example a team of one decodes one GOP
ahead. A GOP has four pictures and takes about three packets' time to decode. G is the first packet of a GOP, s is a
later one, and P2 is the picture of packet 2. `-` is an answer without a picture.

    packet put        0    1    2    3    4    5    6    7    8    9   end
    content           G    s    s    s    G    s    s    s    G    s
    team decodes      [== GOP 0 ==]       [== GOP 1 ==]       [== GOP 2 ==]
    answer            -    -    -    P0   P1   P2   P3   P4   P5   P6  P7 P8 P9 last

- The answer to packet 3 has the picture P0, since GOP 0 has been decoded by then. From there on each answer has the
  next picture, three packets late.
- If GOP 0 were still being decoded when packet 4 comes, its answer would wait for P0. A picture is therefore at most
  one GOP late.
- GOP 2 is started only when all pictures of GOP 0 have been taken, so at most two GOPs are in memory.
- After the end each remaining picture is an answer of its own, and an answer marked `last` follows.

A larger team decodes as many GOPs ahead as it has threads, if their pictures fit into AHEAD_SAMPLES. A picture is then
as many GOPs late at most.

The options low_delay and frame_delay limit by how many packets a picture may be late. They are for programs that take
the n-th picture for the picture of the n-th packet. With low_delay=1 each answer waits for its own packet's picture.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from threading import Event
from types import SimpleNamespace

from .bitstream import MAX_SHOWN, is_show, pictures_in
from .decoder import GopReader
from .errors import GvcError
from .gop.display import LOOK_AHEAD, Display
from .gop.reader import ReadPacket
from .gop.rule import CurrentGop
from .loop.denoise import OnStep
from .media import Packet, Picture, VideoFormat
from .prior import ModelOptions
from .priors import Opener, open_prior
from .priors.shared import SharedPrior

PACKET_COST = 1024  # Approximate number of bytes that a waiting packet takes beside its data
AHEAD_SAMPLES = 2**26  # Largest number of luma samples in GOPs that are decoded ahead of the next one

_wanted: ContextVar[Event] = ContextVar("wanted")  # Event that is set while the GOPs of this context are wanted


class _StoppedError(Exception):
    """The GOP that is being decoded is no longer wanted."""


@dataclass(frozen=True)
class Answer:
    """The answer to a packet or to the end of the stream.

    pictures: the packet's picture or none, after those before it whose packets are missing, if they are filled in.
    format: format of the pictures. Default: None, without pictures.
    error: error that replaces the picture, or that was found in the packet of the picture. Default: none.
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
    """A packet that is being decoded or is decoded, until its picture is taken.

    number: number of the packet, counted from 0.
    gop: number of its GOP.
    samples: number of luma samples in its GOP, 0 if it is not a GOP's first packet.
    shown: whether its picture is wanted.
    packet: the packet.
    reading: ReadPacket that the thread makes of it.
    """

    number: int
    gop: int
    samples: int
    shown: bool
    packet: Packet
    reading: Future

    @property
    def done(self) -> bool:
        """Whether the picture can be taken without waiting."""
        return self.reading.done() and (self.reading.exception() is not None or self.reading.result().done)

    @property
    def read(self) -> ReadPacket | None:
        """What was read, None before the picture can be taken."""
        if not self.done:
            return None
        error = self.reading.exception()
        return ReadPacket(self.packet, error=error) if error else self.reading.result()

    def wait(self) -> None:
        """Wait until the picture can be taken."""
        wait([self.reading])
        if self.reading.exception() is None and self.reading.result().outcome:
            wait([self.reading.result().outcome])


class AheadDecoder:
    """A decoder whose threads work one or several GOPs ahead unless the options low_delay or frame_delay forbid that.

    The pictures of few GOPs are in memory; later GOPs wait as packets.

    extradata, options, opener, on_step: arguments of gvc.decoder.Decoder.
    notify: function that other threads call when an answer may have become ready. Default: does nothing.
    fills: whether pictures whose packets are missing come with the next packet (gvc.gop.display). Default: they do not.

    Attributes:
        delay: largest number of packets by which a picture may be late; infinity = as many as several GOPs have.
        waiting: bytes of packets whose pictures were not taken yet.
    """

    def __init__(
        self,
        extradata: bytes | None = None,
        options: Mapping[str, object] | None = None,
        opener: Opener | None = None,
        notify: Callable[[], None] = lambda: None,
        on_step: OnStep | None = None,
        *,
        fills: bool = False,
    ):
        self._opener, self._notify = opener or open_prior, notify
        self._reader = GopReader(extradata, options, self._open, on_step)
        self._display = Display(self._reader.header, fills=fills)
        self.delay = delay_of(self._reader.options)
        self._most_ahead = self._reader.team.size if self.delay else 0  # Largest number of GOPs decoded ahead
        self._sight = min(self.delay, LOOK_AHEAD)  # Largest number of packets to look at ahead of a picture
        self._thread = ThreadPoolExecutor(1, "gvc-decoder")
        self._count = self._gop = 0  # Numbers of packets and GOPs so far
        self._reset()

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that is being decoded, or was last."""
        return self._reader.gop

    def put(self, packet: Packet | None, *, shown: bool = True) -> None:
        """Take a packet, without waiting.

        packet: packet to decode; None = end of the stream.
        shown: whether the packet's picture is wanted. Default: it is.
        """
        if packet is None:
            self._ended = True
            self._unanswered.append((inf, inf))
            return
        self._gop += not is_show(packet.data)
        self._unanswered.append((self._gop, self._count))
        self._inbox.append((packet, pictures_in(packet.data), self._count, self._gop, shown))
        self._count += 1
        self.waiting += _cost(packet)
        self._start_jobs()

    def answer(self) -> Answer | None:
        """Return the next answer, without waiting; None if all packets are answered or the next answer takes time."""
        if not self._unanswered:
            return None
        self._start_jobs()
        (gop, number), oldest = self._unanswered[0], self._jobs[0] if self._jobs else None
        busy = self._busy  # Asked before what follows, which threads may complete at any time
        following = self._following() if oldest else None
        late = oldest and (gop >= oldest.gop + self._most_ahead or number >= oldest.number + self.delay)
        if late and following is None and busy:
            return None
        to_packet = gop < inf
        if to_packet or not oldest:
            self._unanswered.popleft()
        if following is None:
            return Answer([], to_packet=to_packet, last=not to_packet)
        return self._take(to_packet, following)

    def answers(self) -> Iterator[Answer]:
        """Yield an answer to each packet that has none yet, and wait for answers that take time."""
        while self._unanswered:
            if answer := self.answer():
                yield answer
            elif job := next((job for job in self._jobs if not job.done), None):
                job.wait()

    def flush(self) -> None:
        """Discard all packets and pictures, without waiting. GOPs under way stop at the next use of the prior."""
        self._give_up()
        self._reset()
        self._display.flush()
        self._thread.submit(self._reader.flush)

    def close(self) -> None:
        """End the threads, and wait until they have ended. No notification comes afterwards."""
        self._give_up()
        self._thread.shutdown(cancel_futures=True)
        self._reader.team.dismiss(wait=True)

    def _give_up(self) -> None:
        self._wanted.clear()
        for job in self._jobs:
            job.reading.cancel()

    def _reset(self) -> None:
        # Packet, number of pictures in its GOP if it is a GOP's first one, its number, its GOP, whether it is shown
        self._inbox: deque[tuple[Packet, int, int, int, bool]] = deque()
        self._jobs: deque[_Job] = deque()
        self._unanswered: deque[tuple[float, float]] = deque()  # GOP and number of packets; infinity = end of stream
        self._ended = False  # whether no further packet comes
        self._wanted = Event()
        self._wanted.set()
        self.waiting = 0

    def _start_jobs(self) -> None:
        """Have the packets of the oldest GOP decoded, and those of the next ones as far as these may be decoded ahead.

        The next GOP alone may be of any size. Where the oldest picture is missing, one packet after the other may be
        decoded, up to one with a picture.
        """
        video = self._display.header and self._display.header.format
        luma = video.width * video.height if video else 1
        while self._inbox:
            packet, pictures, number, gop, shown = self._inbox[0]
            samples = pictures * luma
            if self._jobs:
                ahead = gop - self._jobs[0].gop
                held = samples + sum(job.samples for job in self._jobs if job.gop > self._jobs[0].gop)
                most = ahead > min(self._most_ahead, 1) and (ahead > self._most_ahead or held > AHEAD_SAMPLES)
                if most and (not all(job.done for job in self._jobs) or self._following() is not None):
                    return
            self._inbox.popleft()
            reading = self._thread.submit(self._read, packet, self._wanted)
            self._jobs.append(_Job(number, gop, samples, shown, packet, reading))
            reading.add_done_callback(self._notify_of)

    @property
    def _busy(self) -> bool:
        """Whether packets wait to be decoded, or are being decoded."""
        return bool(self._inbox) or not all(job.done for job in self._jobs)

    def _following(self) -> list[ReadPacket] | None:
        """Return the packets that are needed to show the oldest one; None if some are not there or not decoded yet."""
        reads = (job.read for job in self._jobs)
        return self._display.foresee(reads, self._sight, self._ended and not self._inbox)

    def _take(self, to_packet: bool, following: list[ReadPacket]) -> Answer:
        job = self._jobs.popleft()
        self.waiting -= _cost(job.packet)
        pictures, error = [], None
        try:
            pictures = self._display.show(job.reading.result(), following)
            error = pictures[-1].error if pictures else None
        except Exception as caught:
            error = caught
            if not isinstance(error, GvcError):
                self._display.flush()  # After an unexpected error the state is unknown
        self._start_jobs()
        header = self._display.header
        pictures = pictures if job.shown else []
        video = header.format if header and (pictures or not error) else None
        return Answer(pictures, video, error, job.number, to_packet)

    def _notify_of(self, reading: Future) -> None:
        """Notify when the picture of a packet that was read can be taken. Any thread may call this."""
        if not reading.cancelled() and reading.exception() is None and reading.result().outcome:
            reading.result().outcome.add_done_callback(lambda _: self._notify())
        else:
            self._notify()

    # The following methods run in other threads

    def _read(self, packet: Packet, wanted: Event) -> ReadPacket:
        token = _wanted.set(wanted)  # The threads of the team inherit this.
        try:
            return self._reader.read(packet)
        finally:
            _wanted.reset(token)

    def _open(self, spec: str, options: ModelOptions) -> SharedPrior:
        return SharedPrior(self._opener(spec, options), nullcontext(), self._check)

    def _check(self) -> None:
        """Raise _StoppedError if the current GOP is no longer wanted. The prior calls this before each use."""
        if not _wanted.get().is_set():
            raise _StoppedError


def delay_of(options: SimpleNamespace) -> float:
    """Return the largest number of packets by which a picture may be late, infinity without a limit."""
    if options.low_delay:
        return 0
    return inf if options.frame_delay in (-1, MAX_SHOWN) else options.frame_delay


def _cost(packet: Packet) -> int:
    return len(packet.data) + PACKET_COST
