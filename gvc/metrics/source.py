# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What metrics find in the source alone, for all decoded files that are compared with it."""

from collections.abc import Callable, Hashable
from typing import TypeVar

Arrays = TypeVar("Arrays", bound=tuple)  # of NumPy's arrays or tensors


class SourceMemory:
    """Keeps features of one source's pictures as long as they fit; a video is looked at from its first picture on, so
    that throwing out the oldest ones would leave none that is asked for again.

    Args:
        limit: bytes. A picture of 416x240 takes 100 MB for all networks; 0 keeps nothing.
    """

    def __init__(self, limit: int = 0):
        self._left = limit
        self._kept: dict[Hashable, tuple] = {}

    def of(self, key: Hashable, find: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under the key (metric and number of the picture), or find it."""
        if key in self._kept:
            return self._kept[key]
        found = find()
        size = sum(array.nbytes for array in found)
        if size <= self._left:
            self._left -= size
            self._kept[key] = found
        return found
