# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Bjontegaard rates: how many more bytes one codec takes than another for equal quality, over what both reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import bjontegaard

MIN_POINTS = 2
CONFIDENT = 0.2  # share of the quality that either reaches which both should reach
Point = tuple[float, float]  # rate and quality


@dataclass(frozen=True)
class BdRate:
    """percent: more bytes than the anchor's, None where the curves do not overlap. low, high: the overlap in units of
    the metric. share: of all that either curve reaches, or of what the tested one reaches in a window."""

    percent: float | None
    low: float
    high: float
    share: float

    @property
    def confident(self) -> bool:
        """Whether the overlap is large enough to say much."""
        return self.percent is not None and self.share >= CONFIDENT


def bd_rate(
    anchor: Sequence[Point], tested: Sequence[Point], *, rising: bool, window: tuple[float, float] | None = None
) -> BdRate:
    """Compare curves of (rate, quality); `rising`: more quality is better. Piecewise cubic (pchip) in the rate's log.

    window: the rates of the tested curve that count; the anchor counts wherever it is as good.
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
    """Return the quality at a rate, between the two nearest points on a log scale; None outside of the curve."""
    for (low, a), (high, b) in pairwise(sorted(points)):
        if low <= rate <= high:
            share = math.log(rate / low) / math.log(high / low) if high > low else 0.0
            return a + share * (b - a)
    return None


def _within(points: Sequence[Point], low: float, high: float) -> list[Point]:
    """Return the part of a curve between two rates, cut at both."""
    edges = [(rate, value) for rate in (low, high) if (value := value_at(points, rate)) is not None]
    return [*edges, *(point for point in points if low < point[0] < high)]


def _frontier(points: Sequence[Point], rising: bool) -> list[Point]:
    """Return the points by rate, without those that cost more than another and are no better: curves must rise."""
    kept: list[Point] = []
    for size, quality in sorted(points):
        if not kept or (quality > kept[-1][1] if rising else quality < kept[-1][1]):
            kept.append((size, quality))
    return kept
