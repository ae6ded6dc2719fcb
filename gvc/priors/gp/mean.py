# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The conditional mean of a GOP: the prediction of its pictures from the boundary pictures alone.

All arithmetic is in integers, so that the mean is the same on every machine. The stream says which kind of mean is
used, and since gp/3 how to correct motion (gvc.priors.gp.correction).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..._native import motion_interpolate, motion_parts
from ...machine.parallel import each
from ...media import Clip
from ...pictures.fade import fade
from ...prior import Condition
from .correction import BLOCK

FLAT, HOLD, FADE, MOTION = range(4)
SHARP = 2  # first version that interpolates motion-compensated samples with four taps instead of two
CORRECTED = 3  # first version with corrections, and with MOTION for a single boundary
SMOOTHNESS = {1: 16, 2: 16, 3: 4, 4: 4}  # version -> weight of smoothness in the motion search


def choices(condition: Condition, version: int) -> list[int]:
    """Return the kinds of mean that a condition allows in a version."""
    if condition.first is None:
        return [FLAT]
    if condition.last is None:
        return [HOLD, MOTION] if version >= CORRECTED else [HOLD]
    return [FADE, MOTION]


def unknown_pictures(condition: Condition) -> slice:
    """Return the range of the GOP's pictures that are not boundaries."""
    return slice(int(condition.first is not None), condition.frames - int(condition.last is not None))


def still(condition: Condition, choice: int, colour: tuple[int, int, int]) -> Clip:
    """Return a mean without motion (FLAT, HOLD or FADE) of the unknown pictures, uint8 [T', H, W] for each plane.

    colour: Y, Cb, Cr of FLAT; not used otherwise.
    """
    span = unknown_pictures(condition)
    indices = range(span.start, span.stop)
    planes = []
    for i, shape in enumerate(condition.format.plane_shapes):
        if choice == FLAT:
            planes.append(np.full((len(indices), *shape), colour[i], np.uint8))
        elif choice == HOLD:
            planes.append(np.repeat(condition.first[i][None], len(indices), 0))
        else:
            planes.append(fade(condition.first[i], condition.last[i], indices, condition.frames - 1))
    return tuple(planes)


@dataclass(frozen=True)
class MotionMean:
    """The motion-compensated mean: boundaries warped along the motion between them and blended by time.

    A single boundary has no motion of its own; then only corrections move it.
    """

    condition: Condition
    version: int  # version of gp
    corrections: Sequence[np.ndarray] = ()  # field of each unknown picture, int16 [rows, columns, 3]; default none

    def unknown(self) -> Clip:
        """Return all unknown pictures, uint8 [T', H, W] for each plane."""
        span = unknown_pictures(self.condition)
        return self.pictures(range(span.start, span.stop))

    def pictures(self, indices: range, share: float = -1.0) -> Clip:
        """Return pictures, uint8 [len(indices), H, W] for each plane.

        indices: numbers of the pictures in the GOP.
        share: weight of the last boundary, 0..1; default -1, the weight that follows from the picture's time.
        """
        planes, fields = [], self._fields()  # Searched before `each` below, because the search uses the same threads.
        for plane, shape in enumerate(self.condition.format.plane_shapes):
            pictures = each(partial(self._picture, plane, share, fields), indices)
            planes.append(np.array(pictures, np.uint8).reshape(len(indices), *shape))
        return tuple(planes)

    def luma_parts(self, index: int, correction: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return luma of a picture with a correction, uint8 [H, W]: the blend, the warped first and last boundary."""
        first, last = self.condition.first[0], (self.condition.last or self.condition.first)[0]
        return motion_parts(first, last, *self._fields(), index, max(self.condition.frames - 1, 1), correction)

    def _fields(self) -> tuple[np.ndarray, np.ndarray]:
        if self.condition.last is not None:
            return self.condition.motion(SMOOTHNESS[self.version])
        height, width = self.condition.format.plane_shapes[0]
        none = np.zeros((-(-height // BLOCK), -(-width // BLOCK), 2), np.int16)
        return none, none

    def _picture(self, plane: int, share: float, fields: tuple, index: int) -> np.ndarray:
        number = index - unknown_pictures(self.condition).start
        known = not 0 <= number < len(self.corrections)
        return self._warp(plane, index, share, fields, None if known else self.corrections[number])

    def _warp(self, plane: int, index: int, share: float, fields: tuple, correction: np.ndarray | None) -> np.ndarray:
        first, last = self.condition.first[plane], (self.condition.last or self.condition.first)[plane]
        span, shift, sharp = max(self.condition.frames - 1, 1), int(plane > 0), self.version >= SHARP
        share = share if self.condition.last is not None else 0.0
        return motion_interpolate(first, last, *fields, index, span, shift, sharp, share, correction)
