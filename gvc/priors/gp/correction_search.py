# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder: search for the corrections of motion that are worth their bits.

First each block's best displacement is searched without regard to bits. Around it the squared error is modelled as a
quadratic function of the correction, so that the best change of a cell follows from sums over its blocks. From coarse
to fine, a cell is changed if this saves more squared error than its bits are worth
(gvc/native/correction_search.cpp). The result is checked against the picture and used only if it is better.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..._native import block_model, choose_corrections, correction_field, motion_field, recentred, squared_error
from ...machine.parallel import each
from ...pictures.motion import half_size
from . import correction
from .correction import Fields, Levels, within_16_bits
from .mean import SMOOTHNESS, MotionMean, unknown_pictures

STEP = 0.25  # coded step in samples, and in weight
SCALE = np.array([1.0] + 3 * [STEP] + 6 * [STEP**2])  # factors that turn the sums of block_model into coded steps
HALF_UNIT = 16  # units of a field in one step of a motion vector between pictures of half size
LEAST_BITS = 12.0  # smallest number of bits that any correction takes; a smaller possible gain ends the search


class Corrected(NamedTuple):
    """The corrections of one picture."""

    cells: Levels  # changes in cells
    field: np.ndarray  # resulting field, int32 [rows, columns, 3]
    luma: np.ndarray  # luma of the mean with them, uint8 [H, W]


@dataclass(frozen=True)
class Corrections:
    """Corrections of a GOP's unknown pictures."""

    cells: list[Levels]  # changes in cells of each picture in the order of the stream
    fields: list[np.ndarray]  # field of each picture in order of time, int16 [rows, columns, 3]
    luma: np.ndarray  # luma of the corrected mean, uint8 [T', H, W]


class CorrectionSearch:
    """Finds the corrections of a GOP's unknown pictures.

    uncorrected: motion-compensated mean of the GOP without corrections.
    luma: luma of all pictures, uint8 [T, H, W].
    price: squared error that a bit is worth.
    """

    def __init__(self, uncorrected: MotionMean, luma: np.ndarray, price: float):
        self._uncorrected, self._luma, self._price = uncorrected, luma, price
        self._size = luma.shape[1:]

    def find(self) -> Corrections:
        """Return the corrections."""
        condition = self._uncorrected.condition
        span = unknown_pictures(condition)
        count = max(span.stop - span.start, 0)
        steps = list(correction.order(count, condition.last is not None))
        fields, found = Fields(*self._size, count), {}
        for wave in _waves(steps):
            numbers = [span.start + picture for picture, _, _ in wave]
            results = each(self._search, numbers, [fields.expected(*step) for step in wave])
            for (picture, _, _), result in zip(wave, results, strict=True):
                found[picture] = result
                fields.add(picture, result.field)
        luma = np.array([found[picture].luma for picture in range(count)], np.uint8).reshape(count, *self._size)
        return Corrections([found[picture].cells for picture, _, _ in steps], fields.in_order(), luma)

    def _search(self, index: int, expected: np.ndarray) -> Corrected:
        """Return the corrections of a picture.

        index: number of the picture in the GOP. expected: its predicted field, without changes.
        """
        luma, model = self._model(index, expected)
        best, before, least = Corrected([], expected, luma), model[..., 0].copy(), float(model[..., 0].sum())
        if least < self._price * LEAST_BITS:
            return best
        around = expected + self._displacement(self._luma[index], luma)
        target, levels = recentred(self._model(index, around)[1], expected - around), []
        for last in (False, True):
            chosen, bits = choose_corrections(*self._size, target, before, self._price, levels)
            if not _equal(chosen, levels):
                field = expected + correction_field(*self._size, chosen)
                if last:
                    luma = self._uncorrected.luma(index, within_16_bits(field))
                else:
                    luma, model = self._model(index, field)
                cost = squared_error(self._luma[index], luma) + self._price * bits
                if cost < least:
                    best, least = Corrected(chosen, field, luma), cost
            target, levels = model, chosen
        return best

    def _displacement(self, source: np.ndarray, made: np.ndarray) -> np.ndarray:
        """Return the displacement of a predicted picture from its source as a field, estimated at half size."""
        rows, columns = correction.blocks(*self._size)
        vectors = motion_field(half_size(source), half_size(made), SMOOTHNESS[self._uncorrected.version])
        field = np.zeros((rows, columns, 3), np.int32)
        field[..., :2] = HALF_UNIT * vectors.astype(np.int32).repeat(2, 0).repeat(2, 1)[:rows, :columns]
        return field

    def _model(self, index: int, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (luma of the picture predicted with a field, uint8 [H, W]; model of its error around that field).

        The model is that of `block_model`, in coded steps.
        """
        parts = self._uncorrected.luma_parts(index, within_16_bits(field))
        return parts[0], block_model(self._luma[index], *parts) * SCALE


def _waves(steps: list[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Group the steps (picture, neighbours) so that each group depends on earlier groups only and runs in parallel."""
    depths: dict[int, int] = {}
    for picture, *neighbours in steps:
        depths[picture] = 1 + max(depths.get(neighbour, 0) for neighbour in neighbours)
    count = max(depths.values(), default=0)
    return [[step for step in steps if depths[step[0]] == depth] for depth in range(1, count + 1)]


def _equal(a: Levels, b: Levels) -> bool:
    return len(a) == len(b) and all(map(np.array_equal, a, b))
