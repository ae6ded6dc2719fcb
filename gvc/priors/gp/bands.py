# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Frequency bands of the coefficients of one plane, and the code for their variances.

A band is a pair (temporal band, spatial band); its coefficients share one variance. Variances are sent as *levels*.
Level 0 means that the band is not carried; level v = 1..63 means the variance 2^((v - 28) / 2) in latent units.
"""

from dataclasses import dataclass

import numpy as np

from ...entropy import DeltaModel, RangeDecoder, RangeEncoder
from ...errors import BitstreamError
from .array_cache import cached

# band edges in half cycles per picture; the first band is the mean over time
TEMPORAL_EDGES = np.array([1e-6, 0.06, 0.16, 0.4])
# band edges as radius in half cycles per sample
SPATIAL_EDGES = np.array([0.005, 0.015, 0.03, 0.06, 0.1, 0.16, 0.25, 0.4, 0.6])
TEMPORAL_BANDS, SPATIAL_BANDS = len(TEMPORAL_EDGES) + 1, len(SPATIAL_EDGES) + 1
BANDS = TEMPORAL_BANDS * SPATIAL_BANDS
NOT_CARRIED = 255  # band number of coefficients that are not carried
MAX_LEVEL, UNIT_LEVEL = 63, 28  # highest level, and the level of variance 1
FIRST_LEVEL = 40  # predicted level of a plane's first band in the first GOP of a chain


def level_variances() -> np.ndarray:
    """Return the variance of each level, float64 [MAX_LEVEL + 1].

    The values are products with exact powers of two, since a library's power function may differ between machines.
    """
    half = [1.0, 1.4142135623730951]
    return np.array(
        [0.0] + [half[(v - UNIT_LEVEL) % 2] * 2.0 ** ((v - UNIT_LEVEL) // 2) for v in range(1, MAX_LEVEL + 1)]
    )


def nearest_level(variance: np.ndarray) -> np.ndarray:
    """Return the level 1..MAX_LEVEL whose variance is nearest on a logarithmic scale (encoder only)."""
    return np.clip(np.round(2 * np.log2(np.maximum(variance, 1e-12))) + UNIT_LEVEL, 1, MAX_LEVEL).astype(np.int64)


@cached(2**24)
def _spatial_bands(height: int, width: int, last: int) -> np.ndarray:
    """Return the bands of the smallest low-frequency corner with all coefficients of the spatial bands 0..last.

    height, width: size of the plane.
    Returns uint8 [rows, columns]; callers must not change it.
    """
    rows2, columns2 = ((np.arange(size) / size) ** 2 for size in (height, width))
    if last < len(SPATIAL_EDGES):
        rows2, columns2 = (squares[squares < SPATIAL_EDGES[last] ** 2] for squares in (rows2, columns2))
    # Squared radii are compared, without a square root, so that bands have the same borders on every machine. Rows are
    # computed one at a time to save memory with large pictures.
    rows = [np.searchsorted(SPATIAL_EDGES**2, row2 + columns2, "right") for row2 in rows2]
    return np.array(rows, np.uint8)


@cached(2**20)
def _spatial_counts(height: int, width: int) -> np.ndarray:
    """Return the number of coefficients of each spatial band of a plane, int64 [SPATIAL_BANDS]."""
    rows2, columns2 = ((np.arange(size) / size) ** 2 for size in (height, width))
    below = sum(np.searchsorted(row2 + columns2, SPATIAL_EDGES**2) for row2 in rows2)
    return np.diff(below, prepend=0, append=height * width)


@dataclass(frozen=True)
class PlaneBands:
    """The layout of a plane's bands."""

    temporal: np.ndarray  # temporal band of each frequency, int64 [T]
    height: int
    width: int

    @classmethod
    def of(cls, frequencies: np.ndarray, height: int, width: int) -> "PlaneBands":
        """Return the layout for temporal `frequencies` [T] (half cycles per picture) and a plane of height x width."""
        return cls(np.searchsorted(TEMPORAL_EDGES, frequencies, "right"), height, width)

    def spatial(self, last: int) -> np.ndarray:
        """Return the bands, uint8 [h, w], of the smallest corner with all coefficients of the spatial bands 0..last."""
        return _spatial_bands(self.height, self.width, last)

    def counts(self) -> np.ndarray:
        """Return the number of coefficients of each band, int64 [BANDS]."""
        frequencies = np.bincount(self.temporal, minlength=TEMPORAL_BANDS)
        return np.outer(frequencies, _spatial_counts(self.height, self.width)).ravel()

    def energies(self, coefficients: np.ndarray, last: int) -> np.ndarray:
        """Return the sum of squares in each band, float64 [BANDS], with 0 for spatial bands above `last`.

        coefficients: those of the corner `spatial(last)`, float32 [T, h, w].
        """
        numbers, energy = self.spatial(last).ravel(), np.zeros((TEMPORAL_BANDS, SPATIAL_BANDS))
        for band, picture in zip(self.temporal, coefficients, strict=True):
            energy[band] += np.bincount(numbers, np.square(picture).ravel(), SPATIAL_BANDS)
        energy[:, last + 1 :] = 0.0
        return energy.ravel()

    @staticmethod
    def last(levels: np.ndarray) -> int:
        """Return the highest spatial band that is carried (level > 0); there must be one."""
        return int(np.flatnonzero(levels.reshape(TEMPORAL_BANDS, SPATIAL_BANDS).any(0))[-1])

    def carried(self, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which coefficients are carried (level > 0); there must be a band that is.

        Returns:
            (mask bool [T, h, w] of the corner `spatial(last(levels))`, which contains all of them,
            band numbers uint8 [count] of these coefficients in C order).
        """
        on = levels.reshape(TEMPORAL_BANDS, SPATIAL_BANDS) > 0
        corner = self.spatial(self.last(levels))
        mask = on[self.temporal[:, None, None], corner[None]]
        numbers = (self.temporal * SPATIAL_BANDS).astype(np.uint8)[:, None, None] + corner[None]
        return mask, numbers[mask]

    def slabs(self, levels: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        """Return the layout of carried coefficients (level > 0) in each temporal band that has any.

        Returns a list of:
            (number of the temporal band,
            number of its frequencies,
            spatial bands uint8 [h, w] at each of these frequencies, in a corner that contains all carried coefficients;
            NOT_CARRIED for the others).
        """
        result = []
        for band, frequencies in zip(*np.unique(self.temporal, return_counts=True), strict=True):
            on = levels.reshape(TEMPORAL_BANDS, SPATIAL_BANDS)[band] > 0
            if on.any():
                corner = self.spatial(int(np.flatnonzero(on)[-1]))
                result.append((int(band), int(frequencies), np.where(on[corner], corner, NOT_CARRIED).astype(np.uint8)))
        return result


def write_levels(encoder: RangeEncoder, levels: np.ndarray, previous: np.ndarray | None) -> None:
    """Write levels, int64 [planes, BANDS + 1], as differences from their predictions.

    previous: levels of the GOP before in the chain, or None.
    """
    model = DeltaModel()
    for plane in range(len(levels)):
        for band in range(BANDS + 1):
            model.write_delta(encoder, int(levels[plane, band]) - _predict(levels, previous, plane, band))


def read_levels(decoder: RangeDecoder, planes: int, previous: np.ndarray | None) -> np.ndarray:
    """Read levels as `write_levels` wrote them. Raises BitstreamError."""
    model, levels = DeltaModel(), np.zeros((planes, BANDS + 1), np.int64)
    for plane in range(planes):
        for band in range(BANDS + 1):
            level = _predict(levels, previous, plane, band) + model.read_delta(decoder)
            if not 0 <= level <= MAX_LEVEL:
                raise BitstreamError("level", 0, f"value {level} is outside 0..{MAX_LEVEL}")
            levels[plane, band] = level
    return levels


def _predict(levels: np.ndarray, previous: np.ndarray | None, plane: int, band: int) -> int:
    """Predict a level from the GOP before; without one, from the next lower spatial or temporal band."""
    if previous is not None:
        return int(previous[plane, band])
    if band % SPATIAL_BANDS:
        return int(levels[plane, band - 1])
    if band:
        return int(levels[plane, band - SPATIAL_BANDS])
    return FIRST_LEVEL
