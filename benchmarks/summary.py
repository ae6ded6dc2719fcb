# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Evaluation of a run's rows: curves, values at equal bitrates, Bjontegaard rates and sentences about them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.bdrate import BdRate, Point, bd_rate, value_at
from benchmarks.codecs import CODECS
from gvc.metrics import METRICS

RATES = (0.004, 0.008, 0.016, 0.032, 0.064)  # bits per pixel in the table of equal bitrates
ANCHOR, OURS = ("x265", ""), ("gvc-flf2v", "0")
SVT = ("svt-av1", "")
# Series that are compared in detail, if they were measured.
GENERATIVE = (OURS, ("gvc-flf2v", "1"), ("gvc-neural", "0"), ("gvc-neural", "1"))
WINDOW = (0.003, 0.015)  # range of bitrates that GVC is designed for, in bits per pixel
STRIP_RATE = 0.016  # bitrate of the pictures that are shown, in bits per pixel
Series = tuple[str, str]  # (codec, view)


@dataclass(frozen=True)
class Summary:
    """The evaluation of a run, given its JSON."""

    result: dict

    @property
    def clips(self) -> list[str]:
        return [clip["name"] for clip in self.result["clips"]]

    @property
    def metrics(self) -> list[str]:
        """Return the measured metrics in the order of METRICS."""
        return [name for name in METRICS if any(name in row["metrics"] for row in self.result["rows"])]

    @property
    def missing(self) -> list[str]:
        """Return sentences on what could not be measured and why."""
        return sorted({reason for row in self.result["rows"] for reason in row["missing"].values()})

    @property
    def series(self) -> list[Series]:
        return list(dict.fromkeys((row["codec"], row["view"]) for row in self.result["rows"]))

    def rows(self, clip: str, series: Series) -> list[dict]:
        """Return the rows of one curve, sorted by file size."""
        found = [row for row in self.result["rows"] if (row["clip"], row["codec"], row["view"]) == (clip, *series)]
        return sorted(found, key=lambda row: row["bytes"])

    @property
    def generative(self) -> list[Series]:
        return [series for series in GENERATIVE if series in self.series]

    @property
    def window(self) -> tuple[float, float]:
        """Return the window of bitrates, in bits per pixel, for which BD-rates are given as well."""
        return tuple(self.result.get("window", WINDOW))

    def curve(self, clip: str, series: Series, metric: str) -> list[Point]:
        """Return (bits per pixel, value) of each file, sorted by bitrate."""
        return [(row["bpp"], row["metrics"][metric]) for row in self.rows(clip, series) if metric in row["metrics"]]

    def at_rate(self, clip: str, series: Series, metric: str, bpp: float) -> float | None:
        """Return the metric at a bitrate, interpolated between the two nearest files; None outside the curve."""
        return value_at(self.curve(clip, series, metric), bpp)

    def bd_rate(self, clip: str, anchor: Series, series: Series, metric: str, *, windowed: bool = False) -> BdRate:
        curves = (self.curve(clip, which, metric) for which in (anchor, series))
        window = self.window if windowed else None
        return bd_rate(*curves, rising=METRICS[metric].higher_is_better, window=window)

    def nearest(self, clip: str, series: Series, bpp: float) -> dict | None:
        """Return the row with the nearest bitrate, or None if there are no rows."""
        return min(self.rows(clip, series), key=lambda row: abs(math.log(row["bpp"] / bpp)), default=None)

    def verdicts(self) -> dict[str, list[str]]:
        """Return sentences on GVC against each rival, as means over the clips whose curves overlap enough."""
        said = {"Loses": [], "Is ahead": [], "Too little in common to be compared": []}
        loses, ahead, silent = said.values()
        for series in self.series:
            codec = CODECS[series[0]]
            if series[1] not in ("", "0") or (codec.family == "gvc" and not codec.counts_as_paper):
                continue
            found = {METRICS[metric].label: self._mean(series, metric) for metric in self.metrics}
            known = {
                name: f"{name} {percent:+.0f} % ({count} of {len(self.clips)} clips)"
                for name, (percent, count) in found.items()
                if count
            }
            groups = (
                (loses, [text for name, text in known.items() if found[name][0] > 0]),
                (ahead, [text for name, text in known.items() if found[name][0] <= 0]),
                (silent, [name for name in found if name not in known]),
            )
            for sentences, parts in groups:
                if parts:
                    sentences.append(f"{label(series)}: {', '.join(parts)}")
        return said

    def _mean(self, series: Series, metric: str) -> tuple[float, int]:
        """Return the mean BD-rate of GVC against a rival, and the number of clips in that mean."""
        rates = (self.bd_rate(clip, series, OURS, metric) for clip in self.clips)
        known = [rate.percent for rate in rates if rate.confident]
        return (sum(known) / len(known) if known else 0.0), len(known)


def label(series: Series) -> str:
    """Return the name of a curve for tables and plots."""
    codec, view = series
    return CODECS[codec].label + (f", realism {view}" if view else "")


def number(metric: str, value: float | None) -> str:
    """Return a value as text; "–" where there is none."""
    if value is None:
        return "–"
    return f"{value:.{METRICS[metric].digits}f}"


def best(values: Sequence[float | None], metric: str) -> float | None:
    """Return the best of the values for a metric; None if there is none."""
    known = [value for value in values if value is not None]
    pick = max if METRICS[metric].higher_is_better else min
    return pick(known) if known else None
