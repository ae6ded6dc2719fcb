# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plots of the report, as SVG without external files."""

import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.codecs import CODECS, GOP
from benchmarks.summary import STRIP_RATE, Series, Summary, label
from gvc.metrics import METRICS

COLUMNS = 3
COLOURS = {"gvc": "#c8102e", "paper": "#e58a00", "rival": "#1f4e8c", "half size": "#4a90a4", "floor": "#777777"}
MARKERS, STYLES = "osD^v<>PX", {"": "-", "0": "-", "1": "--"}
OF_THE_TRACE = (("gvc-flf2v", "0"), ("gvc-flf2v", "1"), ("x265", ""), ("svt-av1-half", ""), ("floor", ""))
plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"})


def rate_distortion(summary: Summary, clip: str) -> str:
    """Return rate-distortion curves over bits per pixel, with a panel for each metric."""
    metrics = summary.metrics
    lines = -(-len(metrics) // COLUMNS)
    figure, grid = plt.subplots(lines, COLUMNS, figsize=(13, 3.4 * lines), squeeze=False)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        for series in summary.series:
            points = summary.curve(clip, series, metric)
            axes.plot(*zip(*points, strict=True), label=label(series), **_look(series)) if points else None
        unit = f", {METRICS[metric].unit}" if METRICS[metric].unit else ""
        better = "higher" if METRICS[metric].higher_is_better else "lower"
        axes.set(xscale="log", title=f"{METRICS[metric].label}{unit} ({better} is better)", xlabel="bits per pixel")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda bpp, _: f"{bpp:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.25)
    for axes in grid.flat[len(metrics) :]:
        axes.axis("off")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=5, frameon=False, bbox_to_anchor=(0.5, 0))
    figure.tight_layout()
    return _svg(figure)


def by_picture(summary: Summary, clip: str, metric: str = "psnr_y") -> str:
    """Return a plot of a metric over time, for files of approximately equal size."""
    figure, axes = plt.subplots(figsize=(13, 3))
    for series in OF_THE_TRACE:
        row = summary.nearest(clip, series, STRIP_RATE)
        if row and metric in row["frames"]:
            known = [(i, value) for i, value in enumerate(row["frames"][metric]) if value is not None]
            look = _look(series) | {"marker": None}
            axes.plot(*zip(*known, strict=True), label=f"{label(series)}, {row['bytes']} bytes", **look)
            for boundary in range(0, len(row["frames"][metric]), GOP - 1):
                axes.axvline(boundary, color="#dddddd", linewidth=0.8, zorder=0)
    axes.set(xlabel="picture (vertical lines: boundary stills of GVC)", ylabel=METRICS[metric].label)
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    figure.tight_layout()
    return _svg(figure)


def _look(series: Series) -> dict:
    codec = CODECS[series[0]]
    family = "paper" if codec.counts_as_paper else codec.family
    same = [name for name, other in CODECS.items() if (other.family, other.counts_as_paper) == _kind(series[0])]
    marker = MARKERS[same.index(series[0]) % len(MARKERS)]
    width = 2.2 if family == "gvc" and series[0] == "gvc-flf2v" else 1.2
    style = STYLES[series[1]]
    return {"color": COLOURS[family], "marker": marker, "markersize": 4, "linewidth": width, "linestyle": style}


def _kind(name: str) -> tuple[str, bool]:
    return CODECS[name].family, CODECS[name].counts_as_paper


def _svg(figure: plt.Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight")
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", text.getvalue(), flags=re.DOTALL)
