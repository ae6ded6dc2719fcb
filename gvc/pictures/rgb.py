# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""8-bit 4:2:0 pictures <-> the RGB tensors that video models are trained on."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from ..media import VideoFormat
from .colour import double_chroma, halve_chroma, quantisation, rgb_to_ycbcr, ycbcr_to_rgb


def to_rgb(clip: tuple[np.ndarray, np.ndarray, np.ndarray], video_format: VideoFormat, device="cpu") -> Tensor:
    """Convert uint8 planes Y [T, H, W], Cb, Cr [T, (H+1)//2, (W+1)//2] to float32 R'G'B' [1, 3, T, H, W] in [-1, 1]."""
    # Conversion to float happens on the device, so that only one byte a sample is transferred to it.
    y, cb, cr = (torch.tensor(np.ascontiguousarray(plane), device=device).float() for plane in clip)
    (y_zero, y_scale), (c_zero, c_scale) = quantisation(video_format)
    cb, cr = ((double_chroma(c, video_format) - c_zero) / c_scale for c in (cb, cr))
    rgb = ycbcr_to_rgb((y - y_zero) / y_scale, cb, cr, video_format)
    return (2 * torch.stack(rgb)[None] - 1).clamp(-1, 1)


def from_rgb(rgb: Tensor, video_format: VideoFormat) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Convert R'G'B' [1, 3, T, H, W] in [-1, 1] to uint8 planes Y [T, H, W], Cb, Cr [T, (H+1)//2, (W+1)//2]."""
    y, cb, cr = rgb_to_ycbcr(*((rgb[0].float() + 1) / 2), video_format)
    (y_zero, y_scale), (c_zero, c_scale) = quantisation(video_format)
    cb, cr = (halve_chroma(c, video_format) * c_scale + c_zero for c in (cb, cr))
    return tuple(p.round().clamp(0, 255).to(torch.uint8).cpu().numpy() for p in (y * y_scale + y_zero, cb, cr))


def pad_to_multiple(video: Tensor, frames: int, multiple: int) -> Tensor:
    """Pad [1, C, T, H, W] to `frames` pictures and to sides that are multiples of `multiple`.

    The padding repeats the last picture, the bottom row and the right column.
    """
    length, height, width = video.shape[-3:]
    return pad(video, (0, -width % multiple, 0, -height % multiple, 0, frames - length), mode="replicate")
