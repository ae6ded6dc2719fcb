# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding by a crew of workers: packets in, pictures out in their order.

Packets are read and pictures are shown here, as gvc.decoder.Decoder does it. Only the pictures of GOPs are made
elsewhere, and those in place of GOPs that are missing. An empty packet stands for such a GOP.

A task is a *run*: GOPs of one chain that follow each other. The prior decides how long it is:

- Large models take minutes for a GOP. In t2v and flf2v a GOP needs nothing but the stills of those before, so each is a
  run of its own.
- In i2v a GOP needs the pictures of the one before, and the small priors have a memory, so a run is a whole chain. A
  chain with too many pictures for that is cut, and the next run decodes the GOPs before once more, as far as it must.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial

from ..ahead import Answer, delay_of
from ..bitstream import GopUnit
from ..errors import GvcError
from ..gop.concealment import MOST_SPANNED
from ..gop.display import LOOK_AHEAD, Display
from ..gop.reader import NOTHING, Outcome, PacketReader, ReadPacket, done
from ..media import Packet
from ..options import DECODER_OPTIONS, parse_options
from ..priors import has_memory
from .crew import Crew
from .decoding import Expected, decoding_task, outcomes_of

RUN_SAMPLES = 2**28  # Largest number of luma samples in the pictures of a run, unless it has one GOP only
RUN_PACKETS = 1024  # Number of packets after which a run ends

# Function that is told about a step: (number of the chain from 0, number of its GOP from 1, steps, step from 0).
OnChainStep = Callable[[int, int, int, int], object]
OnChainDone = Callable[[int], object]  # Function that is told that pictures of a chain were made


@dataclass
class _Run:
    """GOPs of one chain that are decoded by one task.

    chain: number of the chain, from 0.
    first: number of the first GOP in its chain, from 0.
    passed_over: number of GOPs that are sent before it because it needs them.
    packets: packets with GOPs of the chain, those that are passed over first.
    gops: what is expected of each GOP, and the future of its outcome.
    samples: number of luma samples in their pictures.
    """

    chain: int
    first: int
    passed_over: int
    packets: list[bytes]
    gops: list[tuple[Expected, Future]] = field(default_factory=list)
    samples: int = 0

    @property
    def title(self) -> str:
        """Name for people."""
        last = self.first + len(self.gops)
        return f"chain {self.chain}, GOP {self.first + 1}" + (f" to {last}" if last > self.first + 1 else "")


