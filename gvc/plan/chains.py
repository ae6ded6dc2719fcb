# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plans of chains: the lengths of GOPs, the stills between them, and with a bitrate the noise level to code down to.

The size of stills depends on the content, so the stills of a first division into GOPs are coded fast, as a trial,
before the lengths are chosen. With a bitrate, lengths, stills and atoms must fit each other before a chain's first
still is coded, since all GOPs of the chain use its quantiser and share its cost. So plans at several noise levels are
tried until the predicted sum fits.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from math import log2

from ..bitstream import SequenceHeader
from ..prior import Prior
from ..stills.av1 import TRIAL_SPEED, chain_speed
from ..stills.chain import COARSEST_CHAIN
from .lengths import Cuts, GopLengths
from .quality import STILL_SLOPE, WORST_STILL, bitrate_quantiser, quality_level, still_quantiser
from .trials import SAVING, Trials, moved
from .window import Plan, Window

# A low bitrate may need a level beyond that of quality 0; the limit is where stills have their coarsest quantiser.
COARSEST_LEVEL = quality_level(0) + round((COARSEST_CHAIN - WORST_STILL) / STILL_SLOPE)
FINEST_LEVEL = quality_level(100)
DOUBLING = 50  # approximate number of levels over which bits double
STEEPEST, FLATTEST = 25, 100  # smallest and largest number of such levels that two trials can tell
TRIALS = 4  # largest number of trials in a search
NEAR = 0.25  # base-2 logarithm of available bits to a trial's bits up to which its GOPs suit the available bits
FINER = 16  # levels by which a GOP may stop below its plan's level
TRUSTED_BITS = 6000  # weight of the first prediction of stills, as bits of stills that it counts for
FEW = 24  # number of GOPs whose stills are coded to learn what stills take
SETTLINGS = 3  # largest number of times that all stills of a chain are coded until they fit
MISS = 0.1  # steps of the quantiser by which coded stills may miss the bits; atoms make up for it


