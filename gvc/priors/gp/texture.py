"""Realism of `gp`: pictures are shown a little sharper, and with grain where they are busy; none is decoded from these.

A Gaussian process does not know texture: a sample of it is noise of the right energy in the wrong places, and what is
missing for want of motion would come as noise too. So only a part of the missing energy becomes grain, never more than
what is there bears, and stills, which AV1 has blurred, are sharpened by how coarse the stream is. All constants were
measured by LPIPS on seven clips at four qualities.
"""

import zlib
from functools import partial

import numpy as np

from ...parallel import each

FINE = np.array([1, 2, 1], np.float32) / 4
COARSE = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float32) / 256
AROUND = np.convolve(np.ones(9), np.ones(9)).astype(np.float32) / 81
SHARPER, SHARPEST = 0.15, 0.38  # by how much what is finer than FINE grows: a unit of noise where coding stops; at most
GRAIN = 0.1  # deviation of grain, in that of the error that is expected,
BORNE = 0.5  # or in that of what is finer than COARSE around a sample, where this is less


def textured(luma: np.ndarray, deviation: np.ndarray | float, sigma: float, realism: float) -> np.ndarray:
    """Return pictures with texture, uint8 [T, H, W] like `luma`.

    deviation: of the error that is expected, in samples: one number or float32 [H, W].
    sigma: noise level where coding stops.
    realism: 0..1, share of all that is done.
    """
    sharper = realism * min(SHARPER * sigma, SHARPEST)
    return np.array(each(partial(_textured, deviation, sharper, realism), luma), np.uint8).reshape(luma.shape)


def _textured(deviation: np.ndarray | float, sharper: float, realism: float, picture: np.ndarray) -> np.ndarray:
    plain = picture.astype(np.float32)
    busy = np.sqrt(_blurred((plain - _blurred(plain, COARSE)) ** 2, AROUND))
    # By the picture itself, so that grain is the same in all players and stands still where pictures do.
    noise = np.random.default_rng(zlib.crc32(picture)).standard_normal(picture.shape, np.float32)
    grain = realism * np.minimum(GRAIN * deviation, BORNE * busy) * noise
    return np.clip(np.rint(plain + sharper * (plain - _blurred(plain, FINE)) + grain), 0, 255).astype(np.uint8)


def _blurred(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return a picture, float32 [H, W], after a symmetric kernel along both axes; its edges go on outside."""
    for axis in (0, 1):
        size, reach = picture.shape[axis], len(kernel) // 2
        padded = np.pad(picture, [(reach * (i == axis),) * 2 for i in (0, 1)], "edge")
        parts = (padded[:, i : i + size] if axis else padded[i : i + size] for i in range(len(kernel)))
        picture = sum(part * weight for part, weight in zip(parts, kernel, strict=True))
    return picture
