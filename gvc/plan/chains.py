# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plans of chains: the lengths of GOPs, the stills between them, and with a bitrate the noise level to code down to.

The size of stills depends on the content, so the stills of a first division into GOPs are coded fast, as a trial,
before the lengths are chosen. With a bitrate, lengths, stills and atoms must fit each other before a chain's first
still is coded, since all GOPs of the chain use its quantiser and share its cost. So plans at several noise levels are
tried until the predicted sum fits.
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

# A low bitrate may need a level beyond that of quality 0; the limit is where stills have their coarsest quantiser.
COARSEST_LEVEL = quality_level(0) + round((COARSEST_CHAIN - WORST_STILL) / STILL_SLOPE)
FINEST_LEVEL = quality_level(100)
DOUBLING = 40  # approximate number of levels over which bits double
TRIALS = 6  # largest number of trials in a search
# Base-2 logarithm of available bits to a plan's bits: up to CLOSE the plan is accepted, above JUMP another is tried.
CLOSE, JUMP = 0.04, 0.15
# Interval of the GOPs whose atoms the prior predicts. It is odd because every fourth still is coded finer.
ANALYSED = 5
FINER = 16  # levels by which a GOP may stop below its plan's level
# Measured ratio (eight clips): bytes of medium stills to bytes of trial stills; first still, then the others.
FIRST_SAVING, SAVING = 0.92, 0.9
TRUSTED_BITS = 6000  # weight of the second ratio, as the bits of trial stills that it counts for
CODED = 4  # number of stills that are coded to correct this ratio before the first plan
SETTLINGS = 3  # largest number of times that all stills of a chain are coded until they fit


