# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A memory for what metrics derive from the source alone; it serves all decoded files that are compared with it."""

from collections.abc import Callable, Hashable
from typing import TypeVar

Arrays = TypeVar("Arrays", bound=tuple)  # A tuple of NumPy's arrays or torch's tensors.


class SourceMemory:
    """Keeps features of one source's pictures until it is full, and nothing after that.

    Every measurement begins at the first picture. Features that replaced the oldest ones would be replaced themselves
    before a second measurement asks for them.

    Args:
        limit: number of bytes that may be kept. All networks together take 100 MB for a picture of 416x240. Default: 0.
    """

    def __init__(self, limit: int = 0):
        self._left = limit
        self._kept: dict[Hashable, tuple] = {}

    def of(self, key: Hashable, find: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a key (metric and number of the picture). `find` makes them if they are not kept."""
        if key in self._kept:
            return self._kept[key]
        found = find()
        size = sum(array.nbytes for array in found)
        if size <= self._left:
            self._left -= size
            self._kept[key] = found
        return found
