# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Orthonormal bases in which the residual of a conditioned GOP is nearly uncorrelated.

In space this is the DCT-II. In time it is the Karhunen-Loeve basis of the conditioned process: between two known
pictures a Brownian bridge (DST-I over the pictures between them), after one known picture a Brownian motion (DST-VII),
without known pictures a stationary process (DCT-II). White noise stays white in all of them, so the flow may run on
coefficients.

Only low frequencies are computed. Where they are few, that is a product with some rows of the DCT's matrix, which for a
few frequencies is faster than an FFT.
"""

import numpy as np

from .array_cache import cached

LARGEST = 2**22  # largest number of values in a matrix; transforms that need more use the FFT
CACHE_BYTES = 2**25  # largest size in bytes of all cached matrices
AT_ONCE = 2**18  # values per step where a picture is processed in steps to bound the memory


@cached(CACHE_BYTES)
def cosine(count: int, size: int) -> np.ndarray:
    """Return the first rows of the DCT-II matrix, float32 [count (frequency), size (sample)].

    Callers must not change it.
    """
    matrix, n = np.empty((count, size), np.float32), np.arange(size)
    step = max(1, AT_ONCE // size)
    for start in range(0, count, step):
        k = np.arange(start, min(start + step, count))[:, None]
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
        return cosine(size, size), np.arange(size) / size
    if boundaries == 1:
        matrix = 2 / np.sqrt(2 * size + 1) * np.sin(np.pi * (2 * k + 1) * (n + 1) / (2 * size + 1))
        return matrix.astype(np.float32), (2 * np.arange(size) + 1) / (2 * size + 1)
    matrix = np.sqrt(2 / (size + 1)) * np.sin(np.pi * (k + 1) * (n + 1) / (size + 1))
    return matrix.astype(np.float32), np.arange(1, size + 1) / (size + 1)


def corner(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the low-frequency corner [height, width] of the coefficients of a picture, float32 [H, W]."""
    if _has_matrix(height, picture.shape[0]):
        return _analysed(_analysed(picture.T, height).T, width)
    return _analysed(_analysed(picture, width).T, height).T


def picture_of(coefficients: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the picture [height, width] of a low-frequency corner of coefficients, float32 [h, w]."""
    return _synthesised(_synthesised(coefficients, width).T, height).T


def _has_matrix(count: int, size: int) -> bool:
    """Return whether the first `count` frequencies of `size` samples are computed with a matrix."""
    return count * size <= LARGEST


def _analysed(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` coefficients of each row, float32 [N, size] -> [N, count]."""
    size = rows.shape[1]
    return rows @ cosine(count, size).T if _has_matrix(count, size) else _in_steps(_analysis, rows, count, size)


def _synthesised(rows: np.ndarray, size: int) -> np.ndarray:
    """Return the rows of which these are the first coefficients, float32 [N, count] -> [N, size]."""
    count = rows.shape[1]
    return rows @ cosine(count, size) if _has_matrix(count, size) else _in_steps(_synthesis, rows, size, size)


def _in_steps(transform, values: np.ndarray, count: int, size: int) -> np.ndarray:
    """Apply a transform by FFT to a few rows at a time: float32 [N, n] -> float32 [N, count]."""
    result = np.empty((len(values), count), np.float32)
    step = max(1, AT_ONCE // size)
    for row in range(0, len(values), step):
        result[row : row + step] = transform(values[row : row + step].astype(np.float64), size)[:, :count]
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
