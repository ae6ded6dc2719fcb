# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The encoder's noise source: it searches the codebook for atoms that steer the trajectory to the source video."""

import math
from collections.abc import Callable

from ..bitstream.levels import MAX_LEVEL, level_time
from ..entropy import RangeEncoder, set_bits, write_atoms, write_count
from ..machine.stages import stage
from ..prior import Array
from .codebooks import Choice, Counts, Ranked
from .noise import BlockNoise
from .transition import ancestral

LEVEL_PRECISION = 1 / 64  # precision, in levels, of the search for the stop level on a budget
COUNT_BITS = 8.0  # approximate bits of an atom count


class SearchNoise(BlockNoise):
    """The encoder's source: it picks the atoms that steer the trajectory to a clean latent, and writes them.

    x0: clean latent of the source.
    levels: noise level after each step with matched counts; default none, for fixed counts.
    fixed: number of atoms of each block of the prior at every step (the paper's rule); default None, posterior-matched
        counts.
    budget: bits for all atoms, default no limit. The loop ends early when they are spent, and its last step may end
        above its level.

    Attributes:
        stop: after the loop, the noise level where it ended.
        bits: after `finish`, bits of all atoms by the ideal code.
    """

    def __init__(self, prior, header, gop, x0: Array, levels: list[int] = (), *, fixed=None, budget: float = math.inf):
        super().__init__(prior, header, gop)
        self._levels, self._fixed, self._budget, self._spent = levels, fixed, budget, 0.0
        self._x0 = self._low_x0 = x0
        if self._low_steps:
            self._low_x0 = prior.low_band(header.lowres_size).restrict(x0)
        self._encoder, self._writing = RangeEncoder(), []
        self.bits = 0.0
        self.stop = 0

    @stage("atoms")
    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Choose and write the atoms of a step; return (s, z) made of them."""
        codebooks, x0 = self._codebooks(step), self._low_x0 if step < self._low_steps else self._x0
        ranked = codebooks.rank(step + 1, x0 - x0_hat)
        if self._fixed is None:
            s, counts = self._match(step, t, ranked)
        else:
            counts = codebooks.limited(self._fixed)
        choice = ranked.take(counts)
        self._writing.append(self._coding.submit(self._write, step, choice))
        return s, choice.noise()

    @stage("atoms")
    def finish(self) -> bytes:
        """Return the coded atoms of all steps."""
        for step in self._writing:
            step.result()
        return self._encoder.finish()

    def _write(self, step: int, choice: Choice) -> None:
        sizes, atoms = self._begin(step).sizes, choice.atoms()
        for i, ((indices, signs), size) in enumerate(zip(atoms, sizes, strict=True)):
            write_count(self._encoder, len(indices), self._counts[i])
            write_atoms(self._encoder, indices, signs, size)
            self._counts[i] = len(indices)
        self.bits += self._cost(step, self._counts)

    def _match(self, step: int, t: float, ranked: Ranked) -> tuple[float, Counts]:
        """Return (time after the step, matched counts); the step ends early if the budget requires it."""

        def counts_at(level: float) -> Counts:
            return ranked.matched(_ratio(t, level))

        if self._budget == math.inf:
            self.stop = self._levels[step]
            return level_time(self.stop), counts_at(self.stop)
        self.stop, counts = self._within_budget(step, lambda level: ranked.numbers(counts_at(level)))
        return level_time(self.stop), counts

    def _within_budget(self, step: int, counts_at: Callable[[float], list[int]]) -> tuple[int, list[int]]:
        """Return (level after the step, counts) within the budget. counts_at: function of a fractional level."""

        def affordable(counts: list[int]) -> bool:
            return self._spent + self._cost(step, counts) <= self._budget

        level = self._levels[step]
        counts = counts_at(level)
        if not affordable(counts):
            self.exhausted = True
            highest = self._levels[step - 1] - 1 if step else MAX_LEVEL
            exact = _least(lambda level: affordable(counts_at(level)), level, highest)
            level = math.ceil(exact)  # The stream can only say whole levels; counts are matched to the exact level.
            counts = counts_at(exact)
            if not affordable(counts):
                counts = [0] * len(counts)
        self._spent += self._cost(step, counts)
        return level, counts

    def _cost(self, step: int, counts: list[int]) -> float:
        sizes = self._codebooks(step).sizes
        return sum(set_bits(size, count) + COUNT_BITS for count, size in zip(counts, sizes, strict=True))


def _ratio(t: float, level: float) -> float:
    """Return the matched shift of a step from time t to a fractional level, in units of the noise.

    It is for a residual of length 1, and proportional to the length.
    """
    below, above = math.floor(level), math.ceil(level)
    ratios = [rule.pull / rule.sigma for rule in (ancestral(t, level_time(below)), ancestral(t, level_time(above)))]
    return ratios[0] + (level - below) * (ratios[1] - ratios[0])


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return approximately the smallest value in low..high from which a condition holds; `high` if there is none."""
    while high - low > LEVEL_PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
