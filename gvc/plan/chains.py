# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plans of chains: how long GOPs are, the stills between them, and with a bitrate the noise level that it is worth.

What stills take differs by the content, so those of a first cut are coded with a fast preset before the second one.
With a bitrate, GOP lengths, stills and atoms that fit each other must be settled before a chain's first still is coded,
since the chain keeps its quantiser and all of it pays for that still: one level after another is tried that way, until
the sum fits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import log2

import numpy as np

from ..bitstream import BARE_BYTES, SequenceHeader
from ..bitstream.levels import level_sigma
from ..loop.budget import check_gop_size
from ..media import Planes
from ..prior import Condition, Prior
from ..stills.av1 import CHAIN_SPEED, TRIAL_SPEED
from ..stills.chain import COARSEST_CHAIN, StillChain
from .lengths import Cuts, GopLengths
from .quality import STILL_SLOPE, WORST_STILL, bitrate_quantiser, quality_level, still_quantiser
from .window import Plan, Window

# Beyond quality 0 a low bitrate has the coarsest stills.
COARSEST_LEVEL = quality_level(0) + round((COARSEST_CHAIN - WORST_STILL) / STILL_SLOPE)
FINEST_LEVEL = quality_level(100)
DOUBLING = 40  # levels by which bits double, about
TRIALS = 6  # of a search, at most
CLOSE = 0.04  # doublings that the bits of a plan may lie below those there are
JUMP = 0.15  # doublings below them that are too many
ANALYSED = 5  # of so many GOPs the prior predicts the atoms of one; not of four or eight: every fourth still is finer
FINER = 16  # levels below the plan's where a GOP may stop
# Measured ratio (eight clips): bits of stills of effort medium to those of a trial; the first still, then the others.
FIRST_SAVING, SAVING = 0.92, 0.9
TRUSTED_BITS = 6000  # of trials that the second of these figures weighs as much as
CODED = 4  # stills that are coded for it before the first plan is made
SETTLINGS = 3  # times that all stills may be coded until they fit


