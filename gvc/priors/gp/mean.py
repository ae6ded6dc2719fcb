"""The conditional mean of a GOP: what the boundary pictures alone say about the pictures between them.

All in integers, so that it is the same on every machine. The stream says which of the choices holds.
"""

from functools import partial

import numpy as np

from ..._native import motion_interpolate
from ...fade import fade
from ...parallel import each
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


def predict(condition: Condition, choice: int, colour: tuple[int, int, int], version: int) -> Clip:
    """Return the mean of the unknown pictures, uint8 [T', H, W] a plane. `colour` is used by FLAT only.

    `version` of the prior: from 2 on the samples that motion fetches are interpolated with four taps, not two.
    """
    span = unknown_pictures(condition)
    indices = range(span.start, span.stop)
    if choice == MOTION:
        return _motion(condition, indices, sharp=version > 1)
    planes = []
    for i, shape in enumerate(condition.format.plane_shapes):
        if choice == FLAT:
            planes.append(np.full((len(indices), *shape), colour[i], np.uint8))
        elif choice == HOLD:
            planes.append(np.repeat(condition.first[i][None], len(indices), 0))
        else:
            planes.append(fade(condition.first[i], condition.last[i], indices, condition.frames - 1))
    return tuple(planes)


def warped(condition: Condition, indices: range, share: float) -> Clip:
    """Return a boundary warped to pictures along the motion between both. share: 0.0 the first one, 1.0 the last."""
    return _motion(condition, indices, sharp=True, share=share)


def _motion(condition: Condition, indices: range, sharp: bool, share: float = -1.0) -> Clip:
    """Return both boundaries warped along the motion between them, and blended, by time or with a share of the last."""
    first, last, span = condition.first, condition.last, condition.frames - 1
    forth, back = condition.motion
    planes = []
    for plane, (a, b) in enumerate(zip(first, last, strict=True)):
        between = partial(
            motion_interpolate, a, b, forth, back, den=span, shift=int(plane > 0), sharp=sharp, share=share
        )
        pictures = each(lambda i, between=between: between(num=i), indices)
        planes.append(np.array(pictures, np.uint8).reshape(len(indices), *a.shape))
    return tuple(planes)
