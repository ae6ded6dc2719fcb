# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The target of a GOP: a quality, a number of bits, or both."""

import math
from dataclasses import dataclass, replace

from ..stills.chain import StillChain


@dataclass(frozen=True)
class Target:
    """The target of a GOP. With a level and bits, coding stops at the level, or earlier when the bits are spent.

    level: noise level to stop at; default None, as fine as the bits allow.
    chain: stills of the chain that starts with this GOP, if they are planned; default None.
    bits: bits of a window that begins with this GOP, for stills, side information and atoms; default no limit.
    share: share of the GOP in these bits, after the chain's first still is subtracted; default 1.
    cap: largest number of bits for the GOP itself; default no limit.
    """

    level: int | None = None
    chain: StillChain | None = None
    bits: float = math.inf
    share: float = 1.0
    cap: float = math.inf

    @property
    def bounded(self) -> bool:
        """Whether bits are limited."""
        return min(self.bits, self.cap) < math.inf

    def less(self, bits: float) -> "Target":
        """Return the target with `bits` bits less for the GOP."""
        return replace(self, bits=self.bits - bits / self.share, cap=self.cap - bits)

    def of_gop(self, first: float) -> float:
        """Return the bits for the GOP. first: bits of the chain's first still if it is in this GOP, otherwise 0."""
        return max(0.0, min(first + (self.bits - first) * self.share, self.cap))
