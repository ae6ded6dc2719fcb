# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Cross-fades between two pictures in integer arithmetic: a simple prediction, and concealment of a lost GOP."""

from collections.abc import Iterable

import numpy as np


def fade(first: np.ndarray, last: np.ndarray, indices: Iterable[int], span: int) -> np.ndarray:
    """Return a rounded blend of two planes for each index i, in which `last` has the weight i / span.

    first, last: planes, uint8 [H, W].
    span: 1..256, so that all sums fit into 16 bits.
    Returns uint8 [len(indices), H, W].
    """
    a, b = first.astype(np.uint16), last.astype(np.uint16)
    pictures = [((a * (span - i) + b * i + span // 2) // span).astype(np.uint8) for i in indices]
    return np.array(pictures, np.uint8).reshape(len(pictures), *first.shape)