@dataclass
class ChainPlanner:
    """Plans windows of FLF2V GOPs. All arguments `bits` are above 0; methods with them need a prior that predicts bits.

    prior: prior that is asked for predictions.
    header: sequence header of the stream.
    effort: fast, medium or slow.
    lengths: model of good GOP lengths.
    reorders: whether stills of a whole chain may refer to later ones.
    """

    prior: Prior
    header: SequenceHeader
    effort: str
    lengths: GopLengths
    reorders: bool
    _coded: float = field(default=TRUSTED_BITS, init=False)  # actual bits of stills so far
    _expected: float = field(default=TRUSTED_BITS, init=False)  # bits that trials predicted for these stills
    _first_factor: float = field(default=1.0, init=False)  # ratio of actual to predicted bits of a chain's first still
    _tried: dict[tuple, Plan] = field(default_factory=dict, init=False)  # plans tried for the current window

    def start(self, window: Window, bits: float, level: int) -> Plan:
        """Return the plan for a window that starts a chain and should take about `bits`.

        level: noise level at which the search begins.
        """
        cuts, found = self._cuts(window), []
        if self._expected == TRUSTED_BITS:  # No still of this video has been coded yet.
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
        """Return the plan for a window at constant quality, without a prediction of its bits."""
        cuts = self._cuts(window)
        tried = Plan(level, still_quantiser(level), cuts.best(level))
        data, _ = self._code(window, tried, self._chain(window, tried, TRIAL_SPEED))
        self.lengths.learn(SAVING * _bits(data[1:]), sum(cuts.still_bits(tried.lengths, level)))
        plan = replace(tried, lengths=cuts.best(level))
        return replace(plan, chain=self._chain(window, plan, CHAIN_SPEED[self.effort])) if window.key else plan

    def go_on(self, window: Window, bits: float, before: Plan) -> Plan:
        """Return the plan for a further window of a chain, with the quantiser and at most the fineness of `before`."""
        cuts = self._cuts(window)
        return self._search(window, cuts.best, bits, before.level, finest=before.level, quantiser=before.quantiser)[0]

    def bits(self, plan: Plan) -> float:
        """Return the current prediction of a plan's bits."""
        return plan.first * (1.0 if plan.exact else self._first_factor) + sum(self.of_gops(plan))

    def of_gops(self, plan: Plan) -> list[float]:
        """Return the predicted bits of each GOP, without the chain's first still."""
        factor = 1.0 if plan.exact else self._coded / self._expected
        return [last * factor + rest for last, rest in zip(plan.lasts, plan.rests, strict=True)]

    def finest_level(self, plan: Plan, bits: float) -> int:
        """Return the finest level at which the plan's next GOP may stop, if there are `bits` for all its GOPs."""
        left = max(0.0, log2(bits / sum(self.of_gops(plan))))
        # Atoms are only a part of the bits, so they may grow by more than the sum: by a factor of 3 on a log scale.
        return max(0, plan.level - FINER - round(3 * DOUBLING * left))

    def book(self, plan: Plan, bits: float) -> None:
        """Record the bits that the last still of the plan's next GOP took."""
        if not plan.exact:
            self._coded += bits
            self._expected += plan.lasts[0]

    def _cuts(self, window: Window) -> Cuts:
        """Return the possible divisions of a window into GOPs, and forget plans of the window before."""
        self._tried.clear()
        return Cuts(self.lengths, window.before, window.pictures, window.limit)

    def _calibrate(self, window: Window, cuts: Cuts, plan: Plan) -> None:
        """Code a few stills of a plan with the chosen effort, and learn the ratio of their bits to predicted ones."""
        few = replace(plan, lengths=plan.lengths[:CODED])
        data, _ = self._code(window, few, self._chain(window, few, CHAIN_SPEED[self.effort]))
        self._coded += _bits(data[1:])
        self._expected += sum(plan.lasts[:CODED])
        taken = sum(plan.lasts) * self._coded / self._expected
        self.lengths.learn(taken, sum(cuts.still_bits(plan.lengths, plan.level)))

    def _spread(self, window: Window, cuts: Cuts, bits: float, level: int) -> Plan:
        """Return the best plan for a number of bits."""
        plan, finer = self._search(window, cuts.best, bits, level)
        if finer and log2(bits / self.bits(plan)) > JUMP:
            # The next finer level has many more GOPs and is too expensive. Finer stills at the same distances use the
            # remaining bits better.
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
        """Search the noise level whose plan takes about `bits`.

        cut: function that gives the GOP lengths for a level.
        level: level at which the search begins.
        finest: finest permitted level.
        quantiser: quantiser of the stills; default None, the one that fits each level.

        Returns:
            (finest plan found that is affordable, or the coarsest plan if none is;
            coarsest plan found that is not affordable, or None).
        """
        best = expensive = None
        low, high = finest, COARSEST_LEVEL
        for _ in range(TRIALS):
            level = min(max(level, low), high)
            plan = self._try(window, Plan(level, quantiser or bitrate_quantiser(level), cut(level)))
            left = log2(bits / self.bits(plan))
            if left >= 0:
                best, high = plan, level - 1
            else:
                expensive, low = plan, level + 1
            if 0 <= left < CLOSE or low > high:
                break
            level -= round(DOUBLING * (left - CLOSE / 2))
            if best and expensive and not low <= level <= high:
                level = (low + high) // 2
        return best or expensive, expensive

    def _try(self, window: Window, plan: Plan) -> Plan:
        """Return the plan with predicted bits, which are reused for plans of nearly the same level."""
        key = round(plan.level * STILL_SLOPE), plan.quantiser, *plan.lengths
        if key not in self._tried:
            self._tried[key] = self._with_bits(window, plan)
        return replace(self._tried[key], level=plan.level)

    def _with_bits(self, window: Window, plan: Plan) -> Plan:
        """Return the plan with predicted bits: stills by a fast trial, atoms by the prior for some of the GOPs."""
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
        """Return the plan with the coded stills of its chain and their actual bits; learn from these."""
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
        """Code the plan's stills, first the one before the window; return their bytes and their decoded pictures.

        Raises MediaError if a GOP of the plan is too large.
        """
        check_gop_size(max(plan.lengths) + 1, self.header.format)
        return tuple(zip(*map(chain.code, _stills(window, plan)), strict=True))


def _stills(window: Window, plan: Plan) -> list[Planes]:
    """Return the pictures to code as stills, first the one before the window."""
    pictures = [window.before, *window.pictures]
    return [pictures[n].planes for n in accumulate(plan.lengths, initial=0)]


def _bits(stills: Iterable[bytes]) -> float:
    return 8.0 * sum(map(len, stills))
