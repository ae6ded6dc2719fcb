# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills of a GOP: coding them, and choosing the quality that serves the whole GOP best."""

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Any

from ..bitstream import SequenceHeader
from ..bitstream.levels import MAX_LEVEL, level_sigma, sigma_level
from ..plan.rate import still_quantiser
from ..prior import Analysis, Clip, Condition, Planes, Prior
from ..stills.av1 import CHAIN_SPEED, FINEST
from ..stills.chain import COARSEST_CHAIN, StillChain

STILLS_SHARE = 0.8  # of a budget that stills may take
FINEST_SIGMA = 0.05  # where coding on a budget stops at the latest, if the prior cannot predict its rate


@dataclass(frozen=True)
class Anchor:
    """What a GOP hands to the next one in its chain."""

    planes: Planes  # its decoded last picture
    memory: Any  # of the prior


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
    preset: str
    _chain: StillChain | None = field(default=None, init=False)  # of the GOP before

    def choose(self, clip: Clip, anchor: Anchor | None, target: Target) -> tuple[Boundaries, Analysis, int]:
        """Return (boundaries, analysis of the clip given them, noise level where the atoms should stop).

        A chain keeps its quantiser. Where its next still would be too much for a budget, it starts a new one, unless
        the next one is known: what comes first in such a chain has paid for most of what follows.
        """
        trial = self._try(clip, anchor, target, self._chain) if anchor or self.header.mode == "t2v" else None
        if not trial or not (trial.goes_on or _affordable(trial, target)):
            trial = self._fresh(clip, anchor, target)
        self._chain = trial.chain
        return trial.boundaries, trial.analysis, trial.level

    def code(self, clip: Clip, anchor: Anchor | None, chain: StillChain | None) -> Boundaries:
        """Code and decode the GOP's stills as the next ones of a chain."""
        mode, video, frames = self.header.mode, self.header.format.coded, len(clip[0])
        if mode == "t2v":
            return Boundaries(b"", b"", Condition(video, frames, prompt=self.header.prompt))
        first, known_first = (b"", anchor.planes) if anchor else chain.code(tuple(plane[0] for plane in clip))
        last, known_last = b"", None
        if mode == "flf2v" and frames > 1:
            last, known_last = chain.code(tuple(plane[-1] for plane in clip))
        memory = anchor.memory if anchor else None
        condition = Condition(video, frames, known_first, known_last, memory, self.header.prompt)
        return Boundaries(first, last, condition)

    def coarsest(self, clip: Clip, anchor: Anchor | None) -> Boundaries:
        """Return the boundaries with the fewest bits."""
        return self.code(clip, anchor, StillChain(self.header, COARSEST_CHAIN, CHAIN_SPEED[self.preset]))

    def _fresh(self, clip: Clip, anchor: Anchor | None, target: Target) -> _Trial:
        """Start a chain with the finest quantiser that the bits bear and that is no finer than the atoms."""

        def trial(quantiser: int, preset: str) -> _Trial:
            return self._try(clip, anchor, target, StillChain(self.header, quantiser, CHAIN_SPEED[preset]))

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
            return trial(finest, self.preset)
        # The fast preset comes close in much less time; its stills are somewhat larger.
        candidates = range(finest, COARSEST_CHAIN)
        chosen = trial(finest + bisect_left(candidates, True, key=lambda q: suits(trial(q, "fast"))), self.preset)
        if suits(chosen):
            while chosen.chain.quantiser > finest and suits(finer := trial(chosen.chain.quantiser - 1, self.preset)):
                chosen = finer
        else:
            while chosen.chain.quantiser < COARSEST_CHAIN and not suits(chosen):
                chosen = trial(chosen.chain.quantiser + 1, self.preset)
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
