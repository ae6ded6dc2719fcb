# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a GOP aims at."""

import math
from dataclasses import dataclass, replace

from ..stills.chain import StillChain


@dataclass(frozen=True)
class Target:
    """What a GOP aims at: a noise level to stop at, bits for its stills, side information and atoms, or both.

    chain: the stills of a chain that starts with the GOP, if they were settled before.
    bits: of a window of GOPs, the present one first. It has `share` of what a chain's first still leaves of them.
    cap: bits that the GOP itself must not exceed. With a level, that is aimed at, and bits are not exceeded.
    """

    level: int | None = None
    chain: StillChain | None = None
    bits: float = math.inf
    share: float = 1.0
    cap: float = math.inf

    @property
    def bounded(self) -> bool:
        """Whether there is a bound for bits."""
        return min(self.bits, self.cap) < math.inf

    def less(self, bits: float) -> "Target":
        """Return the target with so many bits less for the GOP."""
        return replace(self, bits=self.bits - bits / self.share, cap=self.cap - bits)

    def of_gop(self, first: float) -> float:
        """Return the bits of the GOP, whose chain's first still takes `first` (0 where it has none)."""
        return max(0.0, min(first + (self.bits - first) * self.share, self.cap))
