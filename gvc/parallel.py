"""Work on several blocks at once: the native kernels run without Python's lock."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

PROCESSORS = len(os.sched_getaffinity(0))
_limit = ContextVar("limit", default=PROCESSORS)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PROCESSORS, "gvc")


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


def each(function: Callable, *columns: Iterable) -> list:
    """Return [function(*row), ...] for the rows of columns of one length, computed side by side.

    `function` must not call `each` itself.
    """
    rows = list(zip(*columns, strict=True))
    workers = min(len(rows), allowed())
    if workers < 2:
        return [function(*row) for row in rows]
    results = [None] * len(rows)

    def work(first: int) -> None:
        for i in range(first, len(rows), workers):
            results[i] = function(*rows[i])

    list(_pool().map(work, range(workers)))  # a list, so that errors are raised
    return results
