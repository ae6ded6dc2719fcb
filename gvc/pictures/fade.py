# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Cross-fades in integers: a plain mean between two pictures, and what hides the loss of a GOP."""

from collections.abc import Iterable

import numpy as np


def fade(first: np.ndarray, last: np.ndarray, indices: Iterable[int], span: int) -> np.ndarray:
    """Return the rounded mix of two planes, uint8 [H, W], at i / span for each index, uint8 [len(indices), H, W].

    span: 1..256, so that 16 bits hold all sums.
    """
    a, b = first.astype(np.uint16), last.astype(np.uint16)
    pictures = [((a * (span - i) + b * i + span // 2) // span).astype(np.uint8) for i in indices]
    return np.array(pictures, np.uint8).reshape(len(pictures), *first.shape)
