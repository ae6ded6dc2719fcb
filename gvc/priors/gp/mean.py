"""The conditional mean of a GOP: what the boundary pictures alone say about the pictures between them.

All in integers, so that it is the same on every machine. The stream says which of the choices holds.
"""

import numpy as np

from ..._native import motion_field, motion_interpolate
from ...fade import fade
from ..base import Clip, Condition

FLAT, HOLD, FADE, MOTION = range(4)


def choices(condition: Condition) -> list[int]:
    """Return the means that a condition allows."""
    if condition.first is None:
        return [FLAT]
    return [HOLD] if condition.last is None else [FADE, MOTION]


def unknown_pictures(condition: Condition) -> slice:
    """Return which pictures of the GOP are not boundaries."""
    return slice(int(condition.first is not None), condition.frames - int(condition.last is not None))


def predict(condition: Condition, choice: int, colour: tuple[int, int, int]) -> Clip:
    """Return the mean of the unknown pictures, uint8 [T', H, W] a plane. `colour` is used by FLAT only."""
    span = unknown_pictures(condition)
    indices = range(span.start, span.stop)
    if choice == MOTION:
        return _motion(condition, indices)
    planes = []
    for i, shape in enumerate(condition.format.plane_shapes):
        if choice == FLAT:
            planes.append(np.full((len(indices), *shape), colour[i], np.uint8))
        elif choice == HOLD:
            planes.append(np.repeat(condition.first[i][None], len(indices), 0))
        else:
            planes.append(fade(condition.first[i], condition.last[i], indices, condition.frames - 1))
    return tuple(planes)


def _motion(condition: Condition, indices: range) -> Clip:
    """Return both boundaries warped along the motion between them, and blended."""
    first, last, span = condition.first, condition.last, condition.frames - 1
    forth, back = motion_field(first[0], last[0]), motion_field(last[0], first[0])
    planes = []
    for plane, (a, b) in enumerate(zip(first, last, strict=True)):
        pictures = [motion_interpolate(a, b, forth, back, i, span, int(plane > 0)) for i in indices]
        planes.append(np.array(pictures, np.uint8).reshape(len(indices), *a.shape))
    return tuple(planes)
