"""Cross-fades in integers: a plain mean between two pictures, and what hides the loss of a GOP."""

from collections.abc import Iterable

import numpy as np


def fade(first: np.ndarray, last: np.ndarray, indices: Iterable[int], span: int) -> np.ndarray:
    """Return the rounded mix of two planes, uint8 [H, W], at i / span for each index, uint8 [len(indices), H, W]."""
    a, b = first.astype(np.int32), last.astype(np.int32)
    pictures = [(a * (span - i) + b * i + span // 2) // span for i in indices]
    return np.array(pictures, np.uint8).reshape(len(pictures), *first.shape)
