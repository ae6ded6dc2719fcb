# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Noise levels. Exact in IEEE double arithmetic (no library function), so both sides have the same bits.

A *level* L is an integer that names the noise-to-signal ratio sigma = t / (1 - t) on a piecewise-linear logarithmic
scale with 32 levels an octave: sigma = (1 + (L mod 32) / 32) * 2^(L div 32 - 12).
"""

from bisect import bisect_right

LEVELS_PER_OCTAVE = 32
MAX_LEVEL = 24 * LEVELS_PER_OCTAVE - 1  # sigma just below 4096


def level_sigma(level: int) -> float:
    """Return sigma = t / (1 - t) of a level in 0..MAX_LEVEL."""
    octave, fraction = divmod(level, LEVELS_PER_OCTAVE)
    return (LEVELS_PER_OCTAVE + fraction) / LEVELS_PER_OCTAVE * 2.0 ** (octave - 12)


def sigma_level(sigma: float) -> int:
    """Return the level that is nearest to `sigma` from below, clamped to 0..MAX_LEVEL."""
    return max(0, bisect_right(range(MAX_LEVEL + 1), sigma, key=level_sigma) - 1)


def level_time(level: int) -> float:
    """Return t = sigma / (1 + sigma) in (0, 1)."""
    sigma = level_sigma(level)
    return sigma / (1.0 + sigma)


def matched_levels(start: int, stop: int, stride: int) -> list[int]:
    """Return the levels after each step: start, start - stride, ..., stop (which may come early)."""
    return [*range(start, stop, -stride), stop]


def shifted_times(steps: int, shift: float) -> list[float]:
    """Return the paper's grid t_0 = 1 .. t_steps = 0: t = s*l / (1 + (s-1)*l), l linear (arXiv 2603.26571)."""
    linear = [1.0 - i / steps for i in range(steps + 1)]
    return [shift * v / (1.0 + (shift - 1.0) * v) for v in linear]
