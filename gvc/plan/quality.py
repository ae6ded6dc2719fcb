# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The quality scale: a quality's noise level, down to which atoms are coded, and the quantiser of matching stills."""

from math import log2

from ..bitstream.levels import level_sigma, sigma_level

BEST_SIGMA_OCTAVES = 8.5  # octaves of sigma between quality 0 and quality 100
WORST_CRF = 63.0  # constant rate factor of quality 0
WORST_STILL, FINEST_STILL, STILL_SLOPE = 55.5, 10, 0.147  # quantiser at quality 0, finest one, change per noise level
COARSEST_SIGMA = 6.25  # noise-to-signal ratio at quality 0


def crf_quality(crf: float) -> float:
    """Return the quality, 0 (coarsest) to 100, for a constant rate factor of 63 to 0."""
    return 100 * (1 - crf / WORST_CRF)


def quality_level(quality: float) -> int:
    """Return the noise level (gvc.bitstream.levels) where coding stops, for a quality of 0 (coarsest) to 100."""
    return sigma_level(COARSEST_SIGMA * 2.0 ** (-quality / 100 * BEST_SIGMA_OCTAVES))


def level_quality(level: int) -> float:
    """Return the quality whose noise level is `level`, or the end of the scale that is nearer to it."""
    sigma = level_sigma(level) * (1 + 1e-9)  # `sigma_level` rounds down.
    return min(max(100 / BEST_SIGMA_OCTAVES * log2(COARSEST_SIGMA / sigma), 0.0), 100.0)


def still_quantiser(level: int) -> int:
    """Return the AV1 quantiser (crf) of boundary stills for a stop level, rounded, no coarser than at quality 0."""
    return round(min(_still_quantiser(level), WORST_STILL))


def bitrate_quantiser(level: int) -> float:
    """Return the quantiser rounded to a quarter (fine enough to meet a bitrate); may exceed that of quality 0."""
    return round(4 * _still_quantiser(level)) / 4


def _still_quantiser(level: int) -> float:
    """Return the exact quantiser, by a piecewise linear fit to measurements."""
    return max(FINEST_STILL, WORST_STILL - STILL_SLOPE * (quality_level(0) - level))
