"""8-bit 4:2:0 pictures <-> the RGB tensors that video models are trained on.

Three things a stream may leave open are settled here: an unspecified range is limited, an unspecified (or unsupported)
matrix is BT.601 below 720 lines and BT.709 from there, unspecified (or unsupported) chroma siting is left.
A wrong guess costs the model some realism but no colour fidelity: the way back is the inverse of the way there.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from .media import VideoFormat

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)  # Kr, Kb of ITU-R BT.601, BT.709, BT.2020
MATRICES = {1: BT709, 4: (0.30, 0.11), 5: BT601, 6: BT601, 7: (0.212, 0.087), 9: BT2020}  # by H.273 MatrixCoefficients
FULL_RANGE = 2  # AVCOL_RANGE_JPEG
# Whether chroma samples sit on luma samples, else midway between two: (vertically, horizontally), by AVChromaLocation.
CO_SITED = {2: (False, False), 3: (True, True), 4: (True, False)}
LEFT = (False, True)


def to_rgb(clip: tuple[np.ndarray, np.ndarray, np.ndarray], video_format: VideoFormat, device="cpu") -> Tensor:
    """Return float32 R'G'B' [1, 3, T, H, W] in [-1, 1] of uint8 planes Y [T, H, W], Cb, Cr [T, (H+1)//2, (W+1)//2]."""
    y, cb, cr = (torch.tensor(np.ascontiguousarray(plane), device=device).float() for plane in clip)  # 8 bits travel
    (y_zero, y_scale), (c_zero, c_scale) = _quantisation(video_format)
    vertical, horizontal = CO_SITED.get(video_format.chroma_location, LEFT)
    height, width = y.shape[-2:]
    y = (y - y_zero) / y_scale
    cb, cr = (
        (_double(_double(c, -2, vertical), -1, horizontal)[..., :height, :width] - c_zero) / c_scale for c in (cb, cr)
    )
    kr, kb = _matrix(video_format)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return (2 * torch.stack((red, green, blue))[None] - 1).clamp(-1, 1)


def from_rgb(rgb: Tensor, video_format: VideoFormat) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the uint8 planes Y, Cb, Cr [T, H, W] (chroma halved, rounded up) of R'G'B' [1, 3, T, H, W] in [-1, 1]."""
    red, green, blue = (rgb[0].float() + 1) / 2
    kr, kb = _matrix(video_format)
    y = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))
    (y_zero, y_scale), (c_zero, c_scale) = _quantisation(video_format)
    vertical, horizontal = CO_SITED.get(video_format.chroma_location, LEFT)
    cb, cr = (_halve(_halve(c, -1, horizontal), -2, vertical) * c_scale + c_zero for c in (cb, cr))
    return tuple(p.round().clamp(0, 255).to(torch.uint8).cpu().numpy() for p in (y * y_scale + y_zero, cb, cr))


def pad_to_multiple(video: Tensor, frames: int, multiple: int) -> Tensor:
    """Repeat last frame, bottom row and right column of [1, C, T, H, W] up to `frames` and multiples of `multiple`."""
    length, height, width = video.shape[-3:]
    return pad(video, (0, -width % multiple, 0, -height % multiple, 0, frames - length), mode="replicate")


def _quantisation(video_format: VideoFormat) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (zero, scale) of luma and of chroma: code = zero + scale * value, Y' in [0, 1], Cb and Cr in [-.5, .5]."""
    return ((0, 255), (128, 255)) if video_format.color_range == FULL_RANGE else ((16, 219), (128, 224))


def _matrix(video_format: VideoFormat) -> tuple[float, float]:
    """Return Kr, Kb."""
    return MATRICES.get(video_format.colorspace, BT601 if video_format.height < 720 else BT709)


def _double(x: Tensor, axis: int, co_sited: bool) -> Tensor:
    """Upsample by linear interpolation: taps (1), (1/2 1/2) where samples coincide, (1/4 3/4), (3/4 1/4) where not."""
    n = torch.arange(x.shape[axis], device=x.device)
    before, after = x.index_select(axis, (n - 1).clamp(min=0)), x.index_select(axis, (n + 1).clamp(max=n[-1].item()))
    even, odd = (x, (x + after) / 2) if co_sited else ((before + 3 * x) / 4, (3 * x + after) / 4)
    axis %= x.ndim
    return torch.stack((even, odd), axis + 1).flatten(axis, axis + 1)


def _halve(x: Tensor, axis: int, co_sited: bool) -> Tensor:
    """Downsample with the taps (1/4 1/2 1/4) where samples coincide, (1/2 1/2) where not; edges are repeated."""
    size = x.shape[axis]
    n = torch.arange(0, size, 2, device=x.device)
    here, after = x.index_select(axis, n), x.index_select(axis, (n + 1).clamp(max=size - 1))
    if not co_sited:
        return (here + after) / 2
    return (x.index_select(axis, (n - 1).clamp(min=0)) + 2 * here + after) / 4
