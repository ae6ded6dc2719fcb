# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Realism of the bundled priors: a filter for shown pictures. Its output is never a reference for further decoding.

For `gp` it sharpens pictures a little and adds grain where they are busy. For `neural` it bounds the texture that the
network adds.

A Gaussian process does not know texture: a sample of it is noise of the right energy in the wrong places. Energy that
is missing because motion was not followed would become noise as well. So only a part of the missing energy is added as
grain, and no more than the detail around it masks. AV1 blurs stills, so pictures are sharpened, more so in coarser
streams. The constants were chosen by LPIPS on seven clips at four qualities; those for `neural` by LPIPS with two
networks and by DISTS, on six clips at one quality.
"""

import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np

from ..._native import blurred
from ...machine.parallel import each

FINE = np.array([1, 2, 1], np.float32) / 4  # low-pass filter whose complement is sharpened
COARSE = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float32) / 256  # low-pass filter whose complement is detail
AROUND = np.convolve(np.ones(9), np.ones(9)).astype(np.float32) / 81  # window of the local mean of squared detail
SHARPER, SHARPEST = 0.15, 0.38  # sharpening gain: SHARPER for each unit of sigma at the stop level, at most SHARPEST
# Standard deviation of grain: GRAIN times that of the expected error, but at most MASKED times that of local detail.
# With .1 calm water flickers 1.21 times as much as SVT-AV1's at equal bytes; with .08 it is 1.15, for 1 % by LPIPS.
GRAIN = 0.08
MASKED = 0.5
UNMASKED = 0.5  # change in sample values that remains invisible where there is no detail
# Rows that are filtered at a time, few enough for the processor's cache, and rows beside them on which they depend.
STRIP = 64
REACH = (len(COARSE) + len(AROUND)) // 2


def textured(luma: np.ndarray, deviation: np.ndarray | float, sigma: float, realism: float) -> np.ndarray:
    """Return luma with sharpening and grain, uint8 [T, H, W].

    luma: decoded pictures, uint8 [T, H, W].
    deviation: standard deviation of the expected error in samples, one number or float32 [H, W].
    sigma: noise level where coding stops.
    realism: strength of the filter, 0 (off) to 1.
    """
    sharper = realism * _sharper(sigma)
    return np.array(each(partial(_textured, deviation, sharper, realism), luma), np.uint8).reshape(luma.shape)


def _textured(deviation: np.ndarray | float, sharper: float, realism: float, picture: np.ndarray) -> np.ndarray:
    # The seed depends on the picture alone, so that grain is the same in all players and repeats in a still scene.
    noise = np.random.default_rng(zlib.crc32(picture)).standard_normal
    filtered = np.empty_like(picture)
    for rows, around, inner in _strips(picture.shape[0]):
        plain = picture[around].astype(np.float32)
        expected = deviation[rows] if isinstance(deviation, np.ndarray) else deviation
        deviations = realism * np.minimum(GRAIN * expected, MASKED * _detail(plain)[inner])
        grain = deviations * noise(filtered[rows].shape, np.float32)
        filtered[rows] = _samples(_sharpened(plain, sharper)[inner] + grain)
    return filtered


def _strips(height: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield the rows of each strip, those with the rows beside it, and where the first are among the latter."""
    for first in range(0, height, STRIP):
        last, low = min(first + STRIP, height), max(first - REACH, 0)
        yield slice(first, last), slice(low, last + REACH), slice(first - low, last - low)


def bounded(plain: np.ndarray, real: np.ndarray, sigma: float, realism: float) -> np.ndarray:
    """Limit a network's change of luma to what detail masks, and sharpen the result; uint8 [T, H, W].

    A network adds texture wherever it expects an error, also in flat areas, where it is visible. Its pictures are
    sharper already, so they are sharpened half as much as by `textured`.

    plain: decoded pictures. real: the network's pictures.
    sigma: noise level where coding stops.
    realism: strength, above 0 to 1.
    """
    sharper = realism * _sharper(sigma) / 2
    return np.array(each(partial(_bounded, sharper, realism), plain, real), np.uint8).reshape(plain.shape)


def _bounded(sharper: float, realism: float, plain: np.ndarray, real: np.ndarray) -> np.ndarray:
    filtered = np.empty_like(plain)
    for rows, around, inner in _strips(plain.shape[0]):
        start = plain[around].astype(np.float32)
        limit = (UNMASKED + MASKED * _detail(start)) / realism
        filtered[rows] = _samples(_sharpened(start + np.clip(real[around] - start, -limit, limit), sharper)[inner])
    return filtered


def _sharper(sigma: float) -> float:
    return min(SHARPER * sigma, SHARPEST)


def _sharpened(picture: np.ndarray, sharper: float) -> np.ndarray:
    return picture + sharper * (picture - blurred(picture, FINE))


def _samples(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _detail(picture: np.ndarray) -> np.ndarray:
    """Return the local standard deviation of the detail that COARSE removes, for each sample."""
    return np.sqrt(blurred((picture - blurred(picture, COARSE)) ** 2, AROUND))
