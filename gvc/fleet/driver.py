# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The driver: finds the chains of a film and has each coded once by a crew, with a job folder as its memory."""

import time
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from types import SimpleNamespace
from typing import Protocol

from gvc_container.source import VideoSource

from ..errors import EngineError, OptionError, sentence
from ..options import ENCODER_OPTIONS, parse_options
from ..plan.settings import Settings
from .bits import bitrates
from .coding import format_terms
from .crew import TRIES, Crew, Worker
from .failures import is_certain
from .folder import FolderError, JobFolder
from .identity import Identity
from .plan import DONE, Chain, Plan, SourceFile
from .planning import Planning
from .records import Record
from .tasks import Task

STAGES = {"analyse": "analyse", "encode": "code"}  # Name of the stage for each kind of jobs
SECONDS_BETWEEN_LOOKS = 1.0  # Time after which chains that another driver has claimed are looked at again
SECONDS_BETWEEN_PLANS = 2.0  # Least time between two copies of the plan in the folder while chains are found


def independent(options: Mapping[str, object]) -> SimpleNamespace:
    """Return parsed options. Raises OptionError if the chains of a film would depend on each other with them.

    options: values by name (gvc.options.ENCODER_OPTIONS).
    """
    parsed = parse_options(ENCODER_OPTIONS, options)
    if parsed.maxrate:
        raise OptionError("with maxrate the chains of a film depend on each other; leave it out, or code in one go")
    return parsed


class Observer(Protocol):
    """Something that shows people how the work goes on, such as gvc.cli.report.Report."""

    def stage(self, name: str, total: int) -> AbstractContextManager:
        """Tell that a stage ("analyse" or "code") goes on while the block runs, and the expected number of pictures."""

    def say(self, text: str) -> None:
        """Tell something."""

    def warn(self, text: str) -> None:
        """Tell a warning."""

    def expect(self, total: int, chains: int) -> None:
        """Tell the expected number of pictures, 0 = unknown, and the number of chains known so far."""

    def chain_step(self, chain: int, gop: int, steps: int, step: int) -> None:
        """Tell about a step in a chain."""

    def chain_done(self, chain: int, pictures: int, size: int | None, *, earlier: bool = False) -> None:
        """Tell that a chain is done: its pictures and bytes, and whether an earlier run has coded it."""

    def chain_failed(self, chain: int) -> None:
        """Tell that a chain is given up for this run."""


@dataclass(frozen=True)
class Failure:
    """A chain that could not be coded. error: error of its last try."""

    chain: Chain
    error: Exception

    def __str__(self) -> str:
        last = self.chain.first + self.chain.count - 1
        return f"chain {self.chain.number} (pictures {self.chain.first} to {last}) failed: {sentence(self.error)}"


