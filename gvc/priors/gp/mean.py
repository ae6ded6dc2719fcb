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
from ...machine.lazy import lazy
from ...machine.parallel import each
from ...media import Clip
from ...pictures.fade import fade
from ...prior import Condition
from .correction import blocks

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


@dataclass(frozen=True)
class MotionMean:
    """The motion-compensated mean: boundaries warped along the motion between them and blended by time.

    A single boundary has no motion of its own; then only corrections move it.
    """

    condition: Condition
    version: int  # version of gp
    corrections: Sequence[np.ndarray] = ()  # field of each unknown picture, int16 [rows, columns, 3]; default none

    def unknown(self, luma: np.ndarray | None = None) -> Clip:
        """Return all unknown pictures, uint8 [T', H, W] for each plane.

        luma: their luma, if it is known already; default None.
        """
        span = unknown_pictures(self.condition)
        indices = range(span.start, span.stop)
        return (self.plane(0, indices) if luma is None else luma, self.plane(1, indices), self.plane(2, indices))

    def pictures(self, indices: range, share: float = -1.0) -> Clip:
        """Return pictures, uint8 [len(indices), H, W] for each plane.

        indices: numbers of the pictures in the GOP.
        share: weight of the last boundary, 0..1; default -1, the weight that follows from the picture's time.
        """
        return tuple(self.plane(plane, indices, share) for plane in range(3))

    def plane(self, plane: int, indices: range, share: float = -1.0) -> np.ndarray:
        """Return one plane of `pictures`, uint8 [len(indices), H, W]."""
        fields = self._fields()  # Searched before `each` below, because the search uses the same threads.
        pictures = each(partial(self._picture, plane, share, fields), indices)
        return np.array(pictures, np.uint8).reshape(len(indices), *self.condition.format.plane_shapes[plane])

    def luma(self, index: int, correction: np.ndarray) -> np.ndarray:
        """Return luma of a picture with a correction, uint8 [H, W]."""
        return self._warp(0, index, -1.0, self._fields(), correction)

    def luma_parts(self, index: int, correction: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return luma of a picture with a correction, uint8 [H, W]: the blend, the warped first and last boundary.

        With a single boundary all three are that boundary.
        """
        if self.condition.last is None:
            return (self.luma(index, correction),) * 3
        first, last = self.condition.first[0], self.condition.last[0]
        return motion_parts(first, last, *self._fields(), index, max(self.condition.frames - 1, 1), correction)

    def _fields(self) -> tuple[np.ndarray, np.ndarray]:
        if self.condition.last is not None:
            return self.condition.motion(SMOOTHNESS[self.version])
        none = np.zeros((*blocks(*self.condition.format.plane_shapes[0]), 2), np.int16)
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


class Mean:
    """The mean of a GOP's unknown pictures; `planes` are computed at their first use.

    version: version of gp.
    choice: kind of mean.
    colour: Y, Cb, Cr of FLAT; not used otherwise.
    fields: corrections for MOTION, as in MotionMean; default none.
    luma: luma of MOTION with these corrections, uint8 [T', H, W]; default None, computed when it is needed.
    """

    def __init__(
        self,
        condition: Condition,
        version: int,
        choice: int,
        colour: tuple[int, int, int] = (0, 0, 0),
        *,
        fields: Sequence[np.ndarray] = (),
        luma: np.ndarray | None = None,
    ):
        self.condition, self.choice, self.colour, self._luma = condition, choice, colour, luma
        self.motion = MotionMean(condition, version, fields)

    @lazy
    def planes(self) -> Clip:
        """The mean of the unknown pictures, uint8 [T', H, W] for each plane; must not be changed."""
        if self.choice == MOTION:
            return self.motion.unknown(self._luma)
        return still(self.condition, self.choice, self.colour)

    def key(self) -> tuple:
        """Return what tells this mean from others of the same GOP and version."""
        fields = self.motion.corrections
        corrections = tuple(field.tobytes() for field in fields) if any(field.any() for field in fields) else ()
        return self.choice, self.colour, corrections
