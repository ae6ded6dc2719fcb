# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A cache of arrays for later GOPs. Its memory is bounded, since streams determine the sizes of the arrays."""

from collections.abc import Callable
from functools import wraps
from threading import Lock

import numpy as np


def cached(max_bytes: int) -> Callable[[Callable[..., np.ndarray]], Callable[..., np.ndarray]]:
    """Return a decorator that caches the latest results of a function that returns arrays.

    Callers must not change the arrays.

    max_bytes: largest size of all cached arrays together, in bytes.
    """

    def decorate(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        results: dict[tuple, np.ndarray] = {}  # results by arguments, the least recently used first
        lock = Lock()

        @wraps(function)
        def call(*arguments: object) -> np.ndarray:
            with lock:
                result = results.pop(arguments, None)
            if result is None:
                result = function(*arguments)
            with lock:
                results[arguments] = result
                while sum(array.nbytes for array in results.values()) > max_bytes:
                    del results[next(iter(results))]
            return result

        return call

    return decorate
