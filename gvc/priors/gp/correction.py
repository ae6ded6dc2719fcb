# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of the motion-compensated mean, sent for each unknown picture.

Interpolation assumes that things move between the two boundary pictures on a straight path at even speed, but objects
accelerate and cameras shake. So a stream may send, for each unknown picture, a field of (x, y, weight): displacement of
the interpolated picture in 1/64 luma sample, and additional weight of the last boundary in 1/256. The field is sent
from coarse to fine as changes in square cells, down to cells of 16x16 luma samples. A cell without a change takes the
value interpolated from the coarser cells. All arithmetic is in integers (gvc/native/corrections.cpp).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ..._native import decode_corrections
from ...entropy import RangeDecoder

BLOCK = 8  # side of a motion field's blocks in luma samples

Levels = Sequence[np.ndarray]  # changes in cells, the coarsest level first: int64 [rows, columns, 3] in steps


def blocks(height: int, width: int) -> tuple[int, int]:
    """Return (rows, columns) of the blocks of a luma plane."""
    return -(-height // BLOCK), -(-width // BLOCK)


def order(count: int, closed: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (picture, left neighbour, right neighbour) in the order of the stream.

    A picture's neighbours are the pictures before and after it whose fields precede it in the stream. Unknown pictures
    have the numbers 0..count-1; -1 and `count` are the boundary pictures.

    count: number of unknown pictures. closed: whether the picture after them is known.
    """
    if not closed and count:
        yield count - 1, -1, -1
    yield from _between(-1, count if closed else count - 1)


def _between(left: int, right: int) -> Iterator[tuple[int, int, int]]:
    middle = (left + right) // 2
    if left < middle < right:
        yield middle, left, right
        yield from _between(left, middle)
        yield from _between(middle, right)


class Fields:
    """The fields of a GOP's pictures that have been decoded so far, int16 [rows, columns, 3] each.

    height, width: size of the luma plane.
    count: number of unknown pictures.
    """

    def __init__(self, height: int, width: int, count: int):
        self._nothing = np.zeros((*blocks(height, width), 3), np.int16)
        self._count, self._known = count, {}

    def expected(self, picture: int, left: int, right: int) -> np.ndarray:
        """Predict the field of a picture, int32, by linear interpolation between those of its neighbours."""
        a, b = (self._known.get(neighbour, self._nothing).astype(np.int32) for neighbour in (left, right))
        span = max(right - left, 1)
        return (a * (right - picture) + b * (picture - left) + span // 2) // span if right > left else a

    def add(self, picture: int, field: np.ndarray) -> None:
        """Add the field of a picture; values are clipped to 16 bits."""
        self._known[picture] = within_16_bits(field)

    def in_order(self) -> list[np.ndarray]:
        """Return the fields of all pictures in order of time."""
        return [self._known[picture] for picture in range(self._count)]


def within_16_bits(field: np.ndarray) -> np.ndarray:
    """Return a field with values clipped to int16."""
    return np.clip(field, -(2**15), 2**15 - 1).astype(np.int16)


def read_corrections(decoder: RangeDecoder, height: int, width: int, count: int, *, closed: bool) -> list[np.ndarray]:
    """Read the corrections of `count` unknown pictures; return their fields in order of time. Raises BitstreamError.

    height, width: size of the luma plane.
    closed: whether the picture after the unknown ones is known.
    """
    fields, changes = Fields(height, width, count), decode_corrections(decoder, height, width, count)
    for step, change in zip(order(count, closed), changes, strict=True):
        fields.add(step[0], fields.expected(*step) + change)
    return fields.in_order()
