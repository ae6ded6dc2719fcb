# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Activity maps: where in the picture a residual is expected, namely where the boundary pictures are busy or differ.

The residual is modelled as an activity map times a stationary process. So flat areas get little of the noise that
coding leaves, and busy areas, where it is least visible, get more. The map is computed from decoded stills and costs no
bits. It uses integers and square roots only (gvc/native/activity.cpp), so it is the same on every machine.
"""

import numpy as np

from ... import _native


def activity_map(first: np.ndarray | None = None, last: np.ndarray | None = None) -> np.ndarray | None:
    """Return the relative standard deviation expected at each sample of a plane, with a mean square of 1.

    It is the fourth root of the local variance and difference (square root of the activity), normalised.

    first, last: boundary pictures, uint8 [H, W]; default none.
    Returns float32 [H, W], or None without boundary pictures (1 everywhere).
    """
    return None if first is None else _native.activity_map(first, last)
