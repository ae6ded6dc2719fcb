# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A stopwatch that divides time among stages, and tells how much of each was spent in networks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stage:
    """Time of one stage without the stages inside it."""

    calls: int = 0
    seconds: float = 0.0
    network_calls: int = 0
    network_seconds: float = 0.0


class Stopwatch:
    """Books every moment on the innermost stage that is running; for use from one thread.

    stages: names, in the order of `results`.
    synchronise: waits until the accelerator has done all that it was given, so that its work is booked where it was
    asked for.
    """

    def __init__(self, stages: tuple[str, ...], synchronise: Callable[[], None] = lambda: None):
        self._names, self._synchronise = stages, synchronise
        self._running: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Forget all that was booked."""
        self.results = {name: Stage() for name in self._names}
        self._since = time.perf_counter()

    def _book(self) -> None:
        """Book the time since the last booking on the stage that was running."""
        self._synchronise()
        now = time.perf_counter()
        if self._running:
            self.results[self._running[-1]].seconds += now - self._since
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Book what happens inside on a stage; the one around it is paused."""
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
        """Book what happens inside as network time of the running stage; outside of all stages it is not booked."""
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
