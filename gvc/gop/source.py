# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The source pictures of a GOP that is being encoded."""

from dataclasses import dataclass

import numpy as np

from ..bitstream import SequenceHeader
from ..loop.budget import check_gop_size
from ..machine.lazy import lazy
from ..media import Clip, Picture, Planes
from ..plan.gops import Gop
from ..prior import Anchor


@dataclass(frozen=True)
class Source:
    """The pictures that a GOP spans.

    known: decoded last picture of the GOP before, in place of its source; None if the GOP does not span it.
    pictures: the GOP's own pictures, and those ahead.
    """

    known: Planes | None
    pictures: list[Picture]

    @classmethod
    def of(cls, gop: Gop, anchor: Anchor | None, header: SequenceHeader) -> "Source":
        """Return the source of a GOP. Raises MediaError if the GOP is too large."""
        source = cls(anchor and anchor.planes, gop.pictures + gop.ahead)
        check_gop_size(source.frames, header.format)
        return source

    @property
    def frames(self) -> int:
        """Number of pictures, with the known one."""
        return len(self.pictures) + (self.known is not None)

    @property
    def first(self) -> Planes:
        """The first picture."""
        return self.known or self.pictures[0].planes

    @property
    def last(self) -> Planes:
        """The last picture."""
        return self.pictures[-1].planes

    @lazy
    def clip(self) -> Clip:
        """All pictures, uint8 [T, H, W] for each plane. They are copied when they are first needed."""
        pictures = [self.known] if self.known else []
        pictures += [picture.planes for picture in self.pictures]
        return tuple(map(np.stack, zip(*pictures, strict=True)))

    @property
    def new(self) -> Clip:
        """All pictures but the known one, uint8 [T, H, W] for each plane."""
        return tuple(plane[self.frames - len(self.pictures) :] for plane in self.clip)
