# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures <-> arrays of R'G'B' pixels, as image libraries have them; FFmpeg converts."""

import av
import numpy as np

from gvc.errors import MediaError
from gvc.media import FULL_RANGE, Picture, VideoFormat

from .convert import CONVERTED, samples
from .sink import video_frame

LIMITED, BT601, BT709, HD_LINES = 1, 6, 1, 720
PIXELS = "rgb24"
THREADS = 1  # with several, libswscale 9.5 now and then leaves out a row of pixels of odd width on their way to 10 bits


def to_rgb(picture: Picture, video_format: VideoFormat) -> np.ndarray:
    """Return the pixels of a picture.

    Args:
        picture: a picture in any sample format.
        video_format: the format of its video. An unspecified range is limited, and an unspecified matrix is BT.601
            below 720 lines and BT.709 from there on.
    Returns:
        R'G'B', uint8 [H, W, 3], 0..255.
    """
    frame, colour = video_frame(picture, video_format), _colour(video_format, "src")
    return frame.reformat(format=PIXELS, threads=THREADS, **colour).to_ndarray()


def from_rgb(pixels: np.ndarray, video_format: VideoFormat) -> Picture:
    """Return a picture, without a time, of pixels; the inverse of `to_rgb`.

    Args:
        pixels: R'G'B', uint8 [H, W, 3], 0..255.
        video_format: the format that the picture is to have, of the same width and height.
    Raises MediaError for an array of another shape or type.
    """
    shape = (video_format.height, video_format.width, 3)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise MediaError(f"the pixels must be uint8 {list(shape)}, not {pixels.dtype} {list(pixels.shape)}")
    frame, kind = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), PIXELS), video_format.samples
    converted = frame.reformat(format=kind.pix_fmt, threads=THREADS, **_colour(video_format, "dst"))
    return Picture(tuple(samples(plane, kind).copy() for plane in converted.planes))


def usual_matrix(height: int) -> int:
    """Return the matrix coefficients (H.273) that players expect in a picture with so many lines."""
    return BT601 if height < HD_LINES else BT709


def _colour(video: VideoFormat, side: str) -> dict[str, int]:
    """Return what PyAV's `reformat` is to know of a format on a side of the conversion, "src" or "dst"."""
    if video.samples.rgb:
        return {}
    matrix = video.colorspace if video.colorspace in CONVERTED else usual_matrix(video.height)
    span = FULL_RANGE if video.color_range == FULL_RANGE else LIMITED
    return {f"{side}_colorspace": matrix, f"{side}_color_range": span}
