# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The arithmetic of colour: Y'CbCr and R'G'B', the codes of samples, halved chroma.

All of it works on float32 arrays of NumPy and of torch alike, so this file imports neither's type.
Three things a stream may leave open are settled here: an unspecified range is limited, an unspecified (or unsupported)
matrix is BT.601 below 720 lines and BT.709 from there, unspecified (or unsupported) chroma siting is left.
A wrong guess costs the model some realism but no colour fidelity: the way back is the inverse of the way there.
"""

from typing import TypeVar

import numpy as np

from ..media import FULL_RANGE, VideoFormat

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)  # Kr, Kb of ITU-R BT.601, BT.709, BT.2020
MATRICES = {1: BT709, 4: (0.30, 0.11), 5: BT601, 6: BT601, 7: (0.212, 0.087), 9: BT2020}  # by H.273 MatrixCoefficients
# Whether chroma samples sit on luma samples, else midway between two: (vertically, horizontally), by AVChromaLocation.
CO_SITED = {2: (False, False), 3: (True, True), 4: (True, False)}
LEFT = (False, True)

Array = TypeVar("Array")  # np.ndarray or torch.Tensor, float32, [..., H, W]


def quantisation(video: VideoFormat) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (zero, scale) of luma and of chroma: code = zero + scale * value, Y' in [0, 1], Cb and Cr in [-.5, .5]."""
    extra = video.samples.depth - 8
    if video.color_range == FULL_RANGE:
        return (0, (256 << extra) - 1), (128 << extra, (256 << extra) - 1)
    return (16 << extra, 219 << extra), (128 << extra, 224 << extra)


def ycbcr_to_rgb(y: Array, cb: Array, cr: Array, video: VideoFormat) -> tuple[Array, Array, Array]:
    """Return R', G', B' in [0, 1] (and beyond, where no such colour exists) of Y', Cb, Cr at full resolution."""
    kr, kb = _matrix(video)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return red, (y - kr * red - kb * blue) / (1 - kr - kb), blue


def rgb_to_ycbcr(red: Array, green: Array, blue: Array, video: VideoFormat) -> tuple[Array, Array, Array]:
    """Return Y', Cb, Cr at full resolution."""
    kr, kb = _matrix(video)
    y = kr * red + (1 - kr - kb) * green + kb * blue
    return y, (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))


def double_chroma(plane: Array, video: VideoFormat) -> Array:
    """Return a halved chroma plane at full resolution."""
    vertical, horizontal = CO_SITED.get(video.chroma_location, LEFT)
    return _double(_double(plane, -2, vertical), -1, horizontal)[..., : video.height, : video.width]


def halve_chroma(plane: Array, video: VideoFormat) -> Array:
    """Return a chroma plane halved in both directions, sizes rounded up."""
    vertical, horizontal = CO_SITED.get(video.chroma_location, LEFT)
    return _halve(_halve(plane, -1, horizontal), -2, vertical)


def _matrix(video: VideoFormat) -> tuple[float, float]:
    """Return Kr, Kb."""
    return MATRICES.get(video.colorspace, BT601 if video.height < 720 else BT709)


def _along(x: Array, axis: int, index: np.ndarray | slice) -> tuple:
    """Return what selects `index` along `axis` of x."""
    return (slice(None),) * (axis % x.ndim) + (index,)


def _double(x: Array, axis: int, co_sited: bool) -> Array:
    """Upsample by linear interpolation: taps (1), (1/2 1/2) where samples coincide, (1/4 3/4), (3/4 1/4) where not."""
    n = np.arange(x.shape[axis])
    before, after = (x[_along(x, axis, i)] for i in (np.maximum(n - 1, 0), np.minimum(n + 1, n[-1])))
    even, odd = (x, (x + after) / 2) if co_sited else ((before + 3 * x) / 4, (3 * x + after) / 4)
    doubled = x[_along(x, axis, np.repeat(n, 2))]
    doubled[_along(x, axis, slice(0, None, 2))], doubled[_along(x, axis, slice(1, None, 2))] = even, odd
    return doubled


def _halve(x: Array, axis: int, co_sited: bool) -> Array:
    """Downsample with the taps (1/4 1/2 1/4) where samples coincide, (1/2 1/2) where not; edges are repeated."""
    n = np.arange(0, x.shape[axis], 2)
    here, after = (x[_along(x, axis, i)] for i in (n, np.minimum(n + 1, x.shape[axis] - 1)))
    if not co_sited:
        return (here + after) / 2
    return (x[_along(x, axis, np.maximum(n - 1, 0))] + 2 * here + after) / 4
