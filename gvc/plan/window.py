# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A window of pictures that is divided into GOPs, and the plan for it."""

from dataclasses import dataclass, field, replace

from ..media import Picture
from ..stills.chain import StillChain


@dataclass(frozen=True)
class Window:
    """Pictures to divide into GOPs.

    before: the picture before them. With `key` it is the first one of a chain and belongs to the first GOP.
    pictures: the pictures to divide.
    limit: largest number of pictures in a GOP.
    key: whether a chain starts with the window.
    ends: whether the chain ends with the window.
    last: whether the video ends with the window.
    until: timestamp of the picture after it; default None, unknown.
    """

    before: Picture
    pictures: list[Picture]
    limit: int
    key: bool
    ends: bool
    last: bool
    until: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the window is a whole chain."""
        return self.key and self.ends


@dataclass(frozen=True)
class Plan:
    """A plan for the GOPs of a window, with the bits that it is predicted to take.

    level: noise level where coding stops.
    quantiser: quantiser of the stills, a multiple of 1/4.
    lengths: number of pictures of each GOP.
    first: bits of the chain's first still; 0 (the default) if it is not in this window.
    lasts: bits of the last still of each GOP; default none.
    rests: bits of each GOP without stills; default none.
    chain: coded stills of a chain that starts with the window; default None, not coded yet.
    exact: whether the bits of stills are actual and not predicted, default False.
    """

    level: int
    quantiser: float
    lengths: list[int]
    first: float = 0.0
    lasts: list[float] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    chain: StillChain | None = None
    exact: bool = False

    def following(self) -> "Plan":
        """Return the plan without its next GOP."""
        rest = {name: getattr(self, name)[1:] for name in ("lengths", "lasts", "rests")}
        return replace(self, first=0.0, chain=None, **rest)
