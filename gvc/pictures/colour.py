# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Colour arithmetic: conversion between Y'CbCr and R'G'B', quantised sample codes, and chroma resampling.

All functions work on float32 arrays of NumPy and of torch, so this file imports neither type.
A stream may leave three properties unspecified. The defaults are: limited range; the matrix of BT.601 below 720 lines
and of BT.709 otherwise; chroma siting "left". An unsupported matrix or siting is treated as unspecified.
A wrong default costs the model some realism but no colour accuracy: the decoder applies the inverse conversion.
"""

from typing import TypeVar

import numpy as np

from ..media import FULL_RANGE, VideoFormat

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)  # Kr, Kb of ITU-R BT.601, BT.709, BT.2020
MATRICES = {1: BT709, 4: (0.30, 0.11), 5: BT601, 6: BT601, 7: (0.212, 0.087), 9: BT2020}  # H.273 MatrixCoefficients
# AVChromaLocation -> whether chroma samples coincide with luma samples (vertically, horizontally). Samples that do not
# coincide lie midway between two luma samples.
CO_SITED = {2: (False, False), 3: (True, True), 4: (True, False)}
LEFT = (False, True)

Array = TypeVar("Array")  # np.ndarray or torch.Tensor, float32, [..., H, W]


def quantisation(video: VideoFormat) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (zero, scale) for luma and for chroma, where code = zero + scale * value.

    Values are Y' in [0, 1], Cb and Cr in [-0.5, 0.5].
    """
    extra = video.samples.depth - 8
    if video.color_range == FULL_RANGE:
        return (0, (256 << extra) - 1), (128 << extra, (256 << extra) - 1)
    return (16 << extra, 219 << extra), (128 << extra, 224 << extra)


def ycbcr_to_rgb(y: Array, cb: Array, cr: Array, video: VideoFormat) -> tuple[Array, Array, Array]:
    """Convert full-resolution Y', Cb, Cr to R', G', B' in [0, 1]; colours outside the gamut exceed this range."""
    kr, kb = _matrix(video)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return red, (y - kr * red - kb * blue) / (1 - kr - kb), blue


def rgb_to_ycbcr(red: Array, green: Array, blue: Array, video: VideoFormat) -> tuple[Array, Array, Array]:
    """Convert R', G', B' in [0, 1] to Y', Cb, Cr of the same resolution."""
    kr, kb = _matrix(video)
    y = kr * red + (1 - kr - kb) * green + kb * blue
    return y, (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))


def double_chroma(plane: Array, video: VideoFormat) -> Array:
    """Upsample a 4:2:0 chroma plane to full resolution."""
    vertical, horizontal = CO_SITED.get(video.chroma_location, LEFT)
    return _double(_double(plane, -2, vertical), -1, horizontal)[..., : video.height, : video.width]


def halve_chroma(plane: Array, video: VideoFormat) -> Array:
    """Downsample a full-resolution chroma plane to 4:2:0; sizes are rounded up."""
    vertical, horizontal = CO_SITED.get(video.chroma_location, LEFT)
    return _halve(_halve(plane, -1, horizontal), -2, vertical)


def matrix_of(video: VideoFormat) -> int:
    """Return the matrix coefficients in use, a key of MATRICES."""
    return video.colorspace if video.colorspace in MATRICES else 5 if video.height < 720 else 1


def _matrix(video: VideoFormat) -> tuple[float, float]:
    """Return the luma coefficients Kr, Kb."""
    return MATRICES[matrix_of(video)]


def _along(x: Array, axis: int, index: slice) -> tuple:
    """Return the tuple that, used as a subscript of x, selects `index` along `axis`."""
    return (slice(None),) * (axis % x.ndim) + (index,)


def _taken(x: Array, axis: int, index: np.ndarray) -> Array:
    """Return the samples of x with these indices along `axis`, in memory row by row.

    A subscript of a NumPy array with indices for the last axis would give columns one after another, which makes all
    arithmetic with them slow.
    """
    return x.take(index, axis) if isinstance(x, np.ndarray) else x[(slice(None),) * (axis % x.ndim) + (index,)]


def _double(x: Array, axis: int, co_sited: bool) -> Array:
    """Double an axis by linear interpolation.

    The taps are (1), (1/2 1/2) for samples that coincide with luma, and (1/4 3/4), (3/4 1/4) for others.
    """
    n = np.arange(x.shape[axis])
    after, doubled = _taken(x, axis, np.minimum(n + 1, n[-1])), _taken(x, axis, np.repeat(n, 2))
    even, odd = (_along(x, axis, slice(start, None, 2)) for start in (0, 1))
    if co_sited:
        doubled[odd] = (x + after) / 2
    else:
        doubled[even], doubled[odd] = (_taken(x, axis, np.maximum(n - 1, 0)) + 3 * x) / 4, (3 * x + after) / 4
    return doubled


def _halve(x: Array, axis: int, co_sited: bool) -> Array:
    """Halve an axis; edges are repeated.

    The taps are (1/4 1/2 1/4) for samples that coincide with luma, and (1/2 1/2) for others.
    """
    n = np.arange(0, x.shape[axis], 2)
    here, after = (_taken(x, axis, i) for i in (n, np.minimum(n + 1, x.shape[axis] - 1)))
    if not co_sited:
        return (here + after) / 2
    return (_taken(x, axis, np.maximum(n - 1, 0)) + 2 * here + after) / 4
