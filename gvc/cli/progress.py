# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Progress of a command on stderr: a bar on a terminal, plain lines otherwise (gvc.cli.objects: JSON for programs).

Progress is counted in frames. A large model may take minutes for one GOP, whose frames come all at once; in the
meantime the steps of its loop are shown. Where several chains are coded at a time, each has its own GOP and step.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import NamedTuple, Protocol, Self

SECONDS_BETWEEN_LINES = 5
SECONDS_BETWEEN_STEPS = 1  # Least time in seconds from the last change of the bar to a step
CHAINS_SHOWN = 8  # Largest number of chains at work that the bar lists

VERBS = {
    "analyse": "analysing",
    "code": "encoding",
    "join": "joining",
    "decode": "decoding",
    "compare": "comparing",
}

Clock = Callable[[], float]  # A function that returns a time in seconds, such as time.monotonic


class Step(NamedTuple):
    """A step of the loop that was reached.

    gop: number of the GOP in its chain, or in the stream where chains are not told apart, from 1.
    steps: number of steps of its loop.
    step: number of the step, from 1.
    """

    gop: int
    steps: int
    step: int

    def __str__(self) -> str:
        return f"GOP {self.gop}, step {self.step} of {self.steps}"


class View(Protocol):
    """What shows a stage while a `with` block runs. It is told of changes one at a time."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def advanced(self) -> None:
        """Show that frames are done."""

    def stepped(self, chain: int | None) -> None:
        """Show that a chain has reached another step, if nothing else has changed for some time."""


class Stage:
    """How far a stage of a command has come. Any thread may call the methods.

    name: one of VERBS.
    total: expected number of frames; 0 = unknown.
    chains: number of chains known so far; 0 = chains are not told apart.
    clock: function that returns a time in seconds. Default: time.monotonic.

    Attributes:
        pictures: number of frames that are done.
        size: bytes of the frames that are done; None where none are written.
        chains_done: number of chains that are done.
        at_work: the last step of each chain at work, by number of chain; None = chains are not told apart.
        latest: chain that was heard of last.
    """

    def __init__(self, name: str, total: int = 0, chains: int = 0, clock: Clock = time.monotonic):
        self.name, self.total, self.chains, self._clock = name, total, chains, clock
        self.pictures = self.chains_done = self._earlier = 0
        self.size: int | None = None
        self.at_work: dict[int | None, Step] = {}
        self.latest: int | None = None
        self._started = self._last = clock()
        self._view: View | None = None
        self.lock = Lock()

    def show(self, view: View) -> None:
        """Let a view show all changes from now on."""
        self._view = view

    def expect(self, total: int, chains: int) -> None:
        """Set the expected number of frames, 0 = unknown, and the number of chains known so far."""
        with self.lock:
            self.total, self.chains = total, chains

    def step(self, chain: int | None, step: Step) -> None:
        """Note that a chain has reached a step."""
        with self.lock:
            self.at_work[chain], self.latest = step, chain
            if self._view:
                self._view.stepped(chain)

    def advance(self, pictures: int, size: int | None, chain: int | None = None, earlier: bool = False) -> None:
        """Note that frames are done.

        pictures: number of these frames.
        size: their bytes; None = nothing is written.
        chain: number of their chain, which is complete. Default: chains are not told apart.
        earlier: whether an earlier run has coded them, so that they say nothing about speed. Default: not.
        """
        with self.lock:
            self.at_work.pop(chain, None)
            self.latest = chain
            self.pictures += pictures
            self.chains_done += chain is not None
            if size is not None:
                self.size = (self.size or 0) + size
            if earlier:
                self._earlier += pictures
            elif pictures:
                self._last = self._clock()
            if self._view:
                self._view.advanced()

    def give_up(self, chain: int) -> None:
        """Note that a chain is at work no more without being done."""
        with self.lock:
            self.at_work.pop(chain, None)
            if self._view:
                self._view.advanced()

    @property
    def rate(self) -> float:
        """Frames a second, up to the moment when the last ones were done."""
        done = self.pictures - self._earlier
        return done / max(self._last - self._started, 1e-3) if done else 0.0

    @property
    def remaining(self) -> float | None:
        """Expected time in seconds until the end; None if it is unknown."""
        if not self.total or not self.rate:
            return None
        return max(0.0, (self.total - self.pictures) / self.rate - (self._clock() - self._last))


class Lines:
    """Plain lines with a pause between them."""

    def __init__(self, stage: Stage, clock: Clock):
        self._stage, self._clock, self._last = stage, clock, clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advanced(self) -> None:
        self._print("")

    def stepped(self, chain: int | None) -> None:
        self._print(f", {_of_chain(chain)}{self._stage.at_work[chain]}")

    def _print(self, step: str) -> None:
        now, stage = self._clock(), self._stage
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            of_total = f" of {stage.total}" if stage.total else ""
            print(f"{VERBS[stage.name]}: {stage.pictures}{of_total} frames{_chains(stage)}{step}", file=sys.stderr)


class Bar:
    """A bar, with a line for each chain at work, which disappears at the end."""

    def __init__(self, stage: Stage, clock: Clock):
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.table import Column

        self._stage, self._clock, self._last = stage, clock, clock()
        self._steps: dict[int | None, Step] = {}  # Steps that are shown
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(None, table_column=Column(min_width=4, max_width=40)),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
        )
        self._task = self._bar.add_task(VERBS[stage.name], total=stage.total or None, text="")
        self._live = Live(get_renderable=self._render, console=Console(stderr=True), transient=True)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def advanced(self) -> None:
        self._last = self._clock()
        self._steps = {chain: step for chain, step in self._steps.items() if chain in self._stage.at_work}

    def stepped(self, chain: int | None) -> None:
        now = self._clock()
        if now - self._last >= SECONDS_BETWEEN_STEPS:
            self._last, self._steps = now, dict(self._stage.at_work)
            self._live.refresh()

    def _render(self) -> object:
        from rich.console import Group
        from rich.text import Text

        stage, steps = self._stage, self._steps
        left = "-:--:--" if stage.remaining is None else timedelta(seconds=round(stage.remaining))
        text = f"frames, {stage.rate:.1f}/s, {left}{_chains(stage)} {steps.get(None, '')}"
        self._bar.update(self._task, completed=stage.pictures, total=stage.total or None, text=text)
        chains = sorted(chain for chain in steps if chain is not None)
        rows = [f"  {_of_chain(chain)}{steps[chain]}" for chain in chains[:CHAINS_SHOWN]]
        rows += [f"  and {len(chains) - CHAINS_SHOWN} more chains"] if len(chains) > CHAINS_SHOWN else []
        return Group(self._bar.get_renderable(), *(Text(row, no_wrap=True, overflow="ellipsis") for row in rows))


def _chains(stage: Stage) -> str:
    return f", {stage.chains_done} of {stage.chains} chains" if stage.chains else ""


def _of_chain(chain: int | None) -> str:
    return "" if chain is None else f"chain {chain}: "
