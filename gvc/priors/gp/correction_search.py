# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder: search for the corrections of motion that are worth their bits.

First each block's best displacement is searched without regard to bits. Around it the squared error is modelled as a
quadratic function of the correction, so that the best change of a cell follows from sums over its blocks. From coarse
to fine, a cell is changed if this saves more squared error than its bits are worth. The result is checked against the
picture and used only if it is better.
"""

from dataclasses import dataclass

import numpy as np

from ..._native import block_model, motion_field
from ...machine.parallel import each
from ...pictures.motion import half_size
from . import correction
from .correction import BLOCK, STEPS, Corrections, Fields, Grid, Levels
from .mean import SMOOTHNESS, MotionMean, unknown_pictures

UNIT = np.array([1 / 64, 1 / 64, 1 / 256])  # units of a field's components: x and y in samples, and the weight
PASSES = 2
HALF_UNIT = 16  # units of a field in one step of a motion vector between pictures of half size
UNUSED_BITS, USED_BITS, STEP_BITS = 0.1, 4.0, 1.5  # estimated bits: unused cell, used cell, each doubling of a change
CURVE = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])  # index of each product of slopes in block_model's result
PARTS = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 1]])[:, None, None]  # tried subsets of a change: all, motion, weight
LEAST_BITS = 12.0  # smallest number of bits that any correction takes; a smaller possible gain ends the search
STIFFNESS = 18.75  # curvature added to each cell's model, so that cells without texture keep small changes


@dataclass(frozen=True)
class _Model:
    """The squared error of each block near a field: error - 2 slope.d + d.curve.d for a change of d steps."""

    error: np.ndarray  # [R, C]
    slope: np.ndarray  # [R, C, 3]
    curve: np.ndarray  # [R, C, 3, 3]

    def recentred(self, change: np.ndarray) -> "_Model":
        """Return the same model expressed around another field, which is `change` steps [R, C, 3] away."""
        bent = np.einsum("rcij,rcj->rci", self.curve, change)
        error = self.error + (change * (bent - 2 * self.slope)).sum(2)
        return _Model(error, self.slope - bent, self.curve)

    def bounded(self, most: np.ndarray) -> "_Model":
        """Return the model scaled down where it predicts a larger error than the measured one, `most` [R, C]."""
        share = np.minimum(1.0, most / np.maximum(self.error, 1.0))
        return _Model(self.error * share, self.slope * share[..., None], self.curve * share[..., None, None])

    def of_cells(self, size: int) -> "_Model":
        """Return the model of cells of size x size blocks."""
        return _Model(*(_sums(values, size) for values in (self.error, self.slope, self.curve)))

    def best(self) -> np.ndarray:
        """Return the change that leaves the smallest error, [R, C, 3]."""
        stiff = np.diag([STIFFNESS] * 3)
        return np.linalg.solve(self.curve + stiff, self.slope[..., None])[..., 0]

    def saved(self, change: np.ndarray) -> np.ndarray:
        """Return the squared error that changes [..., R, C, 3] save in each cell, [..., R, C]."""
        return (change * (2 * self.slope - np.einsum("rcij,...rcj->...rci", self.curve, change))).sum(-1)


class CorrectionSearch:
    """Finds the corrections of a GOP's unknown pictures.

    uncorrected: motion-compensated mean of the GOP without corrections.
    luma: luma of all pictures, uint8 [T, H, W].
    price: squared error that a bit is worth.
    """

    def __init__(self, uncorrected: MotionMean, luma: np.ndarray, price: float):
        self._uncorrected, self._luma, self._price = uncorrected, luma, price
        self._grid = Grid(*luma.shape[1:])

    def find(self) -> Corrections:
        """Return the corrections."""
        condition = self._uncorrected.condition
        span = unknown_pictures(condition)
        steps = list(correction.order(span.stop - span.start, condition.last is not None))
        fields, found = Fields(self._grid, span.stop - span.start), {}
        for wave in _waves(steps):
            numbers = [span.start + picture for picture, _, _ in wave]
            results = each(self._search, numbers, [fields.expected(*step) for step in wave])
            for (picture, _, _), (levels, field) in zip(wave, results, strict=True):
                found[picture] = levels
                fields.add(picture, field)
        return Corrections([found[picture] for picture, _, _ in steps], fields.in_order())

    def _search(self, index: int, expected: np.ndarray) -> tuple[Levels, np.ndarray]:
        """Return (changes in cells, resulting field) of a picture.

        index: number of the picture in the GOP. expected: its predicted field, without changes.
        """
        levels = [np.zeros((*self._grid.shape(side), 3), np.int64) for side in self._grid.sides()]
        plain, model = self._model(index, expected)
        before, best, least = model.error, ([], expected), float(model.error.sum())
        if least < self._price * LEAST_BITS:
            return best
        around = expected + self._displacement(self._luma[index], plain)
        model = self._model(index, around)[1].recentred((expected - around) / STEPS)
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
        """Return the displacement of a predicted picture from its source as a field, estimated at half size."""
        rows, columns = self._grid.shape(BLOCK)
        vectors = motion_field(half_size(source), half_size(made), SMOOTHNESS[self._uncorrected.version])
        vectors = HALF_UNIT * vectors.repeat(2, 0).repeat(2, 1)[:rows, :columns].astype(np.int64)
        return np.concatenate([vectors, np.zeros_like(vectors[..., :1])], 2)

    def _choose(self, model: _Model, levels: Levels) -> float:
        """Improve the changes in cells (`levels`, in place) from coarse to fine; return an estimate of their bits."""
        bits = 0.0
        for number, side in enumerate(self._grid.sides()):
            level, cells = levels[number], model.of_cells(side // BLOCK)
            optimum = np.rint(cells.best()).astype(np.int64)
            changes = np.concatenate([np.zeros_like(level)[None], PARTS * optimum, PARTS * -level])
            costs = self._price * _bits(level + changes) - cells.saved(changes)
            best = level + np.take_along_axis(changes, costs.argmin(0)[None, ..., None], 0)[0]
            best = np.clip(best, -correction.MAX_STEPS, correction.MAX_STEPS)
            if (best != level).any():
                alone = [np.zeros_like(coarser) for coarser in levels[:number]] + [best - level]
                model = model.recentred(self._grid.field(alone) / STEPS)
                levels[number] = best
            if best.any():
                bits += float(_bits(best).sum())
        return bits

    def _model(self, index: int, field: np.ndarray) -> tuple[np.ndarray, _Model]:
        """Return (luma of the picture predicted with a field, uint8 [H, W]; model of its error around that field)."""
        parts = self._uncorrected.luma_parts(index, np.clip(field, -(2**15), 2**15 - 1).astype(np.int16))
        sums = block_model(self._luma[index], *parts)
        scale = STEPS * UNIT
        curve = sums[..., 4:][..., CURVE] * scale * scale[:, None]
        return parts[0], _Model(sums[..., 0], sums[..., 1:4] * scale, curve)


def _waves(steps: list[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Group the steps (picture, neighbours) so that each group depends on earlier groups only and runs in parallel."""
    depths: dict[int, int] = {}
    for picture, *neighbours in steps:
        depths[picture] = 1 + max(depths.get(neighbour, 0) for neighbour in neighbours)
    count = max(depths.values(), default=0)
    return [[step for step in steps if depths[step[0]] == depth] for depth in range(1, count + 1)]


def _bits(level: np.ndarray) -> np.ndarray:
    """Estimate the bits of each cell's change: [..., R, C, 3] -> [..., R, C]."""
    steps = STEP_BITS * np.log2((1.0 + np.abs(level)).prod(-1))
    return np.where(level.any(-1), USED_BITS + steps, UNUSED_BITS)


def _sums(values: np.ndarray, size: int) -> np.ndarray:
    """Return the sums of [R, C, ...] over squares of size x size, [ceil(R / size), ceil(C / size), ...]."""
    for axis in (0, 1):
        values = np.add.reduceat(values, range(0, values.shape[axis], size), axis)
    return values
