# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A window of pictures that GOPs are cut from, and the plan for it."""

from dataclasses import dataclass, field, replace

from ..media import Picture
from ..stills.chain import StillChain


@dataclass(frozen=True)
class Window:
    """Pictures that GOPs are to be cut from.

    before: the picture before them. With `key` it is the first of a chain and belongs to the first GOP.
    limit: pictures that a GOP may have.
    ends: the chain ends with it.
    last: so does the video.
    """

    before: Picture
    pictures: list[Picture]
    limit: int
    key: bool
    ends: bool
    last: bool

    @property
    def whole(self) -> bool:
        """Whether it is a whole chain."""
        return self.key and self.ends


@dataclass(frozen=True)
class Plan:
    """How the GOPs of a window are to be coded, and the bits that this is predicted to take.

    level: where atoms stop.
    quantiser: of the stills, in quarters.
    lengths: pictures of each GOP.
    first: bits of the chain's first still, 0 where there is none.
    lasts: bits of the last still of each GOP.
    rests: bits of each GOP without stills.
    chain: the stills of a chain that starts, once the plan is settled.
    exact: bits of stills are known, not predicted.
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
