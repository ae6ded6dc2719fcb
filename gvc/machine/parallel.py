# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Parallel work in threads. It gains time because the native kernels release Python's global interpreter lock.

There are two levels. An encoder or decoder submits whole GOPs to its team. Inside of a GOP, `each` divides work among
the threads of the same team that have nothing to do, so one GOP alone keeps all of them busy, and many GOPs at a time
do not get in each other's way.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from .processors import processors

PROCESSORS = processors()


class Team:
    """Threads that work for one encoder or decoder.

    threads: largest number of threads; 0 (the default) = the number of processors.

    Attributes:
        size: number of threads.
    """

    def __init__(self, threads: int = 0):
        self.size = min(threads or PROCESSORS, PROCESSORS)
        self._pool = ThreadPoolExecutor(self.size, "gvc") if self.size > 1 else None

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Let this team do the parallel work that this thread starts inside the block."""
        token = _team.set(self)
        try:
            yield
        finally:
            _team.reset(token)

    def submit(self, function: Callable, *args: object) -> Future:
        """Call a function in a thread of the team, with the context variables of this thread.

        A team of one has no threads of its own, so the call is made at once.
        """
        if self._pool:
            return self._pool.submit(inheriting(function), *args)
        future = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def dismiss(self, wait: bool = False) -> None:
        """End the threads after their current work, and cancel all other work.

        wait: whether to return only when the threads have ended. Default: at once.
        """
        if self._pool:
            self._pool.shutdown(wait=wait, cancel_futures=True)


@functools.cache
def _everyone() -> Team:
    """Return the team of threads that have no team."""
    return Team()


_team: ContextVar[Team | None] = ContextVar("team", default=None)


def team() -> Team:
    """Return the team that does the parallel work of this thread."""
    return _team.get() or _everyone()


def allowed() -> int:
    """Return the largest number of threads that work started by this thread may use."""
    return team().size


def inheriting(function: Callable) -> Callable:
    """Return `function` bound to this thread's team, for a single call in another thread."""
    return functools.partial(copy_context().run, function)


def each(function: Callable, *columns: Iterable) -> list:
    """Return [function(*row), ...], computed in parallel; row i holds the i-th items of all columns.

    columns: iterables of equal length.
    This thread works too, and never waits for others of its team to become free, so calls may be nested. If a row
    raises an error, rows that were not begun are left out.
    """
    rows, helpers = list(zip(*columns, strict=True)), team()
    if len(rows) < 2 or helpers.size < 2:
        return [function(*row) for row in rows]
    results, numbers = [None] * len(rows), iter(range(len(rows)))

    def work() -> None:
        try:
            for i in numbers:  # Each thread takes the next number, since an iterator over a range is atomic.
                results[i] = function(*rows[i])
        except BaseException:
            for _ in numbers:
                pass
            raise

    futures = [helpers.submit(work) for _ in range(min(len(rows), helpers.size) - 1)]
    try:
        work()
    finally:
        begun = [future for future in futures if not future.cancel()]
        errors = [future.exception() for future in begun]  # This waits for their end.
    for error in filter(None, errors):
        raise error
    return results
