# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report of a run, in a single file."""

import base64
import io
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from PIL import Image

from benchmarks import plots
from benchmarks.anchored import anchored
from benchmarks.bdrate import BdRate
from benchmarks.codecs import CODECS
from benchmarks.jobs import shown_pictures
from benchmarks.stills import kept_picture, source_pictures
from benchmarks.summary import ANCHOR, RATES, STRIP_RATE, Summary, best, label, number
from benchmarks.tables import tables
from benchmarks.targets import bd_rates, targets
from gvc.metrics import METRICS

QUALITY = 92  # JPEG quality of the pictures


def write_report(result: dict, path: Path, sources: dict[str, Path]) -> None:
    """Write the report. sources: lossless file of each clip, by the clip's name."""
    summary = Summary(result)
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    page = environment.get_template("report.html.j2").render(
        result=result,
        summary=summary,
        metrics=[METRICS[name] for name in summary.metrics],
        verdicts=summary.verdicts(),
        clips=[_clip(summary, clip, sources[clip["name"]], path.parent) for clip in result["clips"] if result["rows"]],
        targets=[*anchored(summary), *targets(summary)] if result["rows"] else [],
        tables=tables(result),
        strip_rate=STRIP_RATE,
        anchor=label(ANCHOR),
    )
    path.write_text(page)


def _clip(summary: Summary, facts: dict, source: Path, folder: Path) -> dict:
    clip = facts["name"]
    return {
        "facts": facts,
        "curves": plots.rate_distortion(summary, clip),
        "trace": plots.by_picture(summary, clip),
        "strip": list(_strip(summary, facts, source, folder)),
        "shown": _shown(facts),
        "at_rates": [_at_rate(summary, clip, rate) for rate in RATES],
        "closest": bd_rates(summary, clip),
        "bd_rates": list(_bd_rates(summary, clip)),
        "rows": [_row(summary, row) for series in summary.series for row in summary.rows(clip, series)],
    }


def _at_rate(summary: Summary, clip: str, rate: float) -> dict:
    """Return a table of all codecs at one bitrate, with the best value of each metric marked."""
    values = {
        series: [summary.at_rate(clip, series, metric, rate) for metric in summary.metrics] for series in summary.series
    }
    present = {series: row for series, row in values.items() if any(value is not None for value in row)}
    tops = [best(column, m) for column, m in zip(zip(*present.values(), strict=True), summary.metrics, strict=False)]
    lines = [
        {
            "label": label(series),
            "gvc": CODECS[series[0]].family == "gvc",
            "cells": [
                (number(metric, value), value is not None and value == top)
                for metric, value, top in zip(summary.metrics, row, tops, strict=True)
            ],
        }
        for series, row in present.items()
    ]
    return {"rate": rate, "lines": lines}


def _bd_rates(summary: Summary, clip: str):
    """Yield a row for each curve: its BD-rates against the anchor, and the quality ranges that they cover."""
    for series in summary.series:
        if series != ANCHOR:
            rates = ((metric, summary.bd_rate(clip, ANCHOR, series, metric)) for metric in summary.metrics)
            yield {"label": label(series), "cells": [_bd_cell(metric, rate) for metric, rate in rates]}


def _bd_cell(metric: str, rate: BdRate) -> dict:
    if rate.percent is None:
        return {"value": "–", "over": "no overlap", "weak": True}
    over = f"{number(metric, rate.low)} to {number(metric, rate.high)}, {rate.share:.0%}"
    return {"value": f"{rate.percent:+.0f} %", "over": over, "weak": not rate.confident}


def _row(summary: Summary, row: dict) -> dict:
    return {
        "label": label((row["codec"], row["view"])),
        "level": f"{row['level']:g}",
        "bytes": row["bytes"],
        "bpp": f"{row['bpp']:.4f}",
        "paper": f"{row['paper_bytes']:.0f}" if "paper_bytes" in row else "",
        "kbps": f"{row['kbps']:.1f}",
        "jobs": row["jobs"],
        "metrics": [number(metric, row["metrics"].get(metric)) for metric in summary.metrics],
        "encode": f"{row['encode']['seconds']:.1f}",
        "decode": f"{row['decode']['seconds']:.1f}",
        "commands": f"{row['encode']['command']}\n{row['decode']['command']}",
    }


def _shown(facts: dict) -> int:
    numbers = shown_pictures(facts["frames"])
    return numbers[len(numbers) // 2]


def _strip(summary: Summary, facts: dict, source: Path, folder: Path):
    """Yield pictures of files of approximately equal size, after that of the source."""
    wanted = _shown(facts)
    yield {"title": "source", "image": _jpeg(source_pictures(source, [wanted])[0])}
    for series in summary.series:
        row = summary.nearest(facts["name"], series, STRIP_RATE)
        if row and (kept := kept_picture(folder, row, wanted)):
            title = f"{label(series)}: {row['bytes']} bytes, {row['metrics']['psnr_y']:.1f} dB"
            yield {"title": title, "image": _jpeg(kept)}


def _jpeg(image: Image.Image) -> str:
    data = io.BytesIO()
    image.convert("RGB").save(data, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
