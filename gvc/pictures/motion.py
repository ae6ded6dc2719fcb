# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Motion estimation between two pictures."""

from functools import partial

import numpy as np

from .._native import motion_field
from ..machine.parallel import each


def motion_fields(first: np.ndarray, last: np.ndarray, smoothness: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the motion fields from the first picture to the last and back (gvc/native/motion.cpp).

    first, last: luma, uint8 [H, W].
    """
    forth, back = each(partial(motion_field, smoothness=smoothness), (first, last), (last, first))
    return forth, back


def half_size(luma: np.ndarray) -> np.ndarray:
    """Return the rounded means of 2x2 samples: uint8 [H, W] -> uint8 [ceil(H / 2), ceil(W / 2)]."""
    if luma.shape[0] % 2 or luma.shape[1] % 2:
        luma = np.pad(luma, [(0, n % 2) for n in luma.shape], "edge")
    pairs = np.add(luma[::2], luma[1::2], dtype=np.uint16)  # Whole rows are added, because that is fastest.
    return ((pairs[:, ::2] + pairs[:, 1::2] + 2) >> 2).astype(np.uint8)
