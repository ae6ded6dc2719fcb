# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m benchmarks.contact_sheets RESULTS.json`: a PNG for each clip, with the same pictures of each codec as row.

The pictures are those that the run stored with its figures; the sources are its cut clips. Each codec is represented by
its largest file below a bitrate.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks.jobs import shown_pictures
from benchmarks.stills import kept_picture, source_pictures
from benchmarks.summary import ANCHOR, GENERATIVE, SVT, Series, Summary, label, number
from gvc.metrics import METRICS

RATE = 0.010  # default bitrate in bits per pixel
SAID = ("psnr_y", "lpips_alex", "lpips_vgg", "dists")
CAPTION, GAP = 22, 4  # pixels
Row = tuple[str, list[Image.Image]]


def sheet(summary: Summary, facts: dict, folder: Path, rate: float) -> Image.Image:
    """Return the sheet of a clip. folder: folder of the run. rate: bitrate in bits per pixel."""
    rows = list(_rows(summary, facts, folder, rate))
    width, height = facts["width"] + GAP, facts["height"] + CAPTION + GAP
    image = Image.new("RGB", (len(rows[0][1]) * width - GAP, len(rows) * height - GAP), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    for y, (title, pictures) in enumerate(rows):
        draw.text((GAP, y * height + 1), title, "black", font)
        for x, picture in enumerate(pictures):
            image.paste(picture, (x * width, y * height + CAPTION))
    return image


def _rows(summary: Summary, facts: dict, folder: Path, rate: float) -> Iterator[Row]:
    numbers = shown_pictures(facts["frames"])
    title = f"{facts['name']}: source, pictures {', '.join(map(str, numbers))}"
    yield title, source_pictures(folder / "clips" / facts["file"], numbers)
    for series in (*GENERATIVE, ANCHOR, SVT):
        row = _file(summary.rows(facts["name"], series), rate)
        pictures = [kept_picture(folder, row, number) for number in numbers] if row else []
        if pictures and all(pictures):
            yield _title(series, row), pictures


def _file(rows: list[dict], rate: float) -> dict | None:
    """Return the largest file below a bitrate, or the smallest file if there is none. rows: files sorted by size."""
    below = [row for row in rows if row["bpp"] < rate]
    return below[-1] if below else next(iter(rows), None)


def _title(series: Series, row: dict) -> str:
    found = [f"{METRICS[m].label} {number(m, row['metrics'][m])}" for m in SAID if m in row["metrics"]]
    return ", ".join([f"{label(series)}: {row['bytes']} bytes, {row['bpp']:.4f} bits per pixel", *found])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contact_sheets", description=__doc__)
    parser.add_argument("results", type=Path, help="results.json, in the folder of its run")
    parser.add_argument("--rate", type=float, default=RATE, help="bits per pixel that files stay below")
    parser.add_argument("--output", type=Path, help="folder; or else sheets in that of the run")
    arguments = parser.parse_args()
    folder, summary = arguments.results.parent, Summary(json.loads(arguments.results.read_text()))
    target = arguments.output or folder / "sheets"
    target.mkdir(parents=True, exist_ok=True)
    for facts in summary.result["clips"]:
        path = target / f"{facts['name']}.png"
        sheet(summary, facts, folder, arguments.rate).save(path)
        print(path)


if __name__ == "__main__":
    main()
