# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Activity maps: where in the picture a residual is expected, namely where the boundary pictures are busy or differ.

The residual is modelled as an activity map times a stationary process. So flat areas get little of the noise that
coding leaves, and busy areas, where it is least visible, get more. The map is computed from decoded stills and costs no
bits. It uses integers and square roots only (gvc/native/activity.cpp), so it is the same on every machine.
"""

import numpy as np

from ..._native import activity_roots
from ...prior import Condition


def activity_maps(condition: Condition) -> list[np.ndarray | None]:
    """Return the relative standard deviation expected at each sample, with a mean square of 1.

    Returns float32 [H, W] for each plane, or None for a plane without boundary pictures (1 everywhere).
    """
    if condition.first is None:
        return [None] * len(condition.format.plane_shapes)
    lasts = condition.last or [None] * len(condition.first)
    return [_map(first, last) for first, last in zip(condition.first, lasts, strict=True)]


def _map(first: np.ndarray, last: np.ndarray | None) -> np.ndarray:
    """Return a normalised map, the fourth root of the local variance and difference (square root of the activity)."""
    root = activity_roots(first, last)
    return np.sqrt(root * float(root.size) / float(root.sum())).astype(np.float32)
