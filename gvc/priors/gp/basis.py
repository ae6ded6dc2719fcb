"""Orthonormal bases in which the residual of a conditioned GOP is nearly uncorrelated.

Space: the DCT-II. Time: the eigenvectors of what the conditioning leaves (Karhunen-Loeve): a Brownian bridge between
two known pictures (DST-I over the pictures between), a Brownian motion after one (DST-VII), a stationary process with
none (DCT-II). White noise stays white in each, so the flow may run on coefficients.
"""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=16)
def cosine(size: int) -> np.ndarray:
    """Return the DCT-II matrix, float32 [size (frequency), size (sample)]."""
    k, n = np.ogrid[:size, :size]
    matrix = np.sqrt(2 / size) * np.cos(np.pi * k * (2 * n + 1) / (2 * size))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


@lru_cache(maxsize=16)
def temporal(size: int, boundaries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the temporal basis of `size` unknown pictures next to 0, 1 (before) or 2 (both sides) known ones.

    Returns:
        (matrix float32 [size (frequency), size (picture)],
        frequencies float64 [size] in half cycles a picture, in [0, 1)).
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
    """Transform float32 [T, H, W] into coefficients [T, H, W]."""
    rows, columns = cosine(pictures.shape[1]), cosine(pictures.shape[2])
    spatial = rows @ (pictures @ columns.T)
    return np.tensordot(time, spatial, 1)


def inverse(coefficients: np.ndarray, time: np.ndarray, height: int, width: int) -> np.ndarray:
    """Transform a low-frequency corner of coefficients, float32 [T, h, w], into pictures [T, height, width]."""
    h, w = coefficients.shape[1:]
    spatial = np.tensordot(time.T, coefficients, 1)
    return cosine(height)[:h].T @ (spatial @ cosine(width)[:w])