class Driver:
    """Has a film coded, chain by chain. Several drivers may share a folder, and so a film.

    Args:
        folder: keeper of the plan and of all results.
        video: source, a file from which no picture was taken yet.
        options: values by name (gvc.options.ENCODER_OPTIONS).
        workers: workers, which are closed at the end.
        observer: shows how the work goes on.
        is_damaged: function that tells, at the end of the source, whether parts of it could not be read.
        reconstruct: whether the log of each chain gets the digests of the pictures that decoders will show. Default:
            not.

    Attributes:
        plan: plan of the film as far as it is known; None before the first worker has answered.
        done: number of chains whose results are in the folder; with a bitrate, first those of analyses.

    Raises OptionError if chains would depend on each other with these options, OSError.
    """

    def __init__(
        self,
        folder: JobFolder,
        video: VideoSource,
        options: Mapping[str, object],
        workers: Sequence[Worker],
        observer: Observer,
        *,
        is_damaged: Callable[[], bool],
        reconstruct: bool = False,
    ):
        self.plan: Plan | None = None
        self.done = 0
        self._folder, self._source, self._format = folder, SourceFile.of(video.path), video.format
        self._options, self._workers, self._observer = dict(options), workers, observer
        self._is_damaged, self._reconstruct = is_damaged, reconstruct
        parsed = independent(options)
        self._bitrate, self._kind = parsed.bitrate, ""
        # Other threads put functions here, and this thread calls them, so that little else needs a lock.
        self._events: SimpleQueue[Callable[[], object]] = SimpleQueue()
        splitter = Settings.of(parsed, video.format).splitter()
        self._planning = Planning(video, splitter, self._later(self._found), self._later(self._ended))
        self._expected = video.frames_expected
        self._identity: Identity | None = None  # That of the first worker, set in the worker's thread
        self._greeting = Lock()
        self._chains: list[Chain] = []
        self._complete, self._written = False, 0.0
        self._waiting: list[Chain] = []  # Longest first
        self._next_look = 0.0  # Time before which other drivers work on all chains that wait
        self._running: set[int] = set()
        self._failures: dict[int, Failure] = {}
        self._crew: Crew | None = None  # While `run` runs

    @property
    def state(self) -> str:
        """How far it has come, such as "3 of 8 chains are coded"."""
        return f"{self.done} of {len(self._chains)} chains are {DONE[self._kind]}"

    def run(self) -> list[Failure]:
        """Code all chains; return those that failed. What is done is in the folder, whatever happens.

        Raises the error that each worker or each chain would have (gvc.fleet.failures.is_final), EngineError if no
        worker is left, MediaError if the source cannot be read, OSError if the folder cannot be written, and
        FolderGoneError.
        """
        self._folder.take_part()
        hello = Task("hello", "the start", {"format": format_terms(self._format), "options": self._options})
        try:
            with Crew(
                self._workers, hello, self._welcome, self._later(lambda: None), self._later(self._observer.warn)
            ) as crew:
                self._crew = crew
                if not self._may_know_all():
                    self._planning.start()
                if self._bitrate:
                    self._work("analyse")
                if not self._failures:
                    self._work("encode")
        finally:
            self._planning.stop()
        return [*self._failures.values()]

    def _work(self, kind: str) -> None:
        """Have all chains analysed or coded."""
        self._kind = kind
        with self._observer.stage(STAGES[kind], self._expected):
            if kind == "encode" and self._bitrate:
                self._share_out()
            while not (self.plan and self._complete and not self._waiting and not self._running):
                self._hand_out()
                self._handle_event()
                self._crew.check()
        for number, failure in [*self._failures.items()]:
            if self._folder.result(self._name(failure.chain)):  # Another driver had more luck
                del self._failures[number]

    def _share_out(self) -> None:
        """Give each chain the bits that it gets; all are analysed."""
        chains = self.plan.chains
        analyses = [self._folder.result(self.plan.job(chain, "analyse")) for chain in chains]
        shares = bitrates(self._bitrate, chains, analyses, self._format.time_base)
        self.plan, self.done = replace(self.plan, bitrates=shares), 0
        self._write_plan()
        self._add_all()

    def _may_know_all(self) -> bool:
        """Return whether the folder has a complete plan of the source in its current state."""
        known = self._folder.read_plan()
        return bool(known and known.complete and known.source == self._source)

    def _handle_event(self) -> None:
        with suppress(Empty):
            self._events.get(timeout=SECONDS_BETWEEN_LOOKS)()

    def _later(self, function: Callable, *arguments: object) -> Callable[..., None]:
        """Return a function for any thread; when it is called, this thread soon calls `function`."""
        return lambda *more: self._events.put(partial(function, *arguments, *more))

    def _welcome(self, name: str, answer: bytes) -> None:
        """Take in the identity of the stream that a worker would code.

        Raises EngineError if it differs from that of the first worker, or from the versions here.
        """
        identity = Identity.parse(Record.parse(answer, f"the answer of {name}"))
        identity.check_versions()
        with self._greeting:
            first = self._identity = self._identity or identity
        if changes := identity.changes(first):
            raise EngineError(f"it would code another stream than the others: {'; '.join(changes)}")
        self._later(self._identified, first)()

    def _identified(self, identity: Identity) -> None:
        """Compare the plan with the one in the folder, which was made before."""
        if self.plan:
            return
        self.plan, before = Plan(self._source, identity), self._folder.read_plan()
        if before:
            self._compare(before)
        if not self._complete:
            self._planning.start()
        self._write_plan()
        self._add_all()

    def _compare(self, before: Plan) -> None:
        """Take over what an earlier run has found. Raises OptionError if one of another film is still going on."""
        place, changes = self._folder.path, "; ".join(self.plan.changes(before))
        known = self.plan if changes else before
        done = [chain for chain in before.chains if self._folder.result(known.job(chain, known.kind))]
        if changes:
            if self._folder.is_shared:
                raise OptionError(f"another run works in {place} ({changes}); name another folder with --jobs")
            self._observer.say(f"{place}: {changes}" + ("" if done else ", so all chains are coded anew"))
        elif before.complete and not self._planning.has_begun:
            self.plan, self._chains, self._complete = before, [*before.chains], True
        if done:
            first = "" if before.complete else "the first "
            count = f"{len(done)} of {first}{len(before.chains)} chains"
            self._observer.say(f"{place}: {count} are {DONE[known.kind]} already")

    def _found(self, chain: Chain) -> None:
        """Take in a chain that the planning has found."""
        self._chains.append(chain)
        self._tell_expected()
        if self.plan:
            self._add(chain)
            if time.monotonic() - self._written > SECONDS_BETWEEN_PLANS:
                self._write_plan()

    def _ended(self, error: Exception | None) -> None:
        """Take in the end of the source."""
        if error:
            raise error
        self._complete = True
        self._tell_expected()
        if self.plan:
            self._write_plan()

    def _tell_expected(self) -> None:
        known = self._chains[-1].first + self._chains[-1].count if self._chains else 0
        self._observer.expect(known if self._complete else max(known, self._expected), len(self._chains))

    def _write_plan(self) -> None:
        damaged = self.plan.damaged or (self._complete and self._is_damaged())
        self.plan = replace(self.plan, chains=tuple(self._chains), complete=self._complete, damaged=damaged)
        self._folder.write_plan(self.plan)
        self._written = time.monotonic()

    def _name(self, chain: Chain) -> str:
        return self.plan.job(chain, self._kind)

    def _add_all(self) -> None:
        self._tell_expected()
        for chain in self._chains:
            self._add(chain)

    def _add(self, chain: Chain) -> None:
        """Count a chain that is done already; let all others wait."""
        if not self._is_done(chain, earlier=True):
            self._next_look = 0.0
            insort(self._waiting, chain, key=lambda chain: (-chain.count, chain.number))

    def _is_done(self, chain: Chain, *, earlier: bool) -> bool:
        """Return whether the folder has the result of a chain, and count it then."""
        result = self._folder.result(self._name(chain))
        if not result:
            return False
        if self._reconstruct and self._kind == "encode" and "shown" not in result.log:
            raise OptionError(f"{self._folder.path} has chains that were coded without --verify; leave --verify out")
        self._count(chain, result.size, earlier=earlier)
        return True

    def _count(self, chain: Chain, size: int, *, earlier: bool = False) -> None:
        self.done += 1
        self._observer.chain_done(chain.number, chain.count, size, earlier=earlier)

    @property
    def _has_chains(self) -> bool:
        """Whether there may be chains that nobody works on."""
        return bool(self.plan and self._waiting) and time.monotonic() >= self._next_look

    def _hand_out(self) -> None:
        """Hand the longest chains that wait to free workers."""
        while self._has_chains and self._crew.idle.acquire(blocking=False):
            chain = self._claimed()
            if chain is None:
                self._crew.idle.release()
                self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS
                return
            self._running.add(chain.number)
            future = self._crew.submit(self._task(chain), self._later(self._observer.chain_step, chain.number))
            future.add_done_callback(self._later(self._take, chain))

    def _claimed(self) -> Chain | None:
        """Return a chain that nobody works on, and claim it; None if other drivers work on all that wait."""
        for chain in [*self._waiting]:
            claimed = self._folder.claim(self._name(chain))
            if claimed or self._is_done(chain, earlier=False):
                self._waiting.remove(chain)
            if claimed:
                return chain
        return None

    def _task(self, chain: Chain) -> Task:
        terms = {
            "name": self._name(chain),
            "source": self._source.path,
            "format": format_terms(self._format),
            "options": self._options,
            "identity": asdict(self.plan.identity),
            "chain": asdict(chain),
            "reconstruct": self._reconstruct,
            "bitrate": self.plan.bitrates[chain.number] if self.plan.bitrates else None,
        }
        title = f"chain {chain.number}, pictures {chain.first} to {chain.first + chain.count - 1}"
        return Task(self._kind, title, terms)

    def _take(self, chain: Chain, future: Future) -> None:
        """Take in the result of a chain."""
        self._running.remove(chain.number)
        name, error = self._name(chain), future.exception()
        if error:
            self._crew.check()  # What has ended the crew is no failure of a chain
        try:
            if not error:
                result = self._folder.write_result(name, future.result())
                self._count(chain, result.size)
        except FolderError as refused:
            error = refused
        if error:
            self._folder.fail(name, sentence(error), 1 if is_certain(error) else TRIES)
            self._failures[chain.number] = failure = Failure(chain, error)
            self._observer.chain_failed(chain.number)
            self._observer.warn(str(failure))
