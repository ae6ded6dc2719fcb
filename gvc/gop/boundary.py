# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills of a GOP: their coding, and the choice of the quality that is best for the whole GOP."""

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace

from ..bitstream import SequenceHeader
from ..bitstream.levels import MAX_LEVEL, level_sigma, sigma_level
from ..plan.quality import still_quantiser
from ..plan.target import Target
from ..prior import Analysis, Anchor, Condition, Prior
from ..stills.av1 import FINEST, chain_speed
from ..stills.chain import COARSEST_CHAIN, StillChain
from .source import Source

STILLS_SHARE = 0.8  # largest share of a budget for stills
FINEST_SIGMA = 0.05  # noise level where coding on a budget stops at the latest if the prior cannot predict its bits


@dataclass(frozen=True)
class Boundaries:
    """The coded boundaries of a GOP."""

    first: bytes  # the GOP's own first still, b"" if the GOP has an anchor or its mode no boundaries
    last: bytes  # its last still, b"" if the mode has none
    condition: Condition  # condition for the prior, with the decoded boundaries
    analysis: Analysis | None = None  # the prior's analysis of the GOP, if the choice of stills needed it

    @property
    def bits(self) -> int:
        """Bits of the GOP's own stills."""
        return 8 * (len(self.first) + len(self.last))

    def left(self, target: Target) -> float:
        """Return the bits of the GOP that remain for side information and atoms."""
        return target.of_gop(8 * len(self.first)) - self.bits


@dataclass
class BoundaryCoder:
    """Codes the boundary stills of a stream's GOPs. effort: fast, medium or slow."""

    prior: Prior
    header: SequenceHeader
    effort: str
    _chain: StillChain | None = field(default=None, init=False)  # chain of the GOP before

    @property
    def known(self) -> bool:
        """Whether all stills of the current chain are coded already."""
        return self._chain is not None and self._chain.known

    def choose(self, source: Source, anchor: Anchor | None, target: Target | None) -> Boundaries:
        """Code the next GOP's stills, with the quality that is best for the GOP.

        target: target of the GOP; None if it does not start a chain and the stills of its chain are `known`.

        A chain of stills keeps its quantiser. If its next still is too large for the budget, a new chain is started,
        unless all stills of the chain are coded already: then the later ones are cheap, since they refer to earlier
        ones. The GOP is analysed only where a quantiser must be searched that suits its budget.
        """
        if anchor or not self.header.mode.has_first:
            boundaries = self.code(source, anchor, self._chain)
            if not boundaries.bits or self._chain.known or _affordable(boundaries, self._chain, target):
                return boundaries
        self._chain, boundaries = self._new_chain(source, anchor, target)
        return boundaries

    def code(self, source: Source, anchor: Anchor | None, chain: StillChain | None) -> Boundaries:
        """Code and decode the GOP's stills as the next stills of a chain."""
        mode, video, frames = self.header.mode, self.header.format.coded, source.frames
        if not mode.has_first:
            return Boundaries(b"", b"", Condition(video, frames, prompt=self.header.prompt))
        first, known_first = (b"", anchor.planes) if anchor else chain.code(source.first)
        last, known_last = b"", None
        if mode.has_last and frames > 1:
            last, known_last = chain.code(source.last)
        memory = anchor.memory if anchor else None
        condition = Condition(video, frames, known_first, known_last, memory, self.header.prompt)
        return Boundaries(first, last, condition)

    def coarsest(self, source: Source, anchor: Anchor | None) -> Boundaries:
        """Return the boundaries with the fewest possible bits."""
        return self.code(
            source, anchor, StillChain(self.header, COARSEST_CHAIN, chain_speed(self.effort, self.header.format))
        )

    def _new_chain(self, source: Source, anchor: Anchor | None, target: Target) -> tuple[StillChain, Boundaries]:
        """Start a chain: the planned one, or one with the quantiser of the target's level, if that is affordable."""
        finest = FINEST if target.level is None else still_quantiser(target.level)
        if target.chain:
            chain, finest = target.chain, math.ceil(target.chain.quantiser)
        elif not target.bounded:
            chain = StillChain(self.header, finest, chain_speed(self.effort, self.header.format))
        else:
            return self._search_chain(source, anchor, target, finest)
        boundaries = self.code(source, anchor, chain)
        if target.bounded and not _affordable(boundaries, chain, target):
            return self._search_chain(source, anchor, target, finest)
        return chain, boundaries

    def _search_chain(
        self, source: Source, anchor: Anchor | None, target: Target, finest: int
    ) -> tuple[StillChain, Boundaries]:
        """Start a chain with the finest affordable quantiser that is not finer than what the atoms reach."""

        def trial(quantiser: int, effort: str) -> tuple[StillChain, Boundaries]:
            chain = StillChain(self.header, quantiser, chain_speed(effort, self.header.format))
            boundaries = self.code(source, anchor, chain)
            return chain, replace(boundaries, analysis=self.prior.analyse(boundaries.condition, source.clip))

        def suits(chain: StillChain, boundaries: Boundaries) -> bool:
            level, predicted = stop_level(boundaries.analysis, target, boundaries)
            balanced = not predicted or chain.quantiser >= still_quantiser(level)
            return balanced and _affordable(boundaries, chain, target)

        # Trials with effort fast, whose stills are slightly larger, find a nearby quantiser in much less time.
        candidates = range(finest, COARSEST_CHAIN)
        start = finest + bisect_left(candidates, True, key=lambda quantiser: suits(*trial(quantiser, "fast")))
        chosen = trial(start, self.effort)
        if suits(*chosen):
            while chosen[0].quantiser > finest and suits(*(finer := trial(chosen[0].quantiser - 1, self.effort))):
                chosen = finer
        else:
            while chosen[0].quantiser < COARSEST_CHAIN and not suits(*chosen):
                chosen = trial(chosen[0].quantiser + 1, self.effort)
        return chosen


def _affordable(boundaries: Boundaries, chain: StillChain, target: Target) -> bool:
    """Return whether the stills fit into the bits of the whole window (a short GOP's may exceed its own share).

    Part of the bits is reserved for atoms, unless all stills of the chain are known: then its plan includes the atoms.
    """
    share = 1.0 if chain.known else STILLS_SHARE
    return boundaries.bits <= share * min(target.bits, target.cap)


def stop_level(analysis: Analysis, target: Target, boundaries: Boundaries) -> tuple[int, bool]:
    """Return (noise level where the atoms of a GOP should stop, whether it follows from a prediction of their bits)."""
    if not target.bounded or analysis.rate_distortion(1.0) is None:
        return (sigma_level(FINEST_SIGMA) if target.level is None else target.level), False
    bits, finest = boundaries.left(target), target.level or 0

    def affordable(level: int) -> bool:
        sigma = level_sigma(level)
        return analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma)) <= bits

    if target.level is not None and affordable(finest):  # Most planned levels are.
        return finest, True
    return finest + bisect_left(range(finest, MAX_LEVEL), True, key=affordable), True
