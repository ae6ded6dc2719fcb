"""Work on several blocks at once: the native kernels run without Python's lock."""

import functools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), "gvc")


def each(function: Callable, *columns: Iterable) -> list:
    """Return [function(*row), ...] for the rows of columns of one length, computed on all processors.

    `function` must not call `each` itself.
    """
    rows = list(zip(*columns, strict=True))
    if len(rows) < 2:
        return [function(*row) for row in rows]
    return list(_pool().map(lambda row: function(*row), rows))
