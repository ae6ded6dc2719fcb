# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML page of a comparison: pictures, curves and figures in a single file."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ..metrics import METRICS
from ..terminal import visible
from .align import plural
from .summary import Comparison, Figures

PICTURE_BYTES = 32 << 20  # largest size of all pictures in a page; browsers are slow with more
LONGEST_SIDE = 1920  # longest side of a picture in a page, in pixels
QUALITY = 90  # WebP quality of the pictures


class Gallery:
    """The pictures of a page, as WebP. When they exceed `limit` bytes, every second moment is dropped."""

    def __init__(self, limit: int = PICTURE_BYTES):
        self._limit = limit
        self._total = 0
        self._kept: dict[int, list[str]] = {}
        self.stride = 1

    def add(self, frame: int, seconds: Fraction, pictures: list[np.ndarray]) -> None:
        """Add the pictures, uint8 [H, W, 3], of one moment. frame: number of the moment; seconds: its time."""
        if frame % self.stride:
            return
        self._kept[frame] = [_webp(pixels) for pixels in pictures]
        self._total += _size(self._kept[frame])
        while self._total > self._limit and len(self._kept) > 1:
            self.stride *= 2
            for dropped in [frame for frame in self._kept if frame % self.stride]:
                self._total -= _size(self._kept.pop(dropped))

    def shown(self) -> list[dict]:
        """Return the moments that are kept, for the page."""
        return [{"frame": frame, "pictures": pictures} for frame, pictures in self._kept.items()]


def write_page(path: Path, comparison: Comparison, gallery: Gallery) -> None:
    """Write the page. Raises OSError."""
    parts = {name: files(__package__).joinpath("page", f"report.{name}").read_text() for name in ("html", "css", "js")}
    data = json.dumps(_content(comparison, gallery), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    page = parts["html"].replace("@@STYLE@@", parts["css"].strip()).replace("@@SCRIPT@@", parts["js"].strip())
    before, after = page.split("@@DATA@@")
    path.write_text(before + data.replace("<", "\\u003c") + after, encoding="utf-8")


def _content(comparison: Comparison, gallery: Gallery) -> dict:
    """Return what report.js reads."""
    reference, names = comparison.figures[0], [visible(name) for name in comparison.names]
    return {
        "title": f"gvc compare: {' · '.join(names)}",
        "subtitle": f"{plural(len(comparison.seconds))} compared, {reference.width}×{reference.height}",
        "width": reference.width,
        "height": reference.height,
        "films": names,
        "image_type": "data:image/webp;base64,",
        "seconds": [round(float(seconds), 6) for seconds in comparison.seconds],
        "shown": gallery.shown(),
        "metrics": [_curves(name, comparison) for name in comparison.metrics],
        "table": [asdict(row) for row in comparison.table()],
        "notes": [*map(visible, comparison.notes), *_notes(reference, gallery)],
    }


def _curves(name: str, comparison: Comparison) -> dict:
    metric = METRICS[name]
    return {
        "name": metric.label,
        "unit": metric.unit,
        "digits": metric.digits,
        "higher": metric.higher_is_better,
        "values": [figures.scores.frames.get(name, []) if figures.scores else [] for figures in comparison.figures],
    }


def _notes(reference: Figures, gallery: Gallery) -> Iterator[str]:
    """Yield sentences that a reader of the page should know about its pictures."""
    yield f"The pictures in this page are WebP, quality {QUALITY}; the figures are those of the decoded pictures."
    if max(reference.width, reference.height) > LONGEST_SIDE:
        yield f"They are scaled down to {LONGEST_SIDE} pixels."
    if gallery.stride > 1:
        yield f"To bound the size of this page, there are pictures of one frame in {gallery.stride} only."


def _webp(pixels: np.ndarray) -> str:
    """Return a picture as WebP in base64, scaled down to LONGEST_SIDE."""
    image, file = Image.fromarray(pixels), BytesIO()
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    image.save(file, "WEBP", quality=QUALITY, method=2)
    return b64encode(file.getvalue()).decode()


def _size(pictures: list[str]) -> int:
    return sum(map(len, pictures))
