# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Orthonormal bases in which the residual of a conditioned GOP is nearly uncorrelated.

In space this is the DCT-II. In time it is the Karhunen-Loeve basis of the conditioned process: between two known
pictures a Brownian bridge (DST-I over the pictures between them), after one known picture a Brownian motion (DST-VII),
without known pictures a stationary process (DCT-II). White noise stays white in all of them, so the flow may run on
coefficients.
"""

from collections.abc import Callable

import numpy as np

from .array_cache import cached

LONGEST = 4096  # longest side, in samples, that is transformed with a matrix; longer sides use the FFT
CACHE_BYTES = 2**27  # largest size in bytes of all cached matrices
AT_ONCE = 2**20  # values per step where a picture is processed in steps to bound the memory


@cached(CACHE_BYTES)
def cosine(size: int) -> np.ndarray:
    """Return the DCT-II matrix, float32 [size (frequency), size (sample)]; callers must not change it."""
    matrix, n = np.empty((size, size), np.float32), np.arange(size)
    step = max(1, AT_ONCE // size)
    for start in range(0, size, step):
        k = np.arange(start, min(start + step, size))[:, None]
        matrix[start : start + step] = np.sqrt(2 / size) * np.cos(np.pi * k * (2 * n + 1) / (2 * size))
    matrix[0] = np.sqrt(2 / size) * np.cos(0 * n) / np.sqrt(2)
    return matrix


def temporal(size: int, boundaries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the temporal basis of unknown pictures.

    size: number of unknown pictures.
    boundaries: number of known pictures next to them: 0, 1 (before them) or 2 (before and after them).

    Returns:
        (matrix float32 [size (frequency), size (picture)],
        frequencies float64 [size] in half cycles per picture, in [0, 1)).
    """
    k, n = np.ogrid[:size, :size]
    if boundaries == 0:
        return cosine(size), np.arange(size) / size
    if boundaries == 1:
        matrix = 2 / np.sqrt(2 * size + 1) * np.sin(np.pi * (2 * k + 1) * (n + 1) / (2 * size + 1))
        return matrix.astype(np.float32), (2 * np.arange(size) + 1) / (2 * size + 1)
    matrix = np.sqrt(2 / (size + 1)) * np.sin(np.pi * (k + 1) * (n + 1) / (size + 1))
    return matrix.astype(np.float32), np.arange(1, size + 1) / (size + 1)


def forward(pictures: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Transform pictures, float32 [T, H, W], into coefficients [T, H, W].

    time: temporal basis, float32 [T, T].
    """
    height, width = pictures.shape[1:]
    spatial = pictures @ cosine(width).T if width <= LONGEST else _fourier(_analysis, pictures, width)
    spatial = cosine(height) @ spatial if height <= LONGEST else _turned(_analysis, spatial, height)
    return np.tensordot(time, spatial, 1)


def inverse(coefficients: np.ndarray, time: np.ndarray, height: int, width: int) -> np.ndarray:
    """Transform a low-frequency corner of coefficients, float32 [T, h, w], into pictures [T, height, width]."""
    h, w = coefficients.shape[1:]
    spatial = np.tensordot(time.T, coefficients, 1)
    spatial = spatial @ cosine(width)[:w] if width <= LONGEST else _fourier(_synthesis, spatial, width)
    return cosine(height)[:h].T @ spatial if height <= LONGEST else _turned(_synthesis, spatial, height)


def _turned(transform: Callable, values: np.ndarray, size: int) -> np.ndarray:
    """Apply `_fourier` to [T, H, W] along the axis H."""
    return _fourier(transform, values.swapaxes(1, 2), size).swapaxes(1, 2)


def _fourier(transform: Callable, values: np.ndarray, size: int) -> np.ndarray:
    """Apply a transform to the last axis, a few rows at a time: float32 [T, H, n] -> float32 [T, H, size]."""
    result = np.empty((*values.shape[:2], size), np.float32)
    step = max(1, AT_ONCE // size)
    for picture, out in zip(values, result, strict=True):
        for row in range(0, len(picture), step):
            out[row : row + step] = transform(picture[row : row + step].astype(np.float64), size)
    return result


def _analysis(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the DCT-II of each row, computed by FFT; float64 [N, size]."""
    return _weights(size) * (_phases(size).conj() * np.fft.rfft(samples, 2 * size)[:, :size]).real


def _synthesis(coefficients: np.ndarray, size: int) -> np.ndarray:
    """Return the inverse DCT-II, computed by FFT, of the first n coefficients: float64 [N, n] -> [N, size]."""
    count = coefficients.shape[1]
    waves = coefficients * (_weights(size) * _phases(size))[:count]
    waves[:, 0] *= 2
    return size * np.fft.irfft(waves, 2 * size)[:, :size]


def _weights(size: int) -> np.ndarray:
    """Return the factors that make the DCT-II orthonormal, float64 [size]."""
    return np.sqrt(np.where(np.arange(size) > 0, 2.0, 1.0) / size)


def _phases(size: int) -> np.ndarray:
    """Return the factors between the DCT-II and the FFT of twice the length, complex128 [size]."""
    return np.exp(0.5j * np.pi * np.arange(size) / size)
