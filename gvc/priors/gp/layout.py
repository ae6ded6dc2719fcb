# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The structure of a GOP's coefficients, which follows from its condition alone."""

import numpy as np

from ...machine.lazy import lazy
from ...prior import CHROMA_WEIGHT, Condition
from . import basis
from .activity import activity_map
from .bands import PlaneBands
from .mean import unknown_pictures

SAMPLE_SCALE = 64.0  # luma samples per latent unit
PLANE_WEIGHTS = (1 / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE)


class Layout:
    """The unknown pictures of a GOP and the structure of their coefficients.

    Attributes:
        span: unknown pictures.
        size: number of unknown pictures, T'.
        planes: bands of each plane.
    """

    def __init__(self, condition: Condition):
        self._known = [planes for planes in (condition.first, condition.last) if planes is not None]
        self.span = unknown_pictures(condition)
        self.size = max(self.span.stop - self.span.start, 0)
        _, frequencies = basis.temporal(self.size, len(self._known))
        self.planes = [PlaneBands.of(frequencies, *shape) for shape in condition.format.plane_shapes]
        self._activity: dict[int, np.ndarray | None] = {}

    @classmethod
    def of(cls, condition: Condition) -> "Layout":
        """Return the layout for a condition, which is made once."""
        return condition.once(cls, lambda: cls(condition))

    @lazy
    def time(self) -> np.ndarray:
        """The temporal basis, float32 [T', T']."""
        return basis.temporal(self.size, len(self._known))[0]

    def activity(self, plane: int) -> np.ndarray | None:
        """Return the activity map of a plane, float32 [H, W], or None for 1 everywhere."""
        if plane not in self._activity:
            self._activity[plane] = activity_map(*(planes[plane] for planes in self._known))
        return self._activity[plane]

    def drop_activity(self) -> None:
        """Free the activity maps, which take four bytes for each sample; they are computed again if they are needed."""
        self._activity.clear()
