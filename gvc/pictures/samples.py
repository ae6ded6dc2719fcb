# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures in any sample format <-> the 8-bit 4:2:0 pictures that are coded.

The generative model and the boundary stills work on 8-bit 4:2:0. Pictures with more bits or more chroma samples are
reduced to that before coding, and decoded pictures are converted back to the original format; at the bitrates of this
codec the loss is not visible. RGB becomes full-range Y'CbCr. Syntax and arithmetic are in docs/BITSTREAM.md, "Sample
formats".
"""

import numpy as np

from ..media import YUV420P, Planes, SampleFormat, VideoFormat
from .colour import double_chroma, halve_chroma, quantisation, rgb_to_ycbcr, ycbcr_to_rgb


def to_coded(planes: Planes, video: VideoFormat) -> Planes:
    """Convert planes in the format `video` to Y, Cb, Cr, uint8 4:2:0, in the format `video.coded`."""
    if video.samples == YUV420P:
        return planes
    if video.samples.rgb:
        peak = np.float32(2**video.samples.depth - 1)
        green, blue, red = (plane / peak for plane in planes)
        y, cb, cr = rgb_to_ycbcr(red, green, blue, video)
    else:
        y, cb, cr = _values(planes, video)
    if not video.samples.halved:
        cb, cr = halve_chroma(cb, video), halve_chroma(cr, video)
    return _codes((y, cb, cr), video.coded)


def from_coded(planes: Planes, video: VideoFormat) -> Planes:
    """Convert Y, Cb, Cr, uint8 4:2:0, in the format `video.coded` to planes in the format `video`."""
    if video.samples == YUV420P:
        return planes
    y, cb, cr = _values(planes, video.coded)
    if not video.samples.halved:
        cb, cr = double_chroma(cb, video), double_chroma(cr, video)
    if not video.samples.rgb:
        return _codes((y, cb, cr), video)
    red, green, blue = ycbcr_to_rgb(y, cb, cr, video)
    peak = 2**video.samples.depth - 1
    return tuple(_rounded(plane * np.float32(peak), video.samples) for plane in (green, blue, red))


def _values(planes: Planes, video: VideoFormat) -> Planes:
    """Convert sample codes to float32 values: Y' in [0, 1], Cb and Cr in [-0.5, 0.5]."""
    luma, chroma = quantisation(video)
    return tuple(
        (plane.astype(np.float32) - zero) / np.float32(scale)
        for plane, (zero, scale) in zip(planes, (luma, chroma, chroma), strict=True)
    )


def _codes(planes: Planes, video: VideoFormat) -> Planes:
    """Convert float32 values to sample codes, the inverse of `_values`."""
    luma, chroma = quantisation(video)
    return tuple(
        _rounded(plane * np.float32(scale) + zero, video.samples)
        for plane, (zero, scale) in zip(planes, (luma, chroma, chroma), strict=True)
    )


def _rounded(plane: np.ndarray, samples: SampleFormat) -> np.ndarray:
    """Return the nearest samples to the values of a plane."""
    return plane.round().clip(0, 2**samples.depth - 1).astype(samples.dtype, order="C")
