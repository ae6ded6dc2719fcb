# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The conditional mean of a GOP: what the boundary pictures alone say about the pictures between them.

All in integers, so that it is the same on every machine. The stream says which of the choices holds, and since gp/3 how
to correct motion (gvc.priors.gp.correction).
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
SHARP = 2  # the version from which on samples that motion fetches are interpolated with four taps, not two
CORRECTED = 3  # the version from which on there are corrections, and one boundary may move
SMOOTHNESS = {1: 16, 2: 16, 3: 4, 4: 4}  # of motion, by version


def choices(condition: Condition, version: int) -> list[int]:
    """Return the means that a condition allows."""
    if condition.first is None:
        return [FLAT]
    if condition.last is None:
        return [HOLD, MOTION] if version >= CORRECTED else [HOLD]
    return [FADE, MOTION]


def unknown_pictures(condition: Condition) -> slice:
    """Return which pictures of the GOP are not boundaries."""
    return slice(int(condition.first is not None), condition.frames - int(condition.last is not None))


def still(condition: Condition, choice: int, colour: tuple[int, int, int]) -> Clip:
    """Return a mean without motion of the unknown pictures, uint8 [T', H, W] a plane. `colour` is used by FLAT only."""
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
class Moved:
    """The mean that follows motion: boundaries warped along the motion between them and blended by time.

    A boundary without another one does not move but for corrections.
    corrections: of the unknown pictures, int16 [rows, columns, 3] each, or none at all.
    """

    condition: Condition
    version: int
    corrections: Sequence[np.ndarray] = ()

    def unknown(self) -> Clip:
        """Return all unknown pictures, uint8 [T', H, W] a plane."""
        span = unknown_pictures(self.condition)
        return self.pictures(range(span.start, span.stop))

    def pictures(self, indices: range, share: float = -1.0) -> Clip:
        """Return pictures, uint8 [len(indices), H, W] a plane. share: of the last boundary, or below 0 by time."""
        planes, fields = [], self._fields()  # here, since they are searched by the same threads
        for plane, shape in enumerate(self.condition.format.plane_shapes):
            pictures = each(partial(self._picture, plane, share, fields), indices)
            planes.append(np.array(pictures, np.uint8).reshape(len(indices), *shape))
        return tuple(planes)

    def luma_parts(self, index: int, correction: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (luma of a picture with a correction, the same of either boundary alone), uint8 [H, W]."""
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
