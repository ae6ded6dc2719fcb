# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder: the choice of a GOP's mean, the measurement of its residual, and its side information."""

from collections.abc import Sequence

import numpy as np

from ..._native import encode_corrections, squared_error
from ...bitstream.levels import sigma_level
from ...entropy import RangeEncoder
from ...loop.codebook import ATOM_OVERHEAD, bit_price
from ...machine.lazy import lazy
from ...media import Clip
from ...prior import Condition
from . import bands
from .correction import Levels
from .correction_search import CorrectionSearch
from .layout import PLANE_WEIGHTS, SAMPLE_SCALE, Layout
from .mean import FLAT, MOTION, Mean, MotionMean, choices
from .residual import Residual

CARRY_THRESHOLD = 1.1  # ratio of a band's variance to the water level from which the band is carried
LEVEL_BITS = 10  # number of bits that code the noise level of the water level
CORRECTION_PRICE = 0.5  # price of a bit of corrections, relative to a bit of atoms
FILL = bands.BANDS  # index of the level for the mean energy of bands that are not carried
FILL_UNIT = 64.0  # energy that variance 1 stands for in that level, so that energies fit the range of levels


class GpAnalysis:
    """The best mean of a GOP and the band energies of its residual, each computed when it is needed.

    clip: source of all pictures, uint8 [T, H, W] for each plane.
    version: version of gp.
    moving: mean with motion; default None, the one without corrections.
    cells: changes in cells that make its corrections, for each unknown picture in the order of the stream; default
        none.
    """

    def __init__(
        self,
        condition: Condition,
        clip: Clip,
        version: int,
        moving: Mean | None = None,
        cells: Sequence[Levels] = (),
    ):
        self._condition, self._clip, self._version = condition, clip, version
        self._layout, self._cells = Layout.of(condition), cells
        self._moving = moving or Mean(condition, version, MOTION)

    @lazy
    def _best(self) -> tuple[Mean, Residual]:
        """The mean and its residual."""
        means = [self._mean(choice) for choice in choices(self._condition, self._version)]
        pairs = [(mean, Residual(self._layout, self._clip, mean.planes)) for mean in means]
        return min(pairs, key=lambda pair: pair[1].error)

    def _mean(self, choice: int) -> Mean:
        if choice == MOTION:
            return self._moving
        colour = tuple(int(plane.mean() + 0.5) for plane in self._clip) if choice == FLAT else (0, 0, 0)
        return Mean(self._condition, self._version, choice, colour)

    def refined(self, sigma: float) -> "GpAnalysis":
        """Return the analysis with the corrections of motion that are worth their bits for coding down to sigma."""
        if MOTION not in choices(self._condition, self._version):
            return self
        price = CORRECTION_PRICE * bit_price(sigma, SAMPLE_SCALE)
        found = CorrectionSearch(MotionMean(self._condition, self._version), self._clip[0], price).find()
        moving = Mean(self._condition, self._version, MOTION, fields=found.fields, luma=found.luma)
        return GpAnalysis(self._condition, self._clip, self._version, moving, found.cells)

    @lazy
    def _known_error(self) -> float:
        """The weighted squared error of the decoded boundary pictures, in squared luma samples."""
        total = 0.0
        for index, known in ((0, self._condition.first), (-1, self._condition.last)):
            if known is not None:
                for source, decoded, weight in zip(self._clip, known, PLANE_WEIGHTS, strict=True):
                    total += (weight * SAMPLE_SCALE) ** 2 * squared_error(source[index], decoded)
        return total

    def _carried(self, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is carried in coding down to sigma, for each plane.

        Returns:
            (variance of each carried band, float64 [3, BANDS], 0 for those that are not carried;
            number of coefficients of each band, int64 [3, BANDS];
            energy of all bands that are not carried, float64 [3]).
        """
        planes = self._best[1].planes
        energies, left = zip(*(plane.energies_above(CARRY_THRESHOLD * sigma * sigma) for plane in planes), strict=True)
        counts = np.array([plane.bands.counts() for plane in planes])
        return np.array(energies) / np.maximum(counts, 1), counts, np.array(left)

    def _levels(self, sigma: float) -> np.ndarray:
        """Return the levels of all bands and of the fill, int64 [3, BANDS + 1]."""
        variances, _, left = self._carried(sigma)
        levels = np.zeros((3, bands.BANDS + 1), np.int64)
        levels[:, : bands.BANDS] = np.where(variances > 0, bands.nearest_level(variances), 0)
        fill = left / np.maximum((variances == 0).sum(1), 1)
        levels[:, FILL] = np.where(fill > 0, bands.nearest_level(fill / FILL_UNIT), 0)
        return levels

    def describe(self, sigma: float) -> bytes:
        """Return the side information: kind of mean, water level, colour (FLAT) or corrections (MOTION), and levels."""
        encoder, (mean, residual) = RangeEncoder(), self._best
        encoder.encode_bits(mean.choice, 2)
        encoder.encode_bits(sigma_level(sigma), LEVEL_BITS)
        if mean.choice == FLAT:
            for value in mean.colour:
                encoder.encode_bits(value, 8)
        if mean.choice == MOTION:
            cells = self._cells or [[]] * self._layout.size
            encode_corrections(encoder, *self._condition.format.plane_shapes[0], cells)
        bands.write_levels(encoder, self._levels(sigma), self._condition.memory)
        self._condition.leave(Residual, (mean.key(), residual))
        return encoder.finish()

    def rate_distortion(self, sigma: float) -> tuple[float, float]:
        """Predict (bits of the atoms, squared error in weighted sample units) by reverse water-filling."""
        variances, counts, left = self._carried(sigma)
        gain = np.where(variances > 0, variances / sigma**2, 1.0)
        bits = ATOM_OVERHEAD * float((counts * 0.5 * np.log2(gain)).sum())
        error = (float(counts[variances > 0].sum()) * sigma**2 + float(left.sum())) * SAMPLE_SCALE**2
        return bits, error + self._known_error
