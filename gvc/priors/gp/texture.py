# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Realism of the bundled priors: how pictures are shown; none is decoded from these.

`gp` shows them a little sharper, and with grain where they are busy; what the network of `neural` makes is bounded.

A Gaussian process does not know texture: a sample of it is noise of the right energy in the wrong places, and what is
missing for want of motion would come as noise too. So only a part of the missing energy becomes grain, never more than
what is there bears, and stills, which AV1 has blurred, are sharpened by how coarse the stream is. Its constants were
measured by LPIPS on seven clips at four qualities, those for `neural` by LPIPS of two networks and DISTS on six at one.
"""

import zlib
from functools import partial

import numpy as np

from ...machine.parallel import each

FINE = np.array([1, 2, 1], np.float32) / 4
COARSE = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float32) / 256
AROUND = np.convolve(np.ones(9), np.ones(9)).astype(np.float32) / 81
SHARPER, SHARPEST = 0.15, 0.38  # by how much what is finer than FINE grows: a unit of noise where coding stops; at most
GRAIN = 0.1  # deviation of grain, in that of the error that is expected,
BORNE = 0.5  # or in that of what is finer than COARSE around a sample, where this is less
ANYWHERE = 0.5  # sample values that pictures bear where nothing is finer than COARSE


def textured(luma: np.ndarray, deviation: np.ndarray | float, sigma: float, realism: float) -> np.ndarray:
    """Return pictures with texture, uint8 [T, H, W] like `luma`.

    deviation: of the error that is expected, in samples: one number or float32 [H, W].
    sigma: noise level where coding stops.
    realism: 0..1, share of all that is done.
    """
    sharper = realism * _sharper(sigma)
    return np.array(each(partial(_textured, deviation, sharper, realism), luma), np.uint8).reshape(luma.shape)


def _textured(deviation: np.ndarray | float, sharper: float, realism: float, picture: np.ndarray) -> np.ndarray:
    plain = picture.astype(np.float32)
    # By the picture itself, so that grain is the same in all players and stands still where pictures do.
    noise = np.random.default_rng(zlib.crc32(picture)).standard_normal(picture.shape, np.float32)
    grain = realism * np.minimum(GRAIN * deviation, BORNE * _busy(plain)) * noise
    return _samples(_sharpened(plain, sharper) + grain)


def bounded(plain: np.ndarray, real: np.ndarray, sigma: float, realism: float) -> np.ndarray:
    """Return luma that a network has made look real, uint8 [T, H, W], with no more of that than pictures bear.

    A network puts texture where it expects an error, in flat places too, where one sees it at once. What is sharper
    already is sharpened half as much as by `textured`.
    """
    sharper = realism * _sharper(sigma) / 2
    return np.array(each(partial(_bounded, sharper, realism), plain, real), np.uint8).reshape(plain.shape)


def _bounded(sharper: float, realism: float, plain: np.ndarray, real: np.ndarray) -> np.ndarray:
    start = plain.astype(np.float32)
    limit = (ANYWHERE + BORNE * _busy(start)) / realism
    return _samples(_sharpened(start + np.clip(real - start, -limit, limit), sharper))


def _sharper(sigma: float) -> float:
    return min(SHARPER * sigma, SHARPEST)


def _sharpened(picture: np.ndarray, sharper: float) -> np.ndarray:
    return picture + sharper * (picture - _blurred(picture, FINE))


def _samples(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _busy(picture: np.ndarray) -> np.ndarray:
    """Return the deviation of what is finer than COARSE around each sample."""
    return np.sqrt(_blurred((picture - _blurred(picture, COARSE)) ** 2, AROUND))


def _blurred(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return a picture, float32 [H, W], after a symmetric kernel along both axes; its edges go on outside."""
    for axis in (0, 1):
        size, reach = picture.shape[axis], len(kernel) // 2
        padded = np.pad(picture, [(reach * (i == axis),) * 2 for i in (0, 1)], "edge")
        parts = (padded[:, i : i + size] if axis else padded[i : i + size] for i in range(len(kernel)))
        picture = sum(part * weight for part, weight in zip(parts, kernel, strict=True))
    return picture
