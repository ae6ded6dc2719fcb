# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a comparison, as a table for people and as plain values for scripts."""

from dataclasses import asdict, dataclass
from fractions import Fraction

from ..metrics import METRICS, Scores

SCHEMA = 1  # version of the JSON, raised when a key changes its meaning
NOTHING = "–"


@dataclass
class Figures:
    """The figures of one file: its size, and its scores against the reference."""

    name: str
    path: str
    width: int
    height: int
    frame_rate: Fraction
    frames: int
    bytes: int
    kbps: float | None  # bitrate of the video in the whole file, container overhead included; None without a duration
    bpp: float
    scores: Scores | None  # None for the reference


@dataclass
class Row:
    """A row of the table. best: which of its cells have the best value."""

    label: str
    cells: list[str]
    best: list[bool]


@dataclass
class Comparison:
    """The result of a comparison."""

    figures: list[Figures]  # figures of each file, the reference first
    seconds: list[Fraction]  # time of each compared frame
    notes: list[str]  # sentences on what a reader should know about the figures

    @property
    def names(self) -> list[str]:
        return [figures.name for figures in self.figures]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics for which at least one file has values."""
        return [n for n in METRICS if any(f.scores and n in f.scores.means() for f in self.figures)]

    def table(self) -> list[Row]:
        """Return the table: a row for each fact and metric, with a cell for each file."""
        facts = (
            ("size", lambda f: f"{f.width}x{f.height}"),
            ("frames", lambda f: str(f.frames)),
            ("frames/s", lambda f: f"{float(f.frame_rate):g}"),
            ("bytes", lambda f: str(f.bytes)),
            ("kb/s", lambda f: NOTHING if f.kbps is None else f"{f.kbps:.1f}"),
            ("bits per pixel", lambda f: f"{f.bpp:.4f}"),
        )
        rows = [Row(label, [show(f) for f in self.figures], [False] * len(self.figures)) for label, show in facts]
        return rows + [self._metric_row(name) for name in self.metrics]

    def _metric_row(self, name: str) -> Row:
        metric = METRICS[name]
        means = [f.scores.means().get(name) if f.scores else None for f in self.figures]
        known = [mean for mean in means if mean is not None]
        top = (max if metric.higher_is_better else min)(known)
        cells = [NOTHING if mean is None else f"{mean:.{metric.digits}f}" for mean in means]
        return Row(metric_label(name), cells, [len(known) > 1 and mean == top for mean in means])

    def as_dict(self) -> dict:
        """Return plain values with stable keys, for JSON."""
        return {
            "schema": SCHEMA,
            "reference": self.figures[0].path,
            "frames_compared": len(self.seconds),
            "seconds": [round(float(seconds), 6) for seconds in self.seconds],
            "notes": self.notes,
            "files": [_as_dict(figures) for figures in self.figures],
        }


def metric_label(name: str) -> str:
    """Return a metric's name and unit, with an arrow that shows whether higher or lower is better."""
    metric = METRICS[name]
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.label}{unit} {'↑' if metric.higher_is_better else '↓'}"


def _as_dict(figures: Figures) -> dict:
    scores = figures.scores or Scores()
    values = {key: value for key, value in asdict(figures).items() if key != "scores"}
    values["frame_rate"] = str(figures.frame_rate)
    return values | {"metrics": scores.means(), "by_frame": scores.frames}
