# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Progress of a command on stderr: a bar on a terminal, plain lines otherwise.

Progress is counted in frames. A large model may take minutes for one GOP, whose frames come all at once; in the
meantime the steps of its loop are shown.
"""

import sys
from collections.abc import Callable
from threading import Lock
from typing import Self

SECONDS_BETWEEN_LINES = 5
SECONDS_BETWEEN_STEPS = 1  # Least time in seconds from the last change of the bar to a step

Clock = Callable[[], float]  # A function that returns a time in seconds, such as time.monotonic


class Lines:
    """Progress in plain lines with a pause between them, while a `with` block runs.

    verb: activity, such as "encoding".
    total: expected number of frames; 0 = unknown.
    clock: function that returns a time in seconds.
    """

    def __init__(self, verb: str, total: int, clock: Clock):
        self._verb, self._of_total = verb, f" of {total}" if total else ""
        self._clock, self._last, self._lock = clock, clock(), Lock()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, count: int) -> None:
        """Add `count` frames that are done."""
        with self._lock:
            self._count += count
            if count:
                self._print()

    def step(self, text: str) -> None:
        """Show the current step if nothing was shown for some time. Any thread may call this."""
        with self._lock:
            self._print(f", {text}")

    def _print(self, text: str = "") -> None:
        now = self._clock()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            print(f"{self._verb}: {self._count}{self._of_total} frames{text}", file=sys.stderr)


class Bar:
    """Progress as a bar, which disappears at the end of a `with` block.

    verb: activity, such as "encoding".
    total: expected number of frames; 0 = unknown.
    clock: function that returns a time in seconds.
    """

    def __init__(self, verb: str, total: int, clock: Clock):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(None, table_column=Column(min_width=4, max_width=40)),
            MofNCompleteColumn(),
            TextColumn("frames, {task.fields[rate]:.1f}/s,"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[step]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(verb, total=total or None, rate=0.0, step="")
        self._clock, self._started = clock, clock()
        self._last, self._count = self._started, 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, count: int) -> None:
        """Add `count` frames that are done."""
        if count:
            self._last = self._clock()
            self._count += count
            rate = self._count / max(self._last - self._started, 1e-3)
            self._bar.update(self._task, completed=self._count, rate=rate, step="")

    def step(self, text: str) -> None:
        """Show the current step if nothing was shown for some time. Any thread may call this."""
        now = self._clock()
        if now - self._last >= SECONDS_BETWEEN_STEPS:
            self._last = now
            self._bar.update(self._task, step=text, refresh=True)
