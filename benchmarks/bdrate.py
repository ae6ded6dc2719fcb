# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Bjontegaard rates: how many more bytes one codec takes than another at equal quality, where their curves overlap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import bjontegaard

MIN_POINTS = 2
CONFIDENT = 0.2  # smallest share of the curves' joint quality range that must overlap for a meaningful figure
Point = tuple[float, float]  # (rate, quality)


@dataclass(frozen=True)
class BdRate:
    """The Bjontegaard rate of a tested curve against an anchor.

    percent: additional bytes of the tested codec in percent of the anchor's; None where the curves do not overlap.
    low, high: limits of the overlap in units of the metric.
    share: overlap as a share of the joint quality range, or of the tested curve's range within a window.
    """

    percent: float | None
    low: float
    high: float
    share: float

    @property
    def confident(self) -> bool:
        """Whether the overlap is large enough for a meaningful figure."""
        return self.percent is not None and self.share >= CONFIDENT


def bd_rate(
    anchor: Sequence[Point], tested: Sequence[Point], *, rising: bool, window: tuple[float, float] | None = None
) -> BdRate:
    """Compare two curves of (rate, quality) by piecewise cubic interpolation (pchip) of the logarithm of the rate.

    rising: whether a higher value of the metric is better.
    window: range of the tested curve's rates to compare, default all; the anchor's rates are not restricted.
    """
    curves = [_frontier(points, rising) for points in (anchor, _within(tested, *window) if window else tested)]
    if min(map(len, curves)) < MIN_POINTS:
        return BdRate(None, math.nan, math.nan, 0.0)
    ranges = [sorted((curve[0][1], curve[-1][1])) for curve in curves]
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    counted = ranges[1:] if window else ranges
    whole = max(r[1] for r in counted) - min(r[0] for r in counted)
    share = max(0.0, high - low) / whole if whole else 0.0
    if share == 0:
        return BdRate(None, low, high, 0.0)
    sign = 1 if rising else -1
    values = [[size for size, _ in curve] for curve in curves], [[sign * q for _, q in curve] for curve in curves]
    (bytes_a, bytes_b), (quality_a, quality_b) = values
    percent = bjontegaard.bd_rate(
        bytes_a, quality_a, bytes_b, quality_b, method="pchip", require_matching_points=False, min_overlap=0
    )
    return BdRate(float(percent) if math.isfinite(percent) else None, low, high, share)


def value_at(points: Sequence[Point], rate: float) -> float | None:
    """Return the quality at a rate, interpolated on a logarithmic scale; None outside the curve."""
    for (low, a), (high, b) in pairwise(sorted(points)):
        if low <= rate <= high:
            share = math.log(rate / low) / math.log(high / low) if high > low else 0.0
            return a + share * (b - a)
    return None


def _within(points: Sequence[Point], low: float, high: float) -> list[Point]:
    """Return the part of a curve between two rates, with interpolated end points."""
    edges = [(rate, value) for rate in (low, high) if (value := value_at(points, rate)) is not None]
    return [*edges, *(point for point in points if low < point[0] < high)]


def _frontier(points: Sequence[Point], rising: bool) -> list[Point]:
    """Sort points by rate, and drop those that cost more than another without being better, so that the curve rises."""
    kept: list[Point] = []
    for size, quality in sorted(points):
        if not kept or (quality > kept[-1][1] if rising else quality < kept[-1][1]):
            kept.append((size, quality))
    return kept
