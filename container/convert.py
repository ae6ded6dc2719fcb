# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Convert decoded frames to a format that the encoder takes, with the filters that FFmpeg's program would use."""

from collections.abc import Callable
from functools import cache
from math import atan2, degrees, floor, hypot

import av
import av.filter
import numpy as np

from gvc.media import SAMPLE_FORMATS, YUV420P, SampleFormat

SCALER = "bicubic"  # Default scaler of FFmpeg's program
# With more threads PyAV's `reformat` sometimes damages a row of a 10-bit picture (findings/swscale_threads_10_bits.sh).
REFORMAT_THREADS = 1
COLOURS = 3  # Number of components of a colour format; formats with fewer are grey
UNKNOWN, FULL = 0, 2  # Values of AVColorRange
IDENTITY, UNSPECIFIED = 0, 2  # Matrix coefficients of H.273
CONVERTED = (1, 4, 5, 6, 7, 9)  # Matrix coefficients that libswscale can convert
LAYOUT = ("width", "height", "pixel format", "range", "matrix", "rotation")
RIGHT_ANGLE = 90
OPAQUE = 255


class Converter:
    """Applies the rotation of frames and converts all of them to the sample format, size and colour of the first one.

    Args:
        first: first frame.
        hidden: numbers of rows and columns to cut off at the top, bottom, left and right.
        notice: function called with the names of the properties in which a frame differs from the one before.

    Attributes:
        first: first frame, converted.
        samples: sample format of the converted frames.
        color_range, colorspace: FFmpeg's AVColorRange, and the matrix coefficients of H.273.
        sideways: whether frames are turned by 90 or 270 degrees.
    """

    def __init__(self, first: av.VideoFrame, hidden: tuple[int, int, int, int], notice: Callable[[list[str]], None]):
        self._notice = notice
        self.samples = nearest_format(first.format)
        self.color_range = _range(first.format.name, int(first.color_range))
        self.colorspace = IDENTITY if self.samples.rgb else int(first.colorspace)
        self._crop, self._size = crop(hidden), ""
        steps = self._steps(first)
        self.sideways = any(step.startswith("transpose") for step in steps)
        self._layout, self._graph = _layout(first), None
        if steps or _plain(first.format.name) != self.samples.pix_fmt:
            self._graph = self._filters(first)
        self.first = self.convert(first)
        self._size = f"{self.first.width}:{self.first.height}:"

    def convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the frame in the common format, the same object if it has that already. Colour tags may be lost."""
        layout = _layout(frame)
        if layout != self._layout:
            pairs = zip(LAYOUT, layout, self._layout, strict=True)
            self._notice([name for name, now, before in pairs if now != before])
            self._layout, self._graph = layout, self._filters(frame)
        if self._graph is None:
            return frame
        # libavfilter refuses code points that it does not know. The conversion does not need these.
        frame.color_primaries = frame.color_trc = UNSPECIFIED
        frame.colorspace = _known(frame.colorspace)
        self._graph.vpush(frame)
        return self._graph.vpull()

    def _steps(self, frame: av.VideoFrame) -> list[str]:
        return [*self._crop, *upright(_display_matrix(frame))]

    def _filters(self, frame: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        shape = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1"
        scale = f"{self._size}flags={SCALER}"
        if not self.samples.rgb:
            scale += f":out_range={self.color_range}" * bool(self.color_range)
            scale += f":out_color_matrix={self.colorspace}" * (self.colorspace in CONVERTED)
        chain = [graph.add("buffer", f"{shape}:range={int(frame.color_range)}:colorspace={_known(frame.colorspace)}")]
        for step in (*self._steps(frame), f"scale={scale}", f"format={self.samples.pix_fmt}"):
            chain.append(graph.add(*step.split("=", 1)))
        graph.link_nodes(*chain, graph.add("buffersink")).configure()
        return graph


def nearest_format(given: av.VideoFormat) -> SampleFormat:
    """Return the sample format that loses least of a pixel format's colour and depth."""
    rgb = given.is_rgb or given.has_palette
    depth = 8 if given.has_palette or max(c.bits for c in given.components) <= 8 else 10
    halved = not rgb and (len(given.components) < COLOURS or given.chroma_width(2) == given.chroma_height(2) == 1)
    return next(s for s in SAMPLE_FORMATS if (s.rgb, s.depth, s.halved) == (rgb, depth, halved))


