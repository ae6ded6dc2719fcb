# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of a mean that follows motion: where each picture really lies, and which boundary it takes after.

The motion between two pictures says nothing about how the way between them was gone, and cameras shake. So a stream may
say of each unknown picture by how much to move what was interpolated, and by how much to weigh the last boundary more:
a field of (x, y, weight) in luma samples / 64 and in 1/256. It is sent from coarse to fine, cells of CELL samples at
last; a cell that says nothing has what its coarser neighbourhood says. All in integers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...entropy import AdaptiveModel, DeltaModel, RangeDecoder, RangeEncoder
from ...errors import BitstreamError

BLOCK = 8  # luma samples a side, of motion fields
CELL = 16  # luma samples a side, of the finest cells
STEPS = np.array([16, 16, 64])  # of what is sent: a quarter of a sample, of the weight
MOST = 4095  # steps of a cell
REACH, WEIGHT_REACH = 6, 3  # steps that have a symbol of their own
USED_ODDS = ((60, 3), (8, 4))  # of cells that say nothing and that do, first where the coarser cell says nothing

Levels = list[np.ndarray]  # what cells say, from the coarsest on: int64 [rows, columns, 3], steps


@dataclass(frozen=True)
class Corrections:
    """Corrections of a GOP's unknown pictures.

    said: what the cells of each say, in the order of the stream, empty levels at the end left out.
    fields: of each, in order of time, int16 [rows, columns, 3].
    """

    said: Sequence[Levels] = ()
    fields: Sequence[np.ndarray] = ()


@dataclass(frozen=True)
class Grid:
    """How a picture of height x width luma samples is divided."""

    height: int
    width: int

    def shape(self, side: int) -> tuple[int, int]:
        """Return (rows, columns) of squares of `side` samples."""
        return -(-self.height // side), -(-self.width // side)

    def sides(self) -> list[int]:
        """Return the sides of cells, from one that covers the picture down to CELL."""
        sides = [CELL]
        while sides[0] < max(self.height, self.width):
            sides.insert(0, 2 * sides[0])
        return sides

    def field(self, levels: Levels) -> np.ndarray:
        """Return what cells say of each block, int64 [rows, columns, 3]."""
        field = np.zeros((1, 1, 3), np.int64)
        for side, level in zip(self.sides(), levels, strict=False):
            field = self.finer(field, side) + STEPS * level
        for side in (*self.sides()[len(levels) :], BLOCK):
            field = self.finer(field, side)
        return field

    def finer(self, field: np.ndarray, side: int) -> np.ndarray:
        """Return a field of cells twice as large for those of `side` samples, between its values."""
        rows, columns = self.shape(side)
        if field.shape[:2] == (rows, columns):  # the coarsest
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
    """Return the field with both its edges twice (numpy.pad takes ten times as long)."""
    size = field.shape[axis]
    return field.take([0, *range(size), size - 1], axis)


def order(count: int, closed: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (picture, its neighbours that are known by then), in the order of the stream.

    count: unknown pictures. closed: the one behind them is known. Pictures -1 and `count` are boundaries.
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
    """The fields of the pictures of a GOP, as far as they are known: int16 [rows, columns, 3]."""

    def __init__(self, grid: Grid, count: int):
        self._nothing = np.zeros((*grid.shape(BLOCK), 3), np.int64)
        self._count, self._known = count, {}

    def expected(self, picture: int, left: int, right: int) -> np.ndarray:
        """Return the field of a picture, if nothing is sent: on the way between those of its neighbours."""
        a, b = (self._known.get(neighbour, self._nothing) for neighbour in (left, right))
        span = max(right - left, 1)
        return (a * (right - picture) + b * (picture - left) + span // 2) // span if right > left else a

    def add(self, picture: int, field: np.ndarray) -> None:
        """Add the field of a picture, int64 of any size."""
        self._known[picture] = np.clip(field, -(2**15), 2**15 - 1)

    def in_order(self) -> list[np.ndarray]:
        """Return all of them."""
        return [self._known[picture].astype(np.int16) for picture in range(self._count)]


class Models:
    """The adaptive models of a GOP's corrections."""

    def __init__(self, sides: list[int]):
        self._depth = AdaptiveModel(len(sides) + 1)
        self._used = [AdaptiveModel(2, odds) for odds in USED_ODDS]
        way = DeltaModel(REACH)
        self._steps = [way, way, DeltaModel(WEIGHT_REACH)]

    def write(self, encoder: RangeEncoder, levels: Levels) -> None:
        """Write what the cells of a picture say, empty levels at the end left out."""
        self._depth.write(encoder, len(levels))
        above = None
        for level in levels:
            used = level.any(2)
            for place in np.ndindex(used.shape):
                self._used[_context(above, place)].write(encoder, int(used[place]))
                if used[place]:
                    for model, value in zip(self._steps, level[place], strict=True):
                        model.write_delta(encoder, int(value))
            above = used

    def read(self, decoder: RangeDecoder, grid: Grid) -> Levels:
        """Read what `write` wrote. Raises BitstreamError."""
        levels, above = [], None
        for side in grid.sides()[: self._depth.read(decoder)]:
            level = np.zeros((*grid.shape(side), 3), np.int64)
            used = np.zeros(level.shape[:2], bool)
            for place in np.ndindex(used.shape):
                used[place] = self._used[_context(above, place)].read(decoder)
                if used[place]:
                    level[place] = [model.read_delta(decoder) for model in self._steps]
            if np.abs(level).max() > MOST:
                raise BitstreamError("correction of the mean", 0, f"a cell says more than {MOST} steps")
            levels.append(level)
            above = used
        return levels


def write_corrections(encoder: RangeEncoder, grid: Grid, said: Sequence[Levels]) -> None:
    """Write what the cells of each unknown picture say, in the order of the stream."""
    models = Models(grid.sides())
    for levels in said:
        models.write(encoder, levels)


def read_corrections(decoder: RangeDecoder, grid: Grid, count: int, closed: bool) -> Corrections:
    """Read the corrections of `count` unknown pictures. Raises BitstreamError."""
    models, fields, said = Models(grid.sides()), Fields(grid, count), []
    for picture, left, right in order(count, closed):
        said.append(models.read(decoder, grid))
        fields.add(picture, fields.expected(picture, left, right) + grid.field(said[-1]))
    return Corrections(said, fields.in_order())


def _context(above: np.ndarray | None, place: tuple[int, int]) -> int:
    """Return whether the coarser cell around a place says something; the coarsest of all are taken to."""
    return 1 if above is None else int(above[place[0] // 2, place[1] // 2])
