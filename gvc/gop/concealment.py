# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures in place of lost ones: the motion between the nearest stills that were decoded.

This is what the prior `gp` expects between two stills before it reads anything else of a GOP.
"""

from dataclasses import dataclass

import numpy as np

from .._native import motion_interpolate
from ..errors import BitstreamError
from ..machine.lazy import lazy
from ..media import Planes, VideoFormat
from ..pictures.motion import motion_fields
from ..stills.av1 import decode_still

GREY = 128  # value of all samples of a picture of which nothing is known
MOST_SPANNED = 4096  # largest number of pictures from one still to the other
SMOOTHNESS = 4  # weight of smoothness in the search for motion, as in gp/4


@dataclass(frozen=True)
class Substitute:
    """Pictures between two stills, each made when it is asked for.

    first, last: the stills.
    start: number of pictures from `first` to the first substitute, 1 if it is the next one.
    span: number of pictures from `first` to `last`, at most MOST_SPANNED.
    """

    first: Planes
    last: Planes
    start: int
    span: int

    @lazy
    def _motion(self) -> tuple[np.ndarray, np.ndarray]:
        return motion_fields(self.first[0], self.last[0], SMOOTHNESS)

    def picture(self, position: int) -> Planes:
        """Return a substitute. position: number of the picture among the substitutes, from 0."""
        index = self.start + position
        if index >= self.span:
            return self.last
        planes = zip(self.first, self.last, (0, 1, 1), strict=True)
        return tuple(
            motion_interpolate(a, b, *self._motion, index, self.span, shift, True, -1.0, None) for a, b, shift in planes
        )


@dataclass(frozen=True)
class Bridge:
    """Pictures between one that was shown and a later one that is known already, each made when it is asked for.

    first, last: the two pictures.
    start, end: their times.
    """

    first: Planes
    last: Planes
    start: int
    end: int

    @lazy
    def _between(self) -> Substitute:
        return Substitute(self.first, self.last, 0, MOST_SPANNED)

    def covers(self, time: int) -> bool:
        """Return whether a time lies between those of the two pictures."""
        return self.start < time < self.end

    def picture(self, time: int) -> Planes:
        """Return the picture at a time that it covers."""
        return self._between.picture(MOST_SPANNED * (time - self.start) // (self.end - self.start))


def makeshift(still: bytes, video: VideoFormat) -> Planes:
    """Return a picture in the place of the first one of a stream: what a damaged still decodes to, or grey."""
    try:
        return decode_still(still, video)
    except BitstreamError:
        return tuple(np.full(shape, GREY, np.uint8) for shape in video.plane_shapes)
