# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Results that are kept for the next GOP, in bounded memory: their size is that of what a stream asks for."""

from collections.abc import Callable
from functools import wraps
from threading import Lock

import numpy as np


def keeping(most: int) -> Callable[[Callable[..., np.ndarray]], Callable[..., np.ndarray]]:
    """Let a function that returns arrays keep the latest ones, as far as they take no more than `most` bytes.

    The arrays are not to be written to.
    """

    def decorate(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        kept: dict[tuple, np.ndarray] = {}  # the latest used is the last one
        lock = Lock()

        @wraps(function)
        def call(*arguments: object) -> np.ndarray:
            with lock:
                result = kept.pop(arguments, None)
            if result is None:
                result = function(*arguments)
            with lock:
                kept[arguments] = result
                while sum(array.nbytes for array in kept.values()) > most:
                    del kept[next(iter(kept))]
            return result

        return call

    return decorate
