# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC and its rivals beside SVT-AV1, in whole files: BD-rates by all metrics, and flicker at equal bytes."""

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.summary import SVT, Series, Summary, label
from benchmarks.table import Table
from gvc.metrics import METRICS

FLICKER = "flicker"  # It need not fall with more bytes, so it is compared at equal bytes.
RATES = 9  # number of file sizes, evenly spaced on a logarithmic scale, at which flicker is compared
NOTHING = "–"


def anchored(summary: Summary) -> list[Table]:
    """Return a table for each variant of GVC, clip by clip, and one of all codecs; none without files of SVT-AV1."""
    others = [series for series in summary.series if series != SVT]
    if SVT not in summary.series or not others:
        return []
    heads = ["", *(METRICS[metric].label for metric in summary.metrics)]
    about = (
        f"Bytes for equal quality against {label(SVT)} (BD-rate, whole files, all rates); in brackets, how much of the "
        f"quality that either reaches both do. Flicker is a ratio at equal bytes, the mean of {RATES} sizes."
    )
    tables = [
        Table(f"{label(series)}, against {label(SVT)}", about, heads, list(_by_clip(summary, series)))
        for series in summary.generative
    ]
    rows = [[label(series), *(column.mean for column in _columns(summary, series))] for series in others]
    said = f"The same as means over the clips that compare; in brackets, how many of {len(summary.clips)} these are."
    return [*tables, Table(f"All against {label(SVT)}", said, heads, rows)]


@dataclass(frozen=True)
class _Column:
    """The comparison of a codec by one metric.

    values: figure of each clip, percent or ratio; None where the curves have nothing in common.
    shares: share of the quality in common, as text for each clip; empty for flicker.
    """

    metric: str
    values: list[float | None]
    shares: list[str]

    @property
    def cells(self) -> list[str]:
        return [self._text(value) + share for value, share in zip(self.values, self.shares, strict=True)]

    @property
    def mean(self) -> str:
        count = sum(value is not None for value in self.values)
        return f"{self.over(statistics.mean)} ({count})" if count else NOTHING

    def over(self, choose: Callable[[list[float]], float]) -> str:
        """Return what `choose` makes of the known values, as text."""
        known = [value for value in self.values if value is not None]
        return self._text(choose(known) if known else None)

    def _text(self, value: float | None) -> str:
        if value is None:
            return NOTHING
        return f"{value:.2f}" if self.metric == FLICKER else f"{value:+.1f} %"


def _by_clip(summary: Summary, series: Series) -> Iterator[list[str]]:
    columns = _columns(summary, series)
    for clip, *cells in zip(summary.clips, *(column.cells for column in columns), strict=True):
        yield [clip, *cells]
    for name, choose in (("mean", statistics.mean), ("worst", max)):
        yield [name, *(column.over(choose) for column in columns)]


def _columns(summary: Summary, series: Series) -> list[_Column]:
    return [_column(summary, series, metric) for metric in summary.metrics]


def _column(summary: Summary, series: Series, metric: str) -> _Column:
    if metric == FLICKER:
        return _Column(metric, [_flicker(summary, clip, series) for clip in summary.clips], [""] * len(summary.clips))
    rates = [summary.bd_rate(clip, SVT, series, metric) for clip in summary.clips]
    shares = ["" if rate.percent is None else f" ({rate.share:.0%})" for rate in rates]
    return _Column(metric, [rate.percent for rate in rates], shares)


def _flicker(summary: Summary, clip: str, series: Series) -> float | None:
    """Return the flicker of a codec as a multiple of SVT-AV1's: the geometric mean over sizes that both reach."""
    curves = [summary.curve(clip, which, FLICKER) for which in (series, SVT)]
    if not all(curves):
        return None
    low, high = max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves)
    if low > high:
        return None
    rates = [low * (high / low) ** (i / (RATES - 1)) for i in range(RATES)]
    found = [[summary.at_rate(clip, which, FLICKER, rate) for which in (series, SVT)] for rate in rates]
    logs = [math.log(ours / theirs) for ours, theirs in found if ours and theirs]
    return math.exp(statistics.mean(logs)) if logs else None
