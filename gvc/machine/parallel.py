# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Parallel work in threads. It gains time because the native kernels release Python's global interpreter lock."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from .processors import processors

PROCESSORS = processors()
_limit = ContextVar("limit", default=PROCESSORS)
_helping = threading.local()  # Has the attribute `now` in the threads of the pool only.


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PROCESSORS, "gvc", lambda: setattr(_helping, "now", True))


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Limit the threads that this thread's calls of `each` use, for the length of the block.

    threads: the largest number of threads; 0 = the number of processors.
    """
    token = _limit.set(threads or PROCESSORS)
    try:
        yield
    finally:
        _limit.reset(token)


def allowed() -> int:
    """Return the largest number of threads that work started by this thread may use."""
    return _limit.get()


def inheriting(function: Callable) -> Callable:
    """Return `function` bound to this thread's limit, for a single call in another thread."""
    return functools.partial(copy_context().run, function)


def each(function: Callable, *columns: Iterable) -> list:
    """Return [function(*row), ...], computed in parallel; row i holds the i-th items of all columns.

    columns: iterables of equal length.
    If `function` itself calls `each`, that inner call runs serially, since all threads have work already.
    """
    rows = list(zip(*columns, strict=True))
    workers = min(len(rows), allowed())
    if workers < 2 or getattr(_helping, "now", False):
        return [function(*row) for row in rows]
    results = [None] * len(rows)

    def work(first: int) -> None:
        for i in range(first, len(rows), workers):
            results[i] = function(*rows[i])

    list(_pool().map(work, range(workers)))  # Reading all results raises the errors of the threads here.
    return results
