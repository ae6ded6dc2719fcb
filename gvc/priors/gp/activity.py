# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Where in the picture a residual is to be expected: where the boundary pictures are busy, or differ.

The residual is modelled as an activity map times a stationary process, so flat places get little of the noise that
coding leaves, and busy ones, where the eye sees it least, get more. The map is made from decoded stills alone (no
bits), in integers and square roots (gvc/native/activity.cpp), so that it is the same on every machine.
"""

import numpy as np

from ..._native import activity_roots
from ...prior import Condition


def activity_maps(condition: Condition) -> list[np.ndarray | None]:
    """Return the expected deviation at each sample, float32 [H, W] a plane, mean square 1; None: 1 everywhere."""
    if condition.first is None:
        return [None] * len(condition.format.plane_shapes)
    lasts = condition.last or [None] * len(condition.first)
    return [_map(first, last) for first, last in zip(condition.first, lasts, strict=True)]


def _map(first: np.ndarray, last: np.ndarray | None) -> np.ndarray:
    """Return the square root of the activity, which is the fourth root of the local variance and difference."""
    root = activity_roots(first, last)
    return np.sqrt(root * float(root.size) / float(root.sum())).astype(np.float32)
