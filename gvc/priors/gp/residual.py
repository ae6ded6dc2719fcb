# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder: what a GOP's unknown pictures differ by from their mean, and its coefficients as far as they matter.

Most of the residual is in high frequencies that are not worth carrying. All bases are orthonormal, so the energy that
lower bands leave bounds the variance of each higher band, and a transform of the lowest frequencies often shows that no
other band can be worth carrying.
"""

from functools import partial

import numpy as np

from ..._native import residual_of, squared_error
from ...machine.lazy import lazy
from ...machine.parallel import each
from ...media import Clip
from . import basis
from .bands import BANDS, SPATIAL_BANDS, TEMPORAL_BANDS
from .layout import PLANE_WEIGHTS, Layout

FIRST_BAND = 3  # highest spatial band that is measured at first


class Residual:
    """The residual of a GOP in latent units, whose coefficients are computed from low to high frequencies.

    clip: source of all pictures, uint8 [T, H, W] for each plane.
    mean: mean of the unknown ones, uint8 [T', H, W] for each plane.
    """

    def __init__(self, layout: Layout, clip: Clip, mean: Clip):
        self.mean, self._clip = mean, clip
        self.planes = [_Plane(layout, i, clip[i][layout.span], mean[i]) for i in range(3)]

    def is_of(self, clip: Clip) -> bool:
        """Return whether this is the residual of a clip: the very same arrays."""
        return all(mine is other for mine, other in zip(self._clip, clip, strict=True))

    @lazy
    def error(self) -> float:
        """The squared error of the mean in latent units."""
        return sum(plane.error for plane in self.planes)


class _Plane:
    """The residual of one plane. source, made: unknown pictures and their mean, uint8 [T', H, W]."""

    def __init__(self, layout: Layout, number: int, source: np.ndarray, made: np.ndarray):
        self._layout, self._number, self.bands = layout, number, layout.planes[number]
        self._source, self._made = source, made
        self._energy = 0.0  # energy of all coefficients, once any are measured
        self._last, self._corner = -1, None  # highest measured spatial band, and the corner with all measured ones
        self._energies = np.zeros((TEMPORAL_BANDS, SPATIAL_BANDS))

    @property
    def error(self) -> float:
        """The squared error of the mean in latent units."""
        return PLANE_WEIGHTS[self._number] ** 2 * squared_error(self._source, self._made)

    def energies_above(self, variance: float) -> tuple[np.ndarray, float]:
        """Measure the bands whose variance is larger than the given one.

        Returns:
            (their energies, float64 [BANDS], with 0 for all other bands;
            the sum of the energies of all other bands).
        """
        counts = np.maximum(self.bands.counts(), 1).reshape(TEMPORAL_BANDS, SPATIAL_BANDS)
        last = FIRST_BAND
        while last > self._last:
            self._measure(last)
            possible = max(self._energy - self._energies.sum(), 0.0) / counts > variance
            last = max(np.flatnonzero(possible[np.unique(self.bands.temporal)].any(0)), default=0)
        energies = np.where(self._energies / counts > variance, self._energies, 0.0)
        return energies.reshape(BANDS), max(self._energy - float(energies.sum()), 0.0)

    def coefficients(self, last: int) -> np.ndarray:
        """Return the coefficients of the corner with the spatial bands 0..last, float32 [T', h, w]."""
        self._measure(last)
        height, width = self.bands.spatial(last).shape
        return self._corner[:, :height, :width]

    def _measure(self, last: int) -> None:
        """Compute the coefficients of the spatial bands 0..last."""
        if last <= self._last:
            return
        height, width = self.bands.spatial(last).shape
        activity = self._layout.activity(self._number)
        results = each(partial(self._transform, height, width, activity), self._source, self._made)
        pictures = np.array([corner for corner, _ in results], np.float32).reshape(len(results), height, width)
        self._energy = sum(energy for _, energy in results)
        self._corner, self._last = np.tensordot(self._layout.time, pictures, 1), last
        self._energies = self.bands.energies(self._corner, last).reshape(TEMPORAL_BANDS, SPATIAL_BANDS)

    def _transform(
        self, height: int, width: int, activity: np.ndarray | None, source: np.ndarray, made: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Return (corner of a picture's spatial coefficients, energy of all of them)."""
        residual = residual_of(source, made, activity, PLANE_WEIGHTS[self._number])
        return basis.corner(residual, height, width), float(np.vdot(residual, residual))
