# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills of a GOP: coding them, and choosing the quality that serves the whole GOP best."""

import math
from bisect import bisect_left
from dataclasses import dataclass, field

from ..bitstream import SequenceHeader
from ..bitstream.levels import MAX_LEVEL, level_sigma, sigma_level
from ..media import Clip
from ..plan.quality import still_quantiser
from ..plan.target import Target
from ..prior import Analysis, Anchor, Condition, Prior
from ..stills.av1 import CHAIN_SPEED, FINEST
from ..stills.chain import COARSEST_CHAIN, StillChain

STILLS_SHARE = 0.8  # of a budget that stills may take
FINEST_SIGMA = 0.05  # where coding on a budget stops at the latest, if the prior cannot predict its rate


@dataclass(frozen=True)
class Boundaries:
    """The GOP's own stills as bytes (b"" where it has none), and the condition that all its boundaries make."""

    first: bytes
    last: bytes
    condition: Condition

    @property
    def bits(self) -> int:
        """Bits of the own stills."""
        return 8 * (len(self.first) + len(self.last))

    def left(self, target: Target) -> float:
        """Return the bits of the GOP that its stills leave."""
        return target.of_gop(8 * len(self.first)) - self.bits


@dataclass(frozen=True)
class _Trial:
    """One quality of the stills and what it leads to."""

    chain: StillChain | None
    boundaries: Boundaries
    analysis: Analysis
    level: int  # where the atoms stop
    predicted: bool  # by the prior

    @property
    def goes_on(self) -> bool:
        """Whether the GOP has no stills of its own, or is one of a chain whose stills are coded already."""
        return not self.boundaries.bits or self.chain.known


@dataclass
class BoundaryCoder:
    """Codes the stills that a stream's mode asks for."""

    prior: Prior
    header: SequenceHeader
    effort: str
    _chain: StillChain | None = field(default=None, init=False)  # of the GOP before

    def choose(self, clip: Clip, anchor: Anchor | None, target: Target) -> tuple[Boundaries, Analysis, int]:
        """Return (boundaries, analysis of the clip given them, noise level where the atoms should stop).

        A chain keeps its quantiser. Where its next still would be too much for a budget, it starts a new one, unless
        the next one is known: what comes first in such a chain has paid for most of what follows.
        """
        trial = self._try(clip, anchor, target, self._chain) if anchor or not self.header.mode.has_first else None
        if not trial or not (trial.goes_on or _affordable(trial, target)):
            trial = self._fresh(clip, anchor, target)
        self._chain = trial.chain
        return trial.boundaries, trial.analysis, trial.level

    def code(self, clip: Clip, anchor: Anchor | None, chain: StillChain | None) -> Boundaries:
        """Code and decode the GOP's stills as the next ones of a chain."""
        mode, video, frames = self.header.mode, self.header.format.coded, len(clip[0])
        if not mode.has_first:
            return Boundaries(b"", b"", Condition(video, frames, prompt=self.header.prompt))
        first, known_first = (b"", anchor.planes) if anchor else chain.code(tuple(plane[0] for plane in clip))
        last, known_last = b"", None
        if mode.has_last and frames > 1:
            last, known_last = chain.code(tuple(plane[-1] for plane in clip))
        memory = anchor.memory if anchor else None
        condition = Condition(video, frames, known_first, known_last, memory, self.header.prompt)
        return Boundaries(first, last, condition)

    def coarsest(self, clip: Clip, anchor: Anchor | None) -> Boundaries:
        """Return the boundaries with the fewest bits."""
        return self.code(clip, anchor, StillChain(self.header, COARSEST_CHAIN, CHAIN_SPEED[self.effort]))

    def _fresh(self, clip: Clip, anchor: Anchor | None, target: Target) -> _Trial:
        """Start a chain with the finest quantiser that the bits bear and that is no finer than the atoms."""

        def trial(quantiser: int, effort: str) -> _Trial:
            return self._try(clip, anchor, target, StillChain(self.header, quantiser, CHAIN_SPEED[effort]))

        def suits(tried: _Trial) -> bool:
            in_step = not tried.predicted or tried.chain.quantiser >= still_quantiser(tried.level)
            return _affordable(tried, target) and in_step

        finest = FINEST if target.level is None else still_quantiser(target.level)
        if target.chain:
            finest = math.ceil(target.chain.quantiser)
            planned = self._try(clip, anchor, target, target.chain)
            if not target.bounded or _affordable(planned, target):
                return planned
        elif not target.bounded:
            return trial(finest, self.effort)
        # The fast preset comes close in much less time; its stills are somewhat larger.
        candidates = range(finest, COARSEST_CHAIN)
        chosen = trial(finest + bisect_left(candidates, True, key=lambda q: suits(trial(q, "fast"))), self.effort)
        if suits(chosen):
            while chosen.chain.quantiser > finest and suits(finer := trial(chosen.chain.quantiser - 1, self.effort)):
                chosen = finer
        else:
            while chosen.chain.quantiser < COARSEST_CHAIN and not suits(chosen):
                chosen = trial(chosen.chain.quantiser + 1, self.effort)
        return chosen

    def _try(self, clip: Clip, anchor: Anchor | None, target: Target, chain: StillChain | None) -> _Trial:
        boundaries = self.code(clip, anchor, chain)
        analysis = self.prior.analyse(boundaries.condition, clip)
        return _Trial(chain, boundaries, analysis, *stop_level(analysis, target, boundaries))


def _affordable(trial: _Trial, target: Target) -> bool:
    """Tell whether the bits bear the stills; those of a short GOP may take more than its share.

    A chain whose stills are known was planned with what else there is.
    """
    share = 1.0 if trial.chain.known else STILLS_SHARE
    return trial.boundaries.bits <= share * min(target.bits, target.cap)


def stop_level(analysis: Analysis, target: Target, boundaries: Boundaries) -> tuple[int, bool]:
    """Return (noise level where the atoms of a GOP should stop, whether the prior predicts what they take)."""
    if analysis.rate_distortion(1.0) is None:
        return (sigma_level(FINEST_SIGMA) if target.level is None else target.level), False
    finest = target.level or 0
    return (max(finest, _affordable_level(analysis, boundaries.left(target))) if target.bounded else finest), True


def _affordable_level(analysis: Analysis, bits: float) -> int:
    """Return the finest level whose atoms and side information are predicted to take no more than `bits`."""

    def affordable(level: int) -> bool:
        sigma = level_sigma(level)
        return analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma)) <= bits

    return bisect_left(range(MAX_LEVEL), True, key=affordable)
