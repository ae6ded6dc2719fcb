# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Work on several blocks at once: the native kernels run without Python's lock."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from .processors import processors

PROCESSORS = processors()
_limit = ContextVar("limit", default=PROCESSORS)
_helping = threading.local()  # set in the threads of the pool


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PROCESSORS, "gvc", lambda: setattr(_helping, "now", True))


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let this thread's calls of `each` use at most so many threads; 0: as many as there are processors."""
    token = _limit.set(threads or PROCESSORS)
    try:
        yield
    finally:
        _limit.reset(token)


def allowed() -> int:
    """Return how many threads this thread's work may use."""
    return _limit.get()


def inheriting(function: Callable) -> Callable:
    """Return a function that works for one call in another thread, within this thread's limit."""
    return functools.partial(copy_context().run, function)


def each(function: Callable, *columns: Iterable) -> list:
    """Return [function(*row), ...] for the rows of columns of one length, computed side by side.

    Where `function` calls `each` itself, its rows are computed one after another: all threads have work already.
    """
    rows = list(zip(*columns, strict=True))
    workers = min(len(rows), allowed())
    if workers < 2 or getattr(_helping, "now", False):
        return [function(*row) for row in rows]
    results = [None] * len(rows)

    def work(first: int) -> None:
        for i in range(first, len(rows), workers):
            results[i] = function(*rows[i])

    list(_pool().map(work, range(workers)))  # a list, so that errors are raised
    return results
