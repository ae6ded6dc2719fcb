# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Comparison videos: films side by side, or divided by a moving boundary (wipe)."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import cos, pi
from pathlib import Path

import av
import numpy as np
from gvc_container.sink import VideoSink
from gvc_container.source import samples
from PIL import Image, ImageDraw, ImageFont

from ..media import YUV420P, Picture, VideoFormat
from ..terminal import visible
from .film import Film
from .run import names_of

WIDEST = 4096  # widest row in pixels, the limit of common hardware decoders
SWEEP = 4.0  # seconds in which the boundary moves across the picture and back
MARGIN = 0.05  # share of the width at either side that the boundary does not enter
BOUNDARY = 2  # width of the boundary in pixels
BACK, FORE = (20, 24, 29), (230, 233, 236)  # background and text colours
TICKS = 90000  # units of the time base in a second
LIMITED, BT601, BT709 = 1, 5, 1  # a value of FFmpeg's AVColorRange, and two matrix coefficients of H.273


def film_writer(
    path: Path, kind: str, films: Sequence[Film], frames: int, warn: Callable[[str], object]
) -> "FilmWriter":
    """Return the writer of a film of films.

    kind: video (side by side) or wipe. frames: how many are expected. path, warn: as for FilmWriter.
    """
    names, reference = [visible(name) for name in names_of([film.path for film in films])], films[0]
    if kind == "video":
        sheet = SideBySide(names, *reference.size)
    else:
        sheet = Wipe(names, *reference.size, float(frames / reference.rate))
    return FilmWriter(path, sheet, reference.rate, warn)


class SideBySide:
    """All pictures in a row, or in several rows if one would be wider than WIDEST, each below its film's name."""

    def __init__(self, names: list[str], width: int, height: int):
        self._columns = min(len(names), max(1, WIDEST // width))
        rows = -(-len(names) // self._columns)
        self._bars = [_bar(width, height, left=name) for name in names]
        self._cell = len(self._bars[0]) + height, width
        self.size = self._columns * width, rows * self._cell[0]

    def draw(self, seconds: float, pictures: list[np.ndarray]) -> np.ndarray:
        """Return one frame, uint8 [H, W, 3]."""
        sheet = np.full((*self.size[::-1], 3), BACK, np.uint8)
        high, wide = self._cell
        for i, cell in enumerate(zip(self._bars, pictures, strict=True)):
            row, column = divmod(i, self._columns)
            sheet[row * high :][:high, column * wide :][:, :wide] = np.concatenate(cell)
        return sheet


class Wipe:
    """The first film left of a moving boundary and another one right of it; the other one changes with each sweep.

    seconds: length of the video, from which a shorter sweep may follow so that all films are shown.
    """

    def __init__(self, names: list[str], width: int, height: int, seconds: float):
        self._others = len(names) - 1
        self._sweep = min(SWEEP, seconds / self._others) if seconds else SWEEP
        self._bars = [_bar(width, height, left=names[0], right=name) for name in names[1:]]
        self.size = width, len(self._bars[0]) + height

    def draw(self, seconds: float, pictures: list[np.ndarray]) -> np.ndarray:
        """Return one frame, uint8 [H, W, 3]."""
        reference, *others = pictures
        turn, phase = divmod(seconds / self._sweep, 1)
        which, width = int(turn) % self._others, reference.shape[1]
        edge = round(width * (0.5 - (0.5 - MARGIN) * cos(2 * pi * phase)))
        picture = others[which].copy()
        picture[:, :edge] = reference[:, :edge]
        picture[:, edge : edge + BOUNDARY] = 255
        return np.concatenate((self._bars[which], picture))


class FilmWriter:
    """Writes the frames of a SideBySide or a Wipe to a video file; used as a context manager.

    path: file to write; its extension selects the format.
    sheet: object that draws the frames.
    rate: frames a second.
    warn: function that gets a sentence about each property that the format cannot represent.
    Raises OptionError for an unknown extension, OSError.
    """

    def __init__(self, path: Path, sheet: SideBySide | Wipe, rate: Fraction, warn: Callable[[str], object]):
        self._sheet = sheet
        width, height = (side + side % 2 for side in sheet.size)
        matrix = BT601 if height < 720 else BT709
        self._format = VideoFormat(
            width, height, rate, Fraction(1, TICKS), color_range=LIMITED, colorspace=matrix, samples=YUV420P
        )
        self._sink = VideoSink(path, self._format, warn=warn)
        self._start: Fraction | None = None

    def add(self, frame: int, seconds: Fraction, pictures: list[np.ndarray]) -> None:
        """Write a frame of `pictures`, uint8 [H, W, 3]. The first call's `seconds` become time 0 of the video."""
        self._start = seconds if self._start is None else self._start
        seconds -= self._start
        self._sink.write(self._picture(self._sheet.draw(float(seconds), pictures), round(seconds * TICKS)))

    def _picture(self, pixels: np.ndarray, pts: int) -> Picture:
        video = self._format
        odd = (video.height - pixels.shape[0], video.width - pixels.shape[1])
        pixels = np.pad(pixels, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(
            format="yuv420p", dst_colorspace=video.colorspace, dst_color_range=video.color_range
        )
        return Picture(tuple(samples(plane, YUV420P) for plane in frame.planes), pts, round(TICKS / video.frame_rate))

    def __enter__(self) -> "FilmWriter":
        self._sink.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._sink.__exit__(*error)


def _bar(width: int, height: int, left: str, right: str = "") -> np.ndarray:
    """Return a strip, uint8 [H, W, 3], with one name at its left end or two names at both ends, shortened to fit."""
    size = min(max(14, height // 24), 48)
    font = ImageFont.load_default(size)
    bar = Image.new("RGB", (width, 2 * (size * 7 // 8)), BACK)
    draw, gap = ImageDraw.Draw(bar), size // 2
    room = width / (2 if right else 1) - 2 * gap
    draw.text((gap, bar.height / 2), _cut(left, font, room), FORE, font, anchor="lm")
    draw.text((width - gap, bar.height / 2), _cut(right, font, room), FORE, font, anchor="rm")
    return np.asarray(bar)


def _cut(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…" if text else ""