def samples(plane: av.video.plane.VideoPlane, kind: SampleFormat) -> np.ndarray:
    """Return the samples of a plane as an array [H, W] of the format's dtype, which shares the plane's memory."""
    rows = np.frombuffer(plane, kind.dtype).reshape(plane.height, abs(plane.line_size) // kind.dtype.itemsize)
    return rows[:: 1 if plane.line_size > 0 else -1, : plane.width]  # Negative line sizes mean rows from bottom to top


def crop(hidden: tuple[int, int, int, int]) -> list[str]:
    """Return FFmpeg's filters that cut off the hidden rows and columns at the top, bottom, left and right."""
    top, bottom, left, right = hidden
    return [f"crop=iw-{left}-{right}:ih-{top}-{bottom}:{left}:{top}"] if any(hidden) else []


def upright(matrix: list[int] | None) -> list[str]:
    """Return FFmpeg's filters that apply a display matrix.

    matrix: nine fixed-point numbers of 16.16 and 2.30 bits; None = no rotation.
    """
    if matrix is None or not (hypot(matrix[0], matrix[3]) and hypot(matrix[1], matrix[4])):
        return []
    turn = atan2(matrix[1] / hypot(matrix[1], matrix[4]), matrix[0] / hypot(matrix[0], matrix[3]))
    angle = round(degrees(turn))
    angle -= 360 * floor(angle / 360 + 0.9 / 360)
    if abs(angle - RIGHT_ANGLE) < 1:
        return ["transpose=cclock_flip" if matrix[3] > 0 else "transpose=clock"]
    if abs(angle - 2 * RIGHT_ANGLE) < 1:
        return ["hflip"] * (matrix[0] < 0) + ["vflip"] * (matrix[4] < 0)
    if abs(angle - 3 * RIGHT_ANGLE) < 1:
        return ["transpose=clock_flip" if matrix[3] < 0 else "transpose=cclock"]
    if abs(angle) > 1:
        return [f"rotate={angle}*PI/180"]
    return ["vflip"] if matrix[4] < 0 else []


def has_transparency(frame: av.VideoFrame) -> bool:
    """Return whether a frame has pixels that are not opaque."""
    if not _has_alpha(frame.format.name):
        return False
    *_, alpha = frame.reformat(format="gbrap").planes
    return bool(samples(alpha, YUV420P).min() < OPAQUE)


@cache
def _has_alpha(pix_fmt: str) -> bool:
    return any(component.is_alpha for component in av.VideoFormat(pix_fmt).components)


def _layout(frame: av.VideoFrame) -> tuple:
    name = frame.format.name
    full, matrix = _range(name, int(frame.color_range)) == FULL, _known(frame.colorspace)
    return frame.width, frame.height, _plain(name), full, matrix, frame.rotation


@cache
def _range(pix_fmt: str, color_range: int) -> int:
    """Return the range of samples after conversion. FFmpeg converts grey to limited range."""
    kind = av.VideoFormat(pix_fmt)
    if pix_fmt.startswith("yuvj"):
        return FULL
    grey = len(kind.components) < COLOURS and not kind.has_palette
    return UNKNOWN if grey else color_range


def _known(colorspace: int) -> int:
    return int(colorspace) if colorspace in (IDENTITY, *CONVERTED) else UNSPECIFIED


def _plain(name: str) -> str:
    return name.replace("yuvj", "yuv")


def _display_matrix(frame: av.VideoFrame) -> list[int] | None:
    try:
        data = frame.side_data["DISPLAYMATRIX"]
    except (KeyError, ValueError):  # PyAV raises ValueError if it does not know the kind of another entry
        return None
    return np.frombuffer(data, np.int32).tolist()