@dataclass
class ChainPlanner:
    """Plans windows of FLF2V GOPs. All arguments `bits` are above 0; methods with them need a prior that predicts bits.

    prior: prior that is asked for predictions.
    header: sequence header of the stream.
    effort: fast, medium or slow.
    lengths: model of good GOP lengths.
    reorders: whether stills of a whole chain may refer to later ones.
    resilience: value of the option, default 0. Only with `reorders`.
    """

    prior: Prior
    header: SequenceHeader
    effort: str
    lengths: GopLengths
    reorders: bool
    resilience: int = 0
    _coded: float = field(default=TRUSTED_BITS, init=False)  # actual bits of stills so far
    _expected: float = field(default=TRUSTED_BITS, init=False)  # bits that trials predicted for these stills
    _first_factor: float = field(default=1.0, init=False)  # ratio of actual to predicted bits of a chain's first still

    def start(self, window: Window, bits: float, level: int) -> Plan:
        """Return the plan for a window that starts a chain and should take about `bits`.

        level: noise level at which the search begins.
        """
        trials = self._trials(window)
        plan = self._first_plan(trials, self._cuts(window), bits, level)
        for _ in range(SETTLINGS):
            coded = self._settled(trials, plan)
            plan = self._fitted(coded, bits)
            if not coded.exact or abs(plan.quantiser - coded.quantiser) <= MISS:
                break
        return coded

    def at_level(self, window: Window, level: int) -> Plan:
        """Return the plan for a window at constant quality, without a prediction of its bits.

        What was learned from other chains is forgotten, so that a chain may be coded apart from them.
        """
        if window.key:
            self.lengths.forget()
        trials, cuts = self._trials(window), self._cuts(window)
        tried = Plan(level, still_quantiser(level), cuts.best(level))
        few = replace(tried, lengths=tried.lengths[:FEW])
        self._learn(cuts, few, SAVING * sum(trials.still_bits(few, TRIAL_SPEED)[1:]))
        plan = replace(tried, lengths=cuts.best(level))
        if not window.key:
            return plan
        return replace(plan, chain=trials.chain(plan, chain_speed(self.effort, self.header.format)))

    def go_on(self, window: Window, bits: float, before: Plan) -> Plan:
        """Return the plan for a further window of a chain, with the quantiser and at most the fineness of `before`."""
        trials, cuts = self._trials(window), self._cuts(window)
        return self._search(trials, cuts, bits, before.level, finest=before.level, quantiser=before.quantiser)

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

    def _trials(self, window: Window) -> Trials:
        return Trials(self.prior, self.header, window, self.reorders, self.resilience)

    def _cuts(self, window: Window) -> Cuts:
        """Return the possible divisions of a window into GOPs."""
        return Cuts(self.lengths, window.before, window.pictures, window.limit)

    def _learn(self, cuts: Cuts, plan: Plan, bits: float) -> None:
        """Learn what stills take from the bits of a plan's stills, without the first one."""
        self.lengths.learn(bits, sum(cuts.still_bits(plan.lengths, plan.level)))

    def _first_plan(self, trials: Trials, cuts: Cuts, bits: float, level: int) -> Plan:
        """Return the plan for the start of a chain, by predicted bits."""
        if self._expected == TRUSTED_BITS:  # No still of this video has been coded yet.
            level = self._calibrated(trials, cuts, bits, level)
        return self._search(trials, cuts, bits, level)

    def _calibrated(self, trials: Trials, cuts: Cuts, bits: float, level: int) -> int:
        """Return a level near the one that takes about `bits`; learn the bits of stills with the chosen effort."""
        plan = trials.predicted(Plan(level, bitrate_quantiser(level), cuts.best(level)))
        level = min(max(level - round(DOUBLING * log2(bits / self.bits(plan))), FINEST_LEVEL), COARSEST_LEVEL)
        few = Plan(level, bitrate_quantiser(level), plan.lengths[:FEW])
        coded = sum(trials.still_bits(few, chain_speed(self.effort, self.header.format))[1:])
        self._coded += coded
        self._expected += SAVING * sum(trials.still_bits(few, TRIAL_SPEED)[1:])
        self._learn(cuts, few, coded)
        return level

    def _search(
        self,
        trials: Trials,
        cuts: Cuts,
        bits: float,
        level: int,
        *,
        finest: int = FINEST_LEVEL,
        quantiser: float | None = None,
    ) -> Plan:
        """Return a plan that takes about `bits`, or the coarsest plan if none is affordable.

        cuts: possible divisions of the window into GOPs.
        level: level at which the search begins.
        finest: finest permitted level.
        quantiser: quantiser of the stills; default None, the one that fits each level.
        """
        tried, low, high = [], finest, COARSEST_LEVEL
        while not tried or (abs(tried[-1][0]) > NEAR and low <= high and len(tried) < TRIALS):
            level = min(max(level, low), high)
            plan = trials.predicted(Plan(level, quantiser or bitrate_quantiser(level), cuts.best(level)))
            tried.append((log2(bits / self.bits(plan)), plan))
            low, high = (low, level - 1) if tried[-1][0] > 0 else (level + 1, high)
            level -= round(_doubling(tried) * tried[-1][0])
        nearest = min(tried, key=lambda trial: abs(trial[0]))[1]
        return self._fitted(nearest, bits, finest, quantiser)

    def _fitted(self, plan: Plan, bits: float, finest: int = FINEST_LEVEL, quantiser: float | None = None) -> Plan:
        """Return the finest plan with the same GOPs that should take at most `bits`; the coarsest one if none does."""

        def at(level: int) -> Plan:
            return moved(plan, level, quantiser or bitrate_quantiser(level))

        levels = range(finest, COARSEST_LEVEL)
        return at(finest + bisect_left(levels, True, key=lambda level: self.bits(at(level)) <= bits))

    def _settled(self, trials: Trials, plan: Plan) -> Plan:
        """Return the plan with the coded stills of its chain and their actual bits; learn from these."""
        chain = trials.chain(plan, chain_speed(self.effort, self.header.format))
        sizes = chain.sizes()
        if not sizes:
            return replace(plan, chain=chain)
        first, *lasts = (8.0 * size for size in sizes)
        if not plan.exact:
            self._coded, self._expected, self._first_factor = sum(lasts), sum(plan.lasts), first / plan.first
        return replace(plan, chain=chain, first=first, lasts=lasts, exact=True)


def _doubling(tried: list[tuple[float, Plan]]) -> float:
    """Return the number of levels over which bits double, by the last two trials (octaves of bits left, plan)."""
    if len(tried) < 2:
        return DOUBLING
    (before, coarser), (left, finer) = tried[-2:]
    slope = (coarser.level - finer.level) / (before - left) if before != left else FLATTEST
    return min(max(slope, STEEPEST), FLATTEST)