@dataclass
class ChainPlanner:
    """Plans windows of FLF2V. All `bits` are more than 0; with them, the prior must predict its rate.

    reorders: the stills of a whole chain may build on later ones.
    """

    prior: Prior
    header: SequenceHeader
    effort: str
    lengths: GopLengths
    reorders: bool
    _coded: float = field(default=TRUSTED_BITS, init=False)  # bits of stills
    _expected: float = field(default=TRUSTED_BITS, init=False)  # bits that trials let expect for them
    _first_factor: float = field(default=1.0, init=False)  # the same of a chain's first still: taken by expected
    _tried: dict[tuple, Plan] = field(default_factory=dict, init=False)  # plans of the window at hand, with their bits

    def start(self, window: Window, bits: float, level: int) -> Plan:
        """Return the plan for a window that starts a chain and takes about so many bits; look from `level` on."""
        cuts, found = self._cuts(window), []
        if self._expected == TRUSTED_BITS:  # nothing is known of this content yet
            plan = self._search(window, cuts.best, bits, level)[0]
            self._calibrate(window, cuts, plan)
            level = plan.level
        while len(found) < SETTLINGS:
            plan = self._spread(window, cuts, bits, level)
            if any((plan.quantiser, plan.lengths) == (known.quantiser, known.lengths) for known in found):
                break
            plan = self._settled(window, plan)
            found.append(plan)
            level = plan.level
            if not plan.exact or 0 <= log2(bits / self.bits(plan)) < CLOSE:
                return plan
        return min(found, key=lambda plan: abs(log2(bits / self.bits(plan)) - CLOSE))

    def at_level(self, window: Window, level: int) -> Plan:
        """Return the plan for a window at constant quality; its bits are not predicted."""
        cuts = self._cuts(window)
        tried = Plan(level, still_quantiser(level), cuts.best(level))
        data, _ = self._code(window, tried, self._chain(window, tried, TRIAL_SPEED))
        self.lengths.learn(SAVING * _bits(data[1:]), sum(cuts.still_bits(tried.lengths, level)))
        plan = replace(tried, lengths=cuts.best(level))
        return replace(plan, chain=self._chain(window, plan, CHAIN_SPEED[self.effort])) if window.key else plan

    def go_on(self, window: Window, bits: float, before: Plan) -> Plan:
        """Return the plan for a window of a chain whose quantiser is settled: no finer than the one before."""
        cuts = self._cuts(window)
        return self._search(window, cuts.best, bits, before.level, finest=before.level, quantiser=before.quantiser)[0]

    def bits(self, plan: Plan) -> float:
        """Return what a plan takes by what is known now."""
        return plan.first * (1.0 if plan.exact else self._first_factor) + sum(self.of_gops(plan))

    def of_gops(self, plan: Plan) -> list[float]:
        """Return the bits of each GOP without the chain's first still."""
        factor = 1.0 if plan.exact else self._coded / self._expected
        return [last * factor + rest for last, rest in zip(plan.lasts, plan.rests, strict=True)]

    def finest_level(self, plan: Plan, bits: float) -> int:
        """Return where the plan's next GOP may stop, if there are `bits` for its GOPs."""
        left = max(0.0, log2(bits / sum(self.of_gops(plan))))
        return max(0, plan.level - FINER - round(3 * DOUBLING * left))  # atoms are only a part of the bits

    def book(self, plan: Plan, bits: float) -> None:
        """Say what the last still of the plan's next GOP took."""
        if not plan.exact:
            self._coded += bits
            self._expected += plan.lasts[0]

    def _cuts(self, window: Window) -> Cuts:
        """Return the ways to cut another window."""
        self._tried.clear()
        return Cuts(self.lengths, window.before, window.pictures, window.limit)

    def _calibrate(self, window: Window, cuts: Cuts, plan: Plan) -> None:
        """Learn from a few stills of a plan what those of the chosen effort take."""
        few = replace(plan, lengths=plan.lengths[:CODED])
        data, _ = self._code(window, few, self._chain(window, few, CHAIN_SPEED[self.effort]))
        self._coded += _bits(data[1:])
        self._expected += sum(plan.lasts[:CODED])
        taken = sum(plan.lasts) * self._coded / self._expected
        self.lengths.learn(taken, sum(cuts.still_bits(plan.lengths, plan.level)))

    def _spread(self, window: Window, cuts: Cuts, bits: float, level: int) -> Plan:
        """Return the best plan for so many bits."""
        plan, finer = self._search(window, cuts.best, bits, level)
        if finer and log2(bits / self.bits(plan)) > JUMP:
            # A finer level makes many more GOPs. The bits are worth more as finer stills that lie as far apart.
            apart, _ = self._search(window, lambda _: plan.lengths, bits, finer.level)
            plan = apart if self.bits(apart) <= bits else plan
        return plan

    def _search(
        self,
        window: Window,
        cut: Callable[[int], list[int]],
        bits: float,
        level: int,
        *,
        finest: int = FINEST_LEVEL,
        quantiser: float | None = None,
    ) -> tuple[Plan, Plan | None]:
        """Return (the finest plan found that the bits bear, or else the coarsest; the coarsest that they do not)."""
        best = dear = None
        low, high = finest, COARSEST_LEVEL
        for _ in range(TRIALS):
            level = min(max(level, low), high)
            plan = self._try(window, Plan(level, quantiser or bitrate_quantiser(level), cut(level)))
            left = log2(bits / self.bits(plan))
            if left >= 0:
                best, high = plan, level - 1
            else:
                dear, low = plan, level + 1
            if 0 <= left < CLOSE or low > high:
                break
            level -= round(DOUBLING * (left - CLOSE / 2))
            if best and dear and not low <= level <= high:
                level = (low + high) // 2
        return best or dear, dear

    def _try(self, window: Window, plan: Plan) -> Plan:
        """Return the plan with its bits."""
        key = round(plan.level * STILL_SLOPE), plan.quantiser, *plan.lengths  # atoms hardly differ in between
        if key not in self._tried:
            self._tried[key] = self._with_bits(window, plan)
        return replace(self._tried[key], level=plan.level)

    def _with_bits(self, window: Window, plan: Plan) -> Plan:
        """Code the plan's stills fast, and let the prior predict the atoms of some of its GOPs."""
        data, stills = self._code(window, plan, self._chain(window, plan, TRIAL_SPEED))
        first, *lasts = (8.0 * len(part) for part in data)
        pictures, ends = [window.before, *window.pictures], list(accumulate(plan.lengths, initial=0))
        bits, analysed = 0.0, 0
        for number in range(min(ANALYSED // 2, len(plan.lengths) - 1), len(plan.lengths), ANALYSED):
            start, end = ends[number : number + 2]
            clip = tuple(map(np.stack, zip(*(p.planes for p in pictures[start : end + 1]), strict=True)))
            condition = Condition(self.header.format.coded, end + 1 - start, *stills[number : number + 2])
            sigma = level_sigma(plan.level)
            analysis = self.prior.analyse(condition, clip).refined(sigma)
            bits += analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma))
            analysed += end - start
        rests = [8 * (BARE_BYTES + length) + bits * length / analysed for length in plan.lengths]
        lasts = [SAVING * last for last in lasts]
        return replace(plan, first=first * FIRST_SAVING * window.key, lasts=lasts, rests=rests)

    def _settled(self, window: Window, plan: Plan) -> Plan:
        """Return the plan for a window that starts a chain with the chain's stills; learn what they take."""
        chain = self._chain(window, plan, CHAIN_SPEED[self.effort])
        sizes = chain.sizes()
        if not sizes:
            return replace(plan, chain=chain)
        first, *lasts = (8.0 * size for size in sizes)
        self._coded, self._expected, self._first_factor = sum(lasts), sum(plan.lasts), first / plan.first
        return replace(plan, chain=chain, first=first, lasts=lasts, exact=True)

    def _chain(self, window: Window, plan: Plan, speed: int) -> StillChain:
        known = _stills(window, plan) if self.reorders and window.whole else ()
        return StillChain(self.header, plan.quantiser, speed, known)

    def _code(self, window: Window, plan: Plan, chain: StillChain) -> tuple[tuple[bytes, ...], tuple[Planes, ...]]:
        """Code the plan's stills, that before the window first; return them and what decoders make of them.

        Raises MediaError when a GOP of it is too large.
        """
        check_gop_size(max(plan.lengths) + 1, self.header.format)
        return tuple(zip(*map(chain.code, _stills(window, plan)), strict=True))


def _stills(window: Window, plan: Plan) -> list[Planes]:
    """Return the pictures that are to be stills, that before the window first."""
    pictures = [window.before, *window.pictures]
    return [pictures[n].planes for n in accumulate(plan.lengths, initial=0)]


def _bits(stills: Iterable[bytes]) -> float:
    return 8.0 * sum(map(len, stills))
