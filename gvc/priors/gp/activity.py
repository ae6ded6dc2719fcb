"""Where in the picture a residual is to be expected: where the boundary pictures are busy, or differ.

The residual is modelled as an activity map times a stationary process, so flat places get little of the noise that
coding leaves, and busy ones, where the eye sees it least, get more. The map is made from decoded stills alone (no
bits), in integers and square roots, so that it is the same on every machine.
"""

import numpy as np

from ..base import Condition

RADIUS = 6  # samples around the middle of the window
FLOOR = 20  # variance of a sample that is expected everywhere


def activity_maps(condition: Condition) -> list[np.ndarray | None]:
    """Return the expected deviation at each sample, float32 [H, W] a plane, mean square 1; None: 1 everywhere."""
    if condition.first is None:
        return [None] * len(condition.format.plane_shapes)
    lasts = condition.last or [None] * len(condition.first)
    return [_map(first, last) for first, last in zip(condition.first, lasts, strict=True)]


def _map(first: np.ndarray, last: np.ndarray | None) -> np.ndarray:
    """Return the square root of the activity, which is the fourth root of the local variance and difference."""
    count = np.multiply.outer(*(_window_sums(np.ones((n, 1), np.int32))[:, 0] for n in first.shape))
    stills = [first.astype(np.int32)] + ([] if last is None else [last.astype(np.int32)])
    variances = [(count * _window_sums(s * s) - _window_sums(s) ** 2) // count**2 for s in stills]
    activity = sum(variances) // len(stills) + FLOOR
    if last is not None:
        activity += _window_sums((stills[0] - stills[1]) ** 2) // count
    root = np.floor(np.sqrt(256.0 * activity)).astype(np.int64)
    return np.sqrt(root * root.size / float(root.sum())).astype(np.float32)


def _window_sums(values: np.ndarray) -> np.ndarray:
    """Return the sum over the square window around each sample, as far as it lies in the picture, int32 [H, W].

    Running sums may wrap around, their differences are right: 169 squares of samples, and squares of 169 samples, fit.
    """
    height, width = values.shape
    sums = np.pad(values, [(RADIUS + 1, RADIUS), (0, 0)]).cumsum(0, np.int32)
    sums = np.pad(sums[-height:] - sums[:height], [(0, 0), (RADIUS + 1, RADIUS)]).cumsum(1, np.int32)
    return sums[:, -width:] - sums[:, :width]
