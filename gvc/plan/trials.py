# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Trials of plans: their stills are coded fast, and the prior predicts the atoms of a few GOPs.

From the bits of one plan follow those of another with the same GOPs, since they change smoothly with quantiser and
level. So a trial needs only be near the plan that is searched.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

import numpy as np

from ..bitstream import BARE_BYTES, SequenceHeader
from ..bitstream.levels import level_sigma
from ..loop.budget import check_gop_size
from ..machine.parallel import each
from ..media import Planes
from ..prior import Condition, Prior
from ..stills.av1 import ADAPTED, COARSEST, LAYERED, TRIAL_SPEED, Structure
from ..stills.chain import StillChain
from ..stills.resilience import resilient
from .window import Plan, Window

# Measured ratio (six clips): bytes of medium stills to bytes of trial stills; first still, then the others.
FIRST_SAVING, SAVING = 0.91, 0.86
# Largest mean number of pictures from still to still for ADAPTED. What it learns from the stills says little about the
# pictures between if there are many: later stills, which all of these depend on, become too coarse.
NEAR_STILLS = 10
SAMPLES = 5  # number of GOPs whose atoms the prior predicts
SAMPLE_REACH = 20  # levels over which the prediction for a GOP is reused
# Measured: steps of the quantiser over which the bits of stills halve, and levels over which the other bits halve.
FIRST_OCTAVE, STILL_OCTAVE, REST_OCTAVE = 11.5, 9.3, 40.0


@dataclass
class Trials:
    """Trials for the plans of one window.

    prior: prior that predicts bits; only `predicted` needs it.
    header: sequence header of the stream.
    window: the window.
    reorders: whether stills of a whole chain may refer to later ones.
    resilience: value of the option, default 0. Only with `reorders`.
    """

    prior: Prior
    header: SequenceHeader
    window: Window
    reorders: bool
    resilience: int = 0
    _sampled: dict[tuple[int, int], tuple[int, float]] = field(default_factory=dict, init=False)  # level and bits

    def chain(self, plan: Plan, speed: int) -> StillChain:
        """Return a chain that codes the plan's stills, first the one before the window, with an SVT-AV1 preset.

        Raises MediaError if a GOP of the plan is too large.
        """
        near = sum(plan.lengths) <= NEAR_STILLS * len(plan.lengths)
        return self._chain(plan, speed, ADAPTED if near else LAYERED)

    def still_bits(self, plan: Plan, speed: int) -> list[float]:
        """Code the plan's stills with an SVT-AV1 preset and return their bits, first the one before the window.

        They are what stills that are near each other take, since the bits decide whether the stills should be.
        """
        chain = self._chain(plan, speed, ADAPTED)
        return [8.0 * len(chain.code(source)[0]) for source in self._sources(plan)]

    def _chain(self, plan: Plan, speed: int, structure: Structure) -> StillChain:
        check_gop_size(max(plan.lengths) + 1, self.header.format)
        known = self._sources(plan) if self.reorders and self.window.whole else ()
        if self.resilience:
            structure = resilient(self.resilience, len(known))
        return StillChain(self.header, plan.quantiser, speed, known, structure)

    def predicted(self, plan: Plan) -> Plan:
        """Return the plan with predicted bits. The ratio of actual bits to these is the caller's to learn."""
        sampled, chain, bits = _spread(plan.lengths, SAMPLES), self.chain(plan, TRIAL_SPEED), []
        stills = {}  # decoded stills around the sampled GOPs
        for number, source in enumerate(self._sources(plan)):
            data, decoded = chain.code(source)
            bits.append(8.0 * len(data))
            if {number - 1, number} & sampled:
                stills[number] = decoded
        first, *lasts = bits
        return replace(
            plan,
            first=first * FIRST_SAVING * self.window.key,
            lasts=[SAVING * last for last in lasts],
            rests=self._rests(plan, sampled, stills),
        )

    def _rests(self, plan: Plan, sampled: set[int], stills: dict[int, Planes]) -> list[float]:
        """Return the predicted bits of each GOP without stills, given the decoded stills of the sampled GOPs."""
        ends = list(accumulate(plan.lengths, initial=0))
        numbers = sorted(sampled)
        bits = each(
            lambda number: self._gop_bits(plan.level, *ends[number : number + 2], stills[number], stills[number + 1]),
            numbers,
        )
        for_a_picture = sum(bits) / sum(plan.lengths[number] for number in numbers)
        return [8 * (BARE_BYTES + length) + for_a_picture * length for length in plan.lengths]

    def _gop_bits(self, level: int, start: int, end: int, first: Planes, last: Planes) -> float:
        """Return the predicted bits of side information and atoms of a GOP between two decoded stills."""
        known = self._sampled.get((start, end))
        if known and abs(known[0] - level) <= SAMPLE_REACH:
            return known[1] * _growth(known[0] - level, REST_OCTAVE)
        pictures = [self.window.before, *self.window.pictures][start : end + 1]
        clip = tuple(map(np.stack, zip(*(p.planes for p in pictures), strict=True)))
        sigma = level_sigma(level)
        condition = Condition(self.header.format.coded, len(pictures), first, last)
        analysis = self.prior.analyse(condition, clip).refined(sigma)
        bits = analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma))
        self._sampled[start, end] = level, bits
        return bits

    def _sources(self, plan: Plan) -> list[Planes]:
        pictures = [self.window.before, *self.window.pictures]
        return [pictures[n].planes for n in accumulate(plan.lengths, initial=0)]


def moved(plan: Plan, level: int, quantiser: float) -> Plan:
    """Return a plan with the same GOPs at another level and quantiser, with bits that follow from its own."""
    finer = plan.quantiser - quantiser
    finer_later = min(plan.quantiser, COARSEST) - min(quantiser, COARSEST)
    return replace(
        plan,
        level=level,
        quantiser=quantiser,
        first=plan.first * _growth(finer, FIRST_OCTAVE),
        lasts=[last * _growth(finer_later, STILL_OCTAVE) for last in plan.lasts],
        rests=[rest * _growth(plan.level - level, REST_OCTAVE) for rest in plan.rests],
        chain=None,
    )


def _growth(steps: float, octave: float) -> float:
    return 2.0 ** (steps / octave)


def _spread(lengths: Sequence[int], count: int) -> set[int]:
    """Return the numbers of at most `count` GOPs that are spread evenly over the pictures."""
    ends = list(accumulate(lengths, initial=0))
    return {bisect_right(ends, ends[-1] * (2 * i + 1) // (2 * count)) - 1 for i in range(count)}
