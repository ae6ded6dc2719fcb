# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC's distance from its targets for each clip, and its BD-rates in full, as tables for the report and the results."""

from dataclasses import dataclass

from benchmarks.bdrate import BdRate
from benchmarks.summary import ANCHOR, SVT, Series, Summary, label, number
from benchmarks.tables import Table
from gvc.metrics import METRICS

FLOOR = ("floor", "")
RATES = 9  # number of bitrates in the window, evenly spaced on a logarithmic scale, at which qualities are compared
REACHED = " ✓"


@dataclass(frozen=True)
class Saving:
    """A target at equal quality: a limit, in percent, on additional bytes compared with a rival."""

    head: str
    metric: str
    anchor: Series
    bound: float

    def measured(self, summary: Summary, clip: str, series: Series) -> tuple[float | None, str]:
        """Return (measured value or None, range that it covers as text)."""
        rate = summary.bd_rate(clip, self.anchor, series, self.metric, windowed=True)
        return rate.percent, f"{rate.share:.0%}"

    def reached(self, value: float) -> bool:
        return value <= self.bound

    def said(self, value: float) -> str:
        return f"{value:+.0f} %"


@dataclass(frozen=True)
class Gain:
    """A target at equal bytes: a minimum by which the metric must be better than a rival's."""

    head: str
    metric: str
    anchor: Series
    bound: float

    def measured(self, summary: Summary, clip: str, series: Series) -> tuple[float | None, str]:
        """Return (smallest gain over the window's bitrates that both curves reach, or None; their number as text)."""
        low, high = summary.window
        rates = [low * (high / low) ** (i / (RATES - 1)) for i in range(RATES)]
        values = [[summary.at_rate(clip, s, self.metric, rate) for s in (series, self.anchor)] for rate in rates]
        gains = [self._sign * (ours - theirs) for ours, theirs in values if ours is not None and theirs is not None]
        return min(gains, default=None), f"{len(gains)} of {RATES}"

    def reached(self, value: float) -> bool:
        return value > self.bound

    def said(self, value: float) -> str:
        return f"{value:+.2f} dB" if METRICS[self.metric].unit == "dB" else f"{self._sign * value:+.4f}"

    @property
    def _sign(self) -> int:
        return 1 if METRICS[self.metric].higher_is_better else -1


TARGETS = (
    Saving("LPIPS (AlexNet), bytes against x265: -40 %", "lpips_alex", ANCHOR, -40),
    Saving("LPIPS (VGG), bytes against x265: -40 %", "lpips_vgg", ANCHOR, -40),
    Saving("LPIPS (AlexNet), bytes against SVT-AV1: 0 %", "lpips_alex", SVT, 0),
    Saving("LPIPS (VGG), bytes against SVT-AV1: 0 %", "lpips_vgg", SVT, 0),
    Gain("PSNR Y against x265: -1 dB", "psnr_y", ANCHOR, -1),
    Gain("PSNR Y against the floor: more", "psnr_y", FLOOR, 0),
    Gain("LPIPS (AlexNet) against the floor: less", "lpips_alex", FLOOR, 0),
    Gain("LPIPS (VGG) against the floor: less", "lpips_vgg", FLOOR, 0),
)


def targets(summary: Summary) -> list[Table]:
    """Return a table of targets for each measured variant of GVC."""
    low, high = summary.window
    about = (
        f"Between {low:g} and {high:g} bits per pixel; ✓ where the target is reached. BD-rates count GVC's files in "
        "that window and the rival's wherever they are as good; in brackets, how much of GVC's range of quality the "
        f"rival reaches at all. Differences at equal bytes are the worst of {RATES} rates; in brackets, at how many "
        "of them there are both."
    )
    return [_table(summary, series, about) for series in summary.generative]


def _table(summary: Summary, series: Series, about: str) -> Table:
    columns = [_column(target, summary, series) for target in TARGETS if target.metric in summary.metrics]
    rows = zip([*summary.clips, "mean", "reached"], *(cells for _, cells in columns), strict=True)
    return Table(f"Targets: {label(series)}", about, ["", *(head for head, _ in columns)], [list(row) for row in rows])


def _column(target: Saving | Gain, summary: Summary, series: Series) -> tuple[str, list[str]]:
    """Return (head, cells): a cell for each clip, one for their mean, one for the number that reach the target."""
    found = [target.measured(summary, clip, series) for clip in summary.clips]
    known = [value for value, _ in found if value is not None]
    reached = sum(map(target.reached, known))
    cells = [
        "–" if value is None else f"{target.said(value)} ({over}){REACHED * target.reached(value)}"
        for value, over in found
    ]
    mean = target.said(sum(known) / len(known)) if known else "–"
    return target.head, [*cells, mean, f"{reached} of {len(known)}"]


def bd_rates(summary: Summary, clip: str) -> Table:
    """Return the BD-rates of GVC against its two main rivals on a clip in all metrics, overall and in the window."""
    rows = []
    for series in summary.generative:
        for anchor in (ANCHOR, SVT):
            for windowed, where in ((False, "all rates"), (True, "window")):
                rates = [(m, summary.bd_rate(clip, anchor, series, m, windowed=windowed)) for m in summary.metrics]
                if any(rate.percent is not None for _, rate in rates):
                    name = f"{label(series)}, against {label(anchor)}, {where}"
                    rows.append([name, *(_bd_cell(metric, rate) for metric, rate in rates)])
    low, high = summary.window
    about = (
        "Bytes for equal quality (BD-rate); in brackets, the range of quality that both reach, and its share of what "
        f"either reaches, or GVC does in the window of {low:g} to {high:g} bits per pixel."
    )
    return Table("GVC against its main rivals", about, ["", *(METRICS[m].label for m in summary.metrics)], rows)


def _bd_cell(metric: str, rate: BdRate) -> str:
    if rate.percent is None:
        return "–"
    return f"{rate.percent:+.0f} % ({number(metric, rate.low)} to {number(metric, rate.high)}, {rate.share:.0%})"
