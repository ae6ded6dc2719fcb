# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures in any sample format <-> the 8-bit 4:2:0 pictures that are coded.

The generative model and the boundary stills work on 8-bit 4:2:0. Pictures with more bits or more chroma samples are
reduced to that before coding, and decoded pictures are converted back to the original format; at the bitrates of this
codec the loss is not visible. RGB becomes full-range Y'CbCr. Syntax and arithmetic are in docs/BITSTREAM.md, "Sample
formats".
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..media import YUV420P, Planes, SampleFormat, VideoFormat
from .colour import double_chroma, halve_chroma, matrix_of, quantisation, rgb_to_ycbcr, ycbcr_to_rgb

STRIP = 32  # Rows of halved chroma that are converted at a time, few enough for the processor's cache


def to_coded(planes: Planes, video: VideoFormat) -> Planes:
    """Convert planes in the format `video` to Y, Cb, Cr, uint8 4:2:0, in the format `video.coded`."""
    return planes if video.samples == YUV420P else _by_strips(_to_coded, planes, video, video, video.coded)


def from_coded(planes: Planes, video: VideoFormat) -> Planes:
    """Convert Y, Cb, Cr, uint8 4:2:0, in the format `video.coded` to planes in the format `video`."""
    return planes if video.samples == YUV420P else _by_strips(_from_coded, planes, video, video.coded, video)


def _by_strips(
    convert: Callable[[Planes, VideoFormat], Planes],
    planes: Planes,
    video: VideoFormat,
    source: VideoFormat,
    target: VideoFormat,
) -> Planes:
    """Convert planes of the format `source` to the format `target` by strips.

    Each strip is converted as a picture of its own. It has a row of halved chroma more at each side, on which the rows
    beside it depend.

    convert: function that gets planes and their format, of which height and matrix are set for the strip.
    video: the format that it gets, one of the other two.
    """
    known, rows = replace(video, colorspace=matrix_of(video)), (video.height + 1) // 2
    converted = tuple(np.empty(shape, target.samples.dtype) for shape in target.plane_shapes)
    for first in range(0, rows, STRIP):
        last = min(first + STRIP, rows)
        low, high = max(first - 1, 0), min(last + 1, rows)
        strip = replace(known, height=min(2 * high, video.height) - 2 * low)
        parts = convert(tuple(plane[r] for plane, r in zip(planes, _slices(source, low, high), strict=True)), strip)
        inner, outer = _slices(target, first - low, last - low), _slices(target, first, last)
        for plane, part, r, own in zip(converted, parts, outer, inner, strict=True):
            plane[r] = part[own]
    return converted


def _slices(video: VideoFormat, first: int, last: int) -> tuple[slice, slice, slice]:
    """Return the rows of each plane from one row of halved chroma to another."""
    luma = slice(2 * first, 2 * last)
    chroma = slice(first, last) if video.samples.halved else luma
    return luma, chroma, chroma


def _to_coded(planes: Planes, video: VideoFormat) -> Planes:
    if video.samples.rgb:
        peak = np.float32(2**video.samples.depth - 1)
        green, blue, red = (plane / peak for plane in planes)
        y, cb, cr = rgb_to_ycbcr(red, green, blue, video)
    else:
        y, cb, cr = _values(planes, video)
    if not video.samples.halved:
        cb, cr = halve_chroma(cb, video), halve_chroma(cr, video)
    return _codes((y, cb, cr), video.coded)


def _from_coded(planes: Planes, video: VideoFormat) -> Planes:
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
    return tuple(
        _divided(plane.astype(np.float32), zero, scale)
        for plane, (zero, scale) in zip(planes, _quantisations(video), strict=True)
    )


def _codes(planes: Planes, video: VideoFormat) -> Planes:
    """Convert float32 values to sample codes, the inverse of `_values`."""
    return tuple(
        _rounded(plane * np.float32(scale), video.samples, zero)
        for plane, (zero, scale) in zip(planes, _quantisations(video), strict=True)
    )


def _quantisations(video: VideoFormat) -> tuple[tuple[int, int], ...]:
    """Return (zero, scale) of each plane."""
    luma, chroma = quantisation(video)
    return luma, chroma, chroma


# These two work in the memory of their argument.


def _divided(plane: np.ndarray, zero: int, scale: int) -> np.ndarray:
    plane -= zero
    plane /= np.float32(scale)
    return plane


def _rounded(plane: np.ndarray, samples: SampleFormat, zero: int = 0) -> np.ndarray:
    """Return the nearest samples to the values of a plane, plus `zero`."""
    plane += zero
    np.rint(plane, out=plane)
    return plane.clip(0, 2**samples.depth - 1, out=plane).astype(samples.dtype)
