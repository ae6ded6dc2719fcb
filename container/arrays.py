# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Conversion between pictures and arrays of R'G'B' pixels, as image libraries use them, by FFmpeg's libswscale."""

import av
import numpy as np

from gvc.errors import MediaError
from gvc.media import FULL_RANGE, Picture, VideoFormat

from .convert import CONVERTED, REFORMAT_THREADS, samples
from .sink import video_frame

LIMITED, BT601, BT709, HD_LINES = 1, 6, 1, 720  # Range, matrix below and from HD_LINES lines on, as players assume
PIXELS = "rgb24"


def to_rgb(picture: Picture, video_format: VideoFormat, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the pixels of a picture.

    Args:
        picture: picture in any sample format.
        video_format: format of its video. An unspecified range is taken as limited, an unspecified matrix as BT.601
            below 720 lines and BT.709 from there on.
        size: width and height to scale to. Default: those of the picture.
    Returns:
        R'G'B', uint8 [H, W, 3], 0..255.
    """
    frame, colour = video_frame(picture, video_format), _colour(video_format, "src")
    if size:
        colour |= {"width": size[0], "height": size[1], "interpolation": "AREA"}
    return frame.reformat(format=PIXELS, threads=REFORMAT_THREADS, **colour).to_ndarray()


def from_rgb(pixels: np.ndarray, video_format: VideoFormat) -> Picture:
    """Convert pixels to a picture without a pts. This is the inverse of `to_rgb`.

    Args:
        pixels: R'G'B', uint8 [H, W, 3], 0..255.
        video_format: format of the picture, with the same width and height.

    Raises MediaError for an array of another shape or type.
    """
    shape = (video_format.height, video_format.width, 3)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise MediaError(f"the pixels must be uint8 {list(shape)}, not {pixels.dtype} {list(pixels.shape)}")
    frame, kind = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), PIXELS), video_format.samples
    converted = frame.reformat(format=kind.pix_fmt, threads=REFORMAT_THREADS, **_colour(video_format, "dst"))
    return Picture(tuple(samples(plane, kind).copy() for plane in converted.planes))


def usual_matrix(height: int) -> int:
    """Return the matrix coefficients (H.273) that players expect in a picture with so many lines."""
    return BT601 if height < HD_LINES else BT709


def _colour(video: VideoFormat, side: str) -> dict[str, int]:
    """Return the arguments of PyAV's `reformat` for one side of a conversion, "src" or "dst"."""
    if video.samples.rgb:
        return {}
    matrix = video.colorspace if video.colorspace in CONVERTED else usual_matrix(video.height)
    span = FULL_RANGE if video.color_range == FULL_RANGE else LIMITED
    return {f"{side}_colorspace": matrix, f"{side}_color_range": span}
