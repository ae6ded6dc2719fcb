# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Metrics by formula: PSNR, and MS-SSIM (Wang, Simoncelli and Bovik 2003) by pytorch-msssim."""

import numpy as np

from .errors import needed
from .frames import Frames

PEAK = 255
BEST_PSNR = 100.0  # Value for equal pictures, whose PSNR is infinite.


def psnr_rgb(source: Frames, decoded: Frames) -> np.ndarray:
    """Return the PSNR of each picture in dB, float64 [T], from the mean squared error over all three colours."""
    return _psnr(source.rgb, decoded.rgb)


def psnr_y(source: Frames, decoded: Frames) -> np.ndarray:
    """Return the PSNR of each picture's luma in dB, float64 [T]."""
    return _psnr(source.luma, decoded.luma)


def _psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    error = np.square(a.astype(np.float32) - b).reshape(len(a), -1).mean(axis=1, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.minimum(10 * np.log10(PEAK**2 / error), BEST_PSNR)


def ms_ssim(source: Frames, decoded: Frames) -> np.ndarray:
    """Return the MS-SSIM of each picture, 0..1, float32 [T]: the mean over R', G' and B'. Raises MetricError."""
    torch, library = needed("torch"), needed("pytorch_msssim")
    a, b = (torch.from_numpy(frames.rgb).permute(0, 3, 1, 2).float() for frames in (source, decoded))
    return library.ms_ssim(a, b, data_range=PEAK, size_average=False).numpy()
