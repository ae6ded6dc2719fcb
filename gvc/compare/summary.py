# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a comparison found, as a table for people and as plain values for scripts."""

from dataclasses import asdict, dataclass
from fractions import Fraction

from ..metrics import METRICS, Scores

SCHEMA = 1  # raised when a key of the JSON changes its meaning
DIGITS = {"psnr_rgb": 2, "psnr_y": 2, "vmaf": 2, "flicker": 2}  # after the point; 4 for all else
NOTHING = "–"


@dataclass
class Figures:
    """One file: what it costs, and how near it is to the reference."""

    name: str
    path: str
    width: int
    height: int
    frame_rate: Fraction
    frames: int
    bytes: int
    kbps: float | None  # of the video in the whole file, container overhead included; None if it says no duration
    bpp: float
    scores: Scores | None  # None for the reference


@dataclass
class Row:
    """A line of the table. `best` says which cells to stress."""

    label: str
    cells: list[str]
    best: list[bool]


@dataclass
class Comparison:
    """The files, the reference first; when the compared frames are shown, in seconds; what is to be known beside."""

    figures: list[Figures]
    seconds: list[Fraction]
    notes: list[str]

    @property
    def names(self) -> list[str]:
        return [figures.name for figures in self.figures]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that at least one file has values of."""
        return [n for n in METRICS if any(f.scores and n in f.scores.means() for f in self.figures)]

    def table(self) -> list[Row]:
        """Return what is known of the files, by rows with a cell for each."""
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
        cells = [NOTHING if mean is None else f"{mean:.{digits(name)}f}" for mean in means]
        return Row(metric_label(name), cells, [len(known) > 1 and mean == top for mean in means])

    def as_dict(self) -> dict:
        """Plain values with stable keys, for JSON."""
        return {
            "schema": SCHEMA,
            "reference": self.figures[0].path,
            "frames_compared": len(self.seconds),
            "seconds": [round(float(seconds), 6) for seconds in self.seconds],
            "notes": self.notes,
            "files": [_as_dict(figures) for figures in self.figures],
        }


def digits(name: str) -> int:
    """How many digits after the point a metric is shown with."""
    return DIGITS.get(name, 4)


def metric_label(name: str) -> str:
    """A metric's name, unit, and an arrow to where better is."""
    metric = METRICS[name]
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.label}{unit} {'↑' if metric.higher_is_better else '↓'}"


def _as_dict(figures: Figures) -> dict:
    scores = figures.scores or Scores()
    values = {key: value for key, value in asdict(figures).items() if key != "scores"}
    values["frame_rate"] = str(figures.frame_rate)
    return values | {"metrics": scores.means(), "by_frame": scores.frames}