class FleetDecoder(PacketReader):
    """A decoder for gvc_container.file.FileReader, in the place of gvc.ahead.AheadDecoder.

    extradata: bytes of the sequence header. Default: the first keyframe has it.
    options: values by name (gvc.options.DECODER_OPTIONS); a worker decides about device and threads itself.
    crew: workers; whoever made the crew ends it.
    ahead: largest number of runs that are begun before the oldest one is taken.
    on_step: function that is told about steps, in any thread. Default: none.
    on_done: function that is told that a run of a chain is done, in any thread. Default: none.

    Raises BitstreamError if `extradata` is damaged, OptionError. Taking answers may raise what tasks raise.
    """

    def __init__(
        self,
        extradata: bytes | None,
        options: Mapping[str, object],
        crew: Crew,
        ahead: int,
        *,
        on_step: OnChainStep = lambda chain, gop, steps, step: None,
        on_done: OnChainDone = lambda chain: None,
    ):
        parsed = parse_options(DECODER_OPTIONS, options)  # Wrong options are reported now, not by a worker
        self._sight = min(delay_of(parsed), LOOK_AHEAD)  # Largest number of packets to look at ahead of a picture
        self._options, self._crew, self._ahead = dict(options), crew, ahead
        self._on_step, self._on_done = on_step, on_done
        self._count = self._runs = 0  # Numbers of packets and runs so far
        super().__init__(extradata, bool(parsed.keyframes))

    def flush(self) -> None:
        """Forget all packets and pictures, as for a seek."""
        super().flush()
        self._display = Display(self.header, fills=True)
        self._waiting: deque[tuple[int, int, ReadPacket]] = deque()  # Number of the packet, number of its run, itself
        self._in_run = 0  # Number of packets in the current run
        self._chains = self._gops = 0  # Numbers of chains so far, and of GOPs in the current one
        self._chain: list[bytes] = []  # Packets with GOPs of the current chain that later ones may need
        self._run: _Run | None = None  # Run that is being collected
        self._ended = False

    def put(self, packet: Packet | None) -> None:
        """Take a packet; None = end of the stream."""
        if packet is None:
            self._submit()
            self._ended = True
            return
        read = self.read(packet)
        self._in_run += 1
        self._waiting.append((self._count, self._runs, read))
        self._count += 1
        if self._in_run >= RUN_PACKETS:
            self._submit()

    def answers(self) -> Iterator[Answer]:
        """Yield the answers that are ready, and wait for those without which too much would be in memory."""
        while self._waiting:
            reads = (read if read.done else None for *_, read in self._waiting)
            following = self._display.foresee(reads, self._sight, self._ended)
            if following is None:
                run, read = next(((run, read) for _, run, read in self._waiting if not read.done), (self._runs, None))
                if not self._ended and self._runs - run <= self._ahead:
                    return
                wait([read.outcome])
                continue
            number, _, read = self._waiting.popleft()
            yield self._answer(number, read, following)

    def close(self) -> None:
        """Forget all packets and pictures."""
        self.flush()

    def _answer(self, number: int, read: ReadPacket, following: list[ReadPacket]) -> Answer:
        try:
            pictures = self._display.show(read, following)
        except GvcError as error:
            return Answer([], error=error, number=number)
        error = pictures[-1].error if pictures else None
        return Answer(pictures, self._display.header and self._display.header.format, error, number)

    def _begin(self, packet: Packet, unit: GopUnit) -> Future:
        if unit.key:
            self._submit()
            self._chain, self._chains, self._gops = [], self._chains + 1, 0
        elif not self._chain:
            return done(NOTHING)
        return self._add(packet.data, unit.shown + unit.ahead)

    def _pass_gap(self) -> Future:
        # After so many that are missing nothing replaces them.
        known = self._chain and any(self._chain[-MOST_SPANNED:])
        return self._add(b"", 0) if known else done(NOTHING)

    def _add(self, packet: bytes, pictures: int) -> Future:
        """Add a GOP to the run that is being collected, and return the future of its outcome.

        packet: packet of the GOP, b"" if it is missing.
        pictures: number of its pictures.
        """
        expected = Expected(self.header.format.coded, pictures)
        if self._run and (self._alone or self._run.samples + expected.samples > RUN_SAMPLES):
            self._submit()
        if not self._run:
            self._run = _Run(self._chains - 1, self._gops, len(self._chain), [*self._chain])
        self._gops += 1
        self._run.packets.append(packet)
        self._run.samples += expected.samples
        self._run.gops.append((expected, Future()))
        self._remember(packet)
        return self._run.gops[-1][1]

    def _remember(self, packet: bytes) -> None:
        """Keep a packet for later runs, which need to know of those missing only what came after the last other one.

        In t2v a GOP needs nothing but the header, and to know whether the one before is there.
        """
        if packet and self._chain:
            if not self.header.mode.has_first:
                del self._chain[1:]
            while not self._chain[-1]:
                self._chain.pop()
        self._chain.append(packet)

    @property
    def _alone(self) -> bool:
        """Whether each GOP of the stream is a run of its own."""
        mode = self.header.mode
        return not has_memory(self.header.prior) and (mode.has_last or not mode.has_first)

    def _submit(self) -> None:
        """End the run that is being collected, and hand it to the crew."""
        run, self._run = self._run, None
        self._runs, self._in_run = self._runs + 1, 0
        if not run:
            return
        task = decoding_task(run.title, self._options, run.packets, run.passed_over)
        before = run.first - run.passed_over  # GOPs of the chain that the worker does not know

        def on_step(gop: int, steps: int, step: int) -> None:
            self._on_step(run.chain, before + gop, steps, step)

        self._crew.submit(task, on_step).add_done_callback(partial(self._deliver, run))

    def _deliver(self, run: _Run, answer: Future) -> None:
        """Pass the outcomes of a run on. This runs in a thread of the crew."""
        try:
            outcomes = outcomes_of(answer.result(), [expected for expected, _ in run.gops])
        except Exception as error:
            outcomes = [error] * len(run.gops)
        # The first one comes last, so that whoever has waited for it need not wait for the others.
        for outcome, (_, future) in reversed([*zip(outcomes, run.gops, strict=True)]):
            if isinstance(outcome, Outcome):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        self._on_done(run.chain)
