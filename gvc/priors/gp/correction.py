# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of the motion-compensated mean, sent for each unknown picture.

Interpolation assumes that things move between the two boundary pictures on a straight path at even speed, but objects
accelerate and cameras shake. So a stream may send, for each unknown picture, a field of (x, y, weight): displacement of
the interpolated picture in 1/64 luma sample, and additional weight of the last boundary in 1/256. The field is sent
from coarse to fine as changes in square cells, down to cells of CELL samples. A cell without a change takes the value
interpolated from the coarser cells. All arithmetic is in integers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...entropy import AdaptiveModel, DeltaModel, RangeDecoder, RangeEncoder
from ...errors import BitstreamError

BLOCK = 8  # side of a motion field's blocks in luma samples
CELL = 16  # side of the finest cells in luma samples
STEPS = np.array([16, 16, 64])  # size of a coded step in units of the field: a quarter of a sample, a quarter of weight
MAX_STEPS = 4095  # largest change of a cell in steps
REACH, WEIGHT_REACH = 6, 3  # largest changes of position and of weight with a symbol of their own (DeltaModel)
# Initial odds of an unused (zero) and a used cell: inside a coarser cell that is unused, and inside a used one.
USED_ODDS = ((60, 3), (8, 4))

Levels = list[np.ndarray]  # changes in cells, the coarsest level first: int64 [rows, columns, 3] in steps


@dataclass(frozen=True)
class Corrections:
    """Corrections of a GOP's unknown pictures."""

    cells: Sequence[Levels] = ()  # changes in cells of each picture in stream order, without empty levels at the end
    fields: Sequence[np.ndarray] = ()  # field of each picture in order of time, int16 [rows, columns, 3]


@dataclass(frozen=True)
class Grid:
    """The division of a picture into squares; height and width are in luma samples."""

    height: int
    width: int

    def shape(self, side: int) -> tuple[int, int]:
        """Return (rows, columns) of the squares with a side of `side` samples."""
        return -(-self.height // side), -(-self.width // side)

    def sides(self) -> list[int]:
        """Return the side of the cells of each level, from a single cell that covers the picture down to CELL."""
        sides = [CELL]
        while sides[0] < max(self.height, self.width):
            sides.insert(0, 2 * sides[0])
        return sides

    def field(self, levels: Levels) -> np.ndarray:
        """Return the sum of the changes in cells as a field of blocks of BLOCK samples, int64 [rows, columns, 3]."""
        field = np.zeros((1, 1, 3), np.int64)
        for side, level in zip(self.sides(), levels, strict=False):
            field = self.finer(field, side) + STEPS * level
        for side in (*self.sides()[len(levels) :], BLOCK):
            field = self.finer(field, side)
        return field

    def finer(self, field: np.ndarray, side: int) -> np.ndarray:
        """Interpolate the field of the next coarser cells to cells with a side of `side` samples."""
        rows, columns = self.shape(side)
        if field.shape[:2] == (rows, columns):  # The coarsest level has nothing to be interpolated from.
            return field
        padded = _edged(_edged(field, 0), 1)
        down = 3 * padded[1:-1].repeat(2, 0)
        down[::2] += padded[:-2]
        down[1::2] += padded[2:]
        fine = 3 * down[:, 1:-1].repeat(2, 1)
        fine[:, ::2] += down[:, :-2]
        fine[:, 1::2] += down[:, 2:]
        return ((fine + 8) >> 4)[:rows, :columns]


def _edged(field: np.ndarray, axis: int) -> np.ndarray:
    """Return the field with both edges repeated along an axis (ten times as fast as numpy.pad)."""
    size = field.shape[axis]
    return field.take([0, *range(size), size - 1], axis)


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
    """The fields of a GOP's pictures that have been decoded so far, [rows, columns, 3] each."""

    def __init__(self, grid: Grid, count: int):
        self._nothing = np.zeros((*grid.shape(BLOCK), 3), np.int64)
        self._count, self._known = count, {}

    def expected(self, picture: int, left: int, right: int) -> np.ndarray:
        """Predict the field of a picture by linear interpolation between those of its neighbours."""
        a, b = (self._known.get(neighbour, self._nothing) for neighbour in (left, right))
        span = max(right - left, 1)
        return (a * (right - picture) + b * (picture - left) + span // 2) // span if right > left else a

    def add(self, picture: int, field: np.ndarray) -> None:
        """Add the field of a picture, int64; values are clipped to 16 bits."""
        self._known[picture] = np.clip(field, -(2**15), 2**15 - 1)

    def in_order(self) -> list[np.ndarray]:
        """Return the fields of all pictures in order of time, int16 [rows, columns, 3] each."""
        return [self._known[picture].astype(np.int16) for picture in range(self._count)]


class Models:
    """The adaptive models of a GOP's corrections."""

    def __init__(self, sides: list[int]):
        self._depth = AdaptiveModel(len(sides) + 1)
        self._used = [AdaptiveModel(2, odds) for odds in USED_ODDS]
        way = DeltaModel(REACH)
        self._steps = [way, way, DeltaModel(WEIGHT_REACH)]

    def write(self, encoder: RangeEncoder, levels: Levels) -> None:
        """Write the changes in a picture's cells; the caller leaves out empty levels at the end."""
        self._depth.write(encoder, len(levels))
        above = None
        for level in levels:
            used = level.any(2)
            for cell in np.ndindex(used.shape):
                self._used[_context(above, cell)].write(encoder, int(used[cell]))
                if used[cell]:
                    for model, value in zip(self._steps, level[cell], strict=True):
                        model.write_delta(encoder, int(value))
            above = used

    def read(self, decoder: RangeDecoder, grid: Grid) -> Levels:
        """Read what `write` wrote. Raises BitstreamError."""
        levels, above = [], None
        for side in grid.sides()[: self._depth.read(decoder)]:
            level = np.zeros((*grid.shape(side), 3), np.int64)
            used = np.zeros(level.shape[:2], bool)
            for cell in np.ndindex(used.shape):
                used[cell] = self._used[_context(above, cell)].read(decoder)
                if used[cell]:
                    level[cell] = [model.read_delta(decoder) for model in self._steps]
            if np.abs(level).max() > MAX_STEPS:
                raise BitstreamError("step", 0, f"a cell has a change of more than {MAX_STEPS} steps")
            levels.append(level)
            above = used
        return levels


def write_corrections(encoder: RangeEncoder, grid: Grid, cells: Sequence[Levels]) -> None:
    """Write the changes in the cells of each unknown picture, in the order of the stream."""
    models = Models(grid.sides())
    for levels in cells:
        models.write(encoder, levels)


def read_corrections(decoder: RangeDecoder, grid: Grid, count: int, closed: bool) -> Corrections:
    """Read the corrections of `count` unknown pictures. Raises BitstreamError."""
    models, fields, cells = Models(grid.sides()), Fields(grid, count), []
    for picture, left, right in order(count, closed):
        cells.append(models.read(decoder, grid))
        fields.add(picture, fields.expected(picture, left, right) + grid.field(cells[-1]))
    return Corrections(cells, fields.in_order())


def _context(above: np.ndarray | None, cell: tuple[int, int]) -> int:
    """Return the index into USED_ODDS: whether the coarser cell around a cell is used (1 on the coarsest level)."""
    return 1 if above is None else int(above[cell[0] // 2, cell[1] // 2])
