# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder: which corrections of motion are worth their bits.

Where each block of a picture would best be fetched from is searched without a thought of bits. There what an error
would cost is taken to be quadratic in the correction, so that what cells should say follows from sums over their
blocks: from coarse to fine each cell says what saves more squared error than its bits are worth. What comes of it is
checked against the picture.
"""

from dataclasses import dataclass

import numpy as np

from ..._native import block_model, motion_field
from ...machine.parallel import each
from ...pictures.motion import half_size
from . import correction
from .correction import BLOCK, STEPS, Corrections, Fields, Grid, Levels
from .mean import SMOOTHNESS, Moved, unknown_pictures

UNIT = np.array([1 / 64, 1 / 64, 1 / 256])  # of a field, in samples and of the weight
PASSES = 2
HALF_UNIT = 16  # of a field, in a step of motion between pictures of half the size
SILENT_BITS, USED_BITS, STEP_BITS = 0.1, 4.0, 1.5  # about: of a cell, and of each doubling of what it says
CURVE = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])  # where block_model gives the products of slopes
PARTS = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 1]])[:, None, None]  # of a change that are tried
LEAST_BITS = 12.0  # that a correction takes
STIFFNESS = 18.75  # of cells without texture


@dataclass(frozen=True)
class _Model:
    """The squared error of each block near a field: error - 2 slope.d + d.curve.d for a change of d, in steps.

    error: [R, C]. slope: [R, C, 3]. curve: [R, C, 3, 3].
    """

    error: np.ndarray
    slope: np.ndarray
    curve: np.ndarray

    def moved(self, change: np.ndarray) -> "_Model":
        """Return the model around another field, `change` steps [R, C, 3] away."""
        bent = np.einsum("rcij,rcj->rci", self.curve, change)
        error = self.error + (change * (bent - 2 * self.slope)).sum(2)
        return _Model(error, self.slope - bent, self.curve)

    def bounded(self, most: np.ndarray) -> "_Model":
        """Return the model, flatter where it predicts more than the error that there is, [R, C]."""
        share = np.minimum(1.0, most / np.maximum(self.error, 1.0))
        return _Model(self.error * share, self.slope * share[..., None], self.curve * share[..., None, None])

    def of_cells(self, size: int) -> "_Model":
        """Return the model of cells of size x size blocks."""
        return _Model(*(_sums(values, size) for values in (self.error, self.slope, self.curve)))

    def best(self) -> np.ndarray:
        """Return the change that leaves least, [R, C, 3]."""
        stiff = np.diag([STIFFNESS] * 3)
        return np.linalg.solve(self.curve + stiff, self.slope[..., None])[..., 0]

    def saved(self, change: np.ndarray) -> np.ndarray:
        """Return how much less is left with changes of each cell, [..., R, C] of [..., R, C, 3]."""
        return (change * (2 * self.slope - np.einsum("rcij,...rcj->...rci", self.curve, change))).sum(-1)


class CorrectionSearch:
    """Finds the corrections of a GOP's unknown pictures.

    moved: its mean without any. luma: of all pictures, uint8 [T, H, W]. price: squared error that a bit is worth.
    """

    def __init__(self, moved: Moved, luma: np.ndarray, price: float):
        self._moved, self._luma, self._price = moved, luma, price
        self._grid = Grid(*luma.shape[1:])

    def find(self) -> Corrections:
        """Return the corrections."""
        span = unknown_pictures(self._moved.condition)
        steps = list(correction.order(span.stop - span.start, self._moved.condition.last is not None))
        fields, found = Fields(self._grid, span.stop - span.start), {}
        for wave in _waves(steps):
            numbers = [span.start + picture for picture, _, _ in wave]
            results = each(self._search, numbers, [fields.expected(*step) for step in wave])
            for (picture, _, _), (levels, field) in zip(wave, results, strict=True):
                found[picture] = levels
                fields.add(picture, field)
        return Corrections([found[picture] for picture, _, _ in steps], fields.in_order())

    def _search(self, index: int, expected: np.ndarray) -> tuple[Levels, np.ndarray]:
        """Return (what cells should say, the field of a picture)."""
        levels = [np.zeros((*self._grid.shape(side), 3), np.int64) for side in self._grid.sides()]
        plain, model = self._model(index, expected)
        before, best, least = model.error, ([], expected), float(model.error.sum())
        if least < self._price * LEAST_BITS:
            return best
        around = expected + self._displacement(self._luma[index], plain)
        model = self._model(index, around)[1].moved((expected - around) / STEPS)
        for _ in range(PASSES):
            bits = self._choose(model.bounded(before), levels)
            field = expected + self._grid.field(levels)
            model = self._model(index, field)[1]
            cost = float(model.error.sum()) + self._price * bits
            if cost < least:
                kept = [level.copy() for level in levels]
                while kept and not kept[-1].any():
                    kept.pop()
                best, least = (kept, field), cost
        return best

    def _displacement(self, source: np.ndarray, made: np.ndarray) -> np.ndarray:
        """Return the field by which a picture lies beside its source, as far as pictures of half the size can tell."""
        rows, columns = self._grid.shape(BLOCK)
        vectors = motion_field(half_size(source), half_size(made), SMOOTHNESS[self._moved.version])
        vectors = HALF_UNIT * vectors.repeat(2, 0).repeat(2, 1)[:rows, :columns].astype(np.int64)
        return np.concatenate([vectors, np.zeros_like(vectors[..., :1])], 2)

    def _choose(self, model: _Model, levels: Levels) -> float:
        """Change what cells say for the better, from coarse to fine; return about its bits."""
        bits = 0.0
        for number, side in enumerate(self._grid.sides()):
            level, cells = levels[number], model.of_cells(side // BLOCK)
            wish = np.rint(cells.best()).astype(np.int64)
            changes = np.concatenate([np.zeros_like(level)[None], PARTS * wish, PARTS * -level])
            costs = self._price * _bits(level + changes) - cells.saved(changes)
            best = level + np.take_along_axis(changes, costs.argmin(0)[None, ..., None], 0)[0]
            best = np.clip(best, -correction.MOST, correction.MOST)
            if (best != level).any():
                alone = [np.zeros_like(coarser) for coarser in levels[:number]] + [best - level]
                model = model.moved(self._grid.field(alone) / STEPS)
                levels[number] = best
            if best.any():
                bits += float(_bits(best).sum())
        return bits

    def _model(self, index: int, field: np.ndarray) -> tuple[np.ndarray, _Model]:
        """Return (luma of a picture with a field, uint8 [H, W]; the model around that field)."""
        parts = self._moved.luma_parts(index, np.clip(field, -(2**15), 2**15 - 1).astype(np.int16))
        sums = block_model(self._luma[index], *parts)
        scale = STEPS * UNIT
        curve = sums[..., 4:][..., CURVE] * scale * scale[:, None]
        return parts[0], _Model(sums[..., 0], sums[..., 1:4] * scale, curve)


def _waves(steps: list[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Return the steps (picture, its neighbours) in groups that build on earlier ones only."""
    depths: dict[int, int] = {}
    for picture, *neighbours in steps:
        depths[picture] = 1 + max(depths.get(neighbour, 0) for neighbour in neighbours)
    count = max(depths.values(), default=0)
    return [[step for step in steps if depths[step[0]] == depth] for depth in range(1, count + 1)]


def _bits(level: np.ndarray) -> np.ndarray:
    """Return about the bits of each cell, [..., R, C] of [..., R, C, 3]."""
    said = STEP_BITS * np.log2((1.0 + np.abs(level)).prod(-1))
    return np.where(level.any(-1), USED_BITS + said, SILENT_BITS)


def _sums(values: np.ndarray, size: int) -> np.ndarray:
    """Return the sums over squares of size x size, [ceil(R / size), ceil(C / size), ...]."""
    for axis in (0, 1):
        values = np.add.reduceat(values, range(0, values.shape[axis], size), axis)
    return values
