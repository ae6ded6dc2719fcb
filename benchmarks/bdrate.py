"""Bjontegaard rates: how many more bytes one codec takes than another for equal quality, over what both reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import bjontegaard

MIN_POINTS = 2
CONFIDENT = 0.2  # share of the quality that either reaches which both should reach


@dataclass(frozen=True)
class BdRate:
    """percent: more bytes than the anchor's, None where the curves do not overlap. low, high: the overlap in units of
    the metric. share: of all that either curve reaches."""

    percent: float | None
    low: float
    high: float
    share: float

    @property
    def confident(self) -> bool:
        """Whether the overlap is large enough to say much."""
        return self.percent is not None and self.share >= CONFIDENT


def bd_rate(anchor: Sequence[tuple[float, float]], tested: Sequence[tuple[float, float]], *, rising: bool) -> BdRate:
    """Compare curves of (bytes, quality); `rising`: more quality is better. Piecewise cubic (pchip) in log bytes."""
    curves = [_frontier(points, rising) for points in (anchor, tested)]
    if min(map(len, curves)) < MIN_POINTS:
        return BdRate(None, math.nan, math.nan, 0.0)
    ranges = [sorted((curve[0][1], curve[-1][1])) for curve in curves]
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    whole = max(r[1] for r in ranges) - min(r[0] for r in ranges)
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


def _frontier(points: Sequence[tuple[float, float]], rising: bool) -> list[tuple[float, float]]:
    """Return the points by bytes, without those that cost more than another and are no better: curves must rise."""
    kept: list[tuple[float, float]] = []
    for size, quality in sorted(points):
        if not kept or (quality > kept[-1][1] if rising else quality < kept[-1][1]):
            kept.append((size, quality))
    return kept
