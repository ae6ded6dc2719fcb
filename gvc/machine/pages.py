# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Memory for pictures that wait for long.

An encoder holds the pictures of a whole chain, and lets go of them one after another while it makes many short-lived
arrays. In the memory pool of the C library their places would be filled by halves, and never return to the system.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from mmap import mmap

import numpy as np

LEAST = 1 << 18  # Bytes of a picture from which it gets pages of its own; a process may have only so many mappings.


def copied(planes: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return copies of planes, uint8 [H, W], whose memory returns to the system when all of them are freed."""
    ends = list(accumulate((plane.size for plane in planes), initial=0))
    if ends[-1] < LEAST:
        return tuple(plane.copy() for plane in planes)
    memory = np.frombuffer(mmap(-1, ends[-1]), np.uint8)
    copies = tuple(memory[a:b].reshape(plane.shape) for (a, b), plane in zip(pairwise(ends), planes, strict=True))
    for copy, plane in zip(copies, planes, strict=True):
        copy[:] = plane
    return copies
