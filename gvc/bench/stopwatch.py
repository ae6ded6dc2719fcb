# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A stopwatch that divides time among stages, and measures the time in networks within each stage."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stage:
    """The time of one stage, without that of nested stages."""

    calls: int = 0
    seconds: float = 0.0
    network_calls: int = 0
    network_seconds: float = 0.0


class Stopwatch:
    """Adds elapsed time to the innermost running stage; for use from a single thread.

    stages: names of the stages, in the order of `results`.
    synchronise: function that waits until an accelerator is idle, so that its work counts for the stage that started
        it; default none.
    """

    def __init__(self, stages: tuple[str, ...], synchronise: Callable[[], None] = lambda: None):
        self._names, self._synchronise = stages, synchronise
        self._running: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Set all times and counts to zero."""
        self.results = {name: Stage() for name in self._names}
        self._since = time.perf_counter()

    def _book(self) -> None:
        """Add the time since the last call to the running stage."""
        self._synchronise()
        now = time.perf_counter()
        if self._running:
            self.results[self._running[-1]].seconds += now - self._since
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as a stage; an outer stage is paused meanwhile."""
        self._book()
        self._running.append(name)
        self.results[name].calls += 1
        try:
            yield
        finally:
            self._book()
            self._running.pop()

    @contextmanager
    def network(self) -> Iterator[None]:
        """Count the block as network time of the running stage; outside of all stages it is not counted."""
        self._book()
        if not self._running:
            yield
            return
        stage = self.results[self._running[-1]]
        before = stage.seconds
        try:
            yield
        finally:
            self._book()
            stage.network_calls += 1
            stage.network_seconds += stage.seconds - before
