# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures <-> arrays of R'G'B' pixels, as image libraries have them."""

import numpy as np

from ..errors import MediaError
from ..media import SAMPLE_FORMATS, Picture, VideoFormat
from .colour import double_chroma, halve_chroma, rgb_to_ycbcr, ycbcr_to_rgb
from .samples import codes, rounded, values

PIXELS = next(samples for samples in SAMPLE_FORMATS if samples.pix_fmt == "gbrp")  # of which arrays are made
PEAK = np.float32(255)


def to_rgb(picture: Picture, video_format: VideoFormat) -> np.ndarray:
    """Return the pixels of a picture.

    Args:
        picture: a picture in any sample format.
        video_format: the format of its video. An unspecified range is limited, an unspecified matrix BT.601 below 720
            lines and BT.709 from there on.
    Returns:
        R'G'B', uint8 [H, W, 3], 0..255.
    """
    if video_format.samples.rgb:
        peak = np.float32(2**video_format.samples.depth - 1)
        green, blue, red = (plane / peak for plane in picture.planes)
    else:
        y, cb, cr = values(picture.planes, video_format)
        if video_format.samples.halved:
            cb, cr = double_chroma(cb, video_format), double_chroma(cr, video_format)
        red, green, blue = ycbcr_to_rgb(y, cb, cr, video_format)
    return np.stack([rounded(plane * PEAK, PIXELS) for plane in (red, green, blue)], axis=-1)


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
    red, green, blue = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) / PEAK
    if video_format.samples.rgb:
        peak = np.float32(2**video_format.samples.depth - 1)
        return Picture(tuple(rounded(plane * peak, video_format.samples) for plane in (green, blue, red)))
    y, cb, cr = rgb_to_ycbcr(red, green, blue, video_format)
    if video_format.samples.halved:
        cb, cr = halve_chroma(cb, video_format), halve_chroma(cr, video_format)
    return Picture(codes((y, cb, cr), video_format))
