# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The encoder's noise source: it searches the codebook for atoms that steer the trajectory to the source video."""

import math
from collections.abc import Callable

import numpy as np

from ..bitstream.levels import MAX_LEVEL, level_time
from ..entropy import MAX_COUNT, RangeEncoder, set_bits, write_atoms, write_count
from ..machine.parallel import each
from ..machine.stages import stage
from ..prior import Array, on_host
from .codebook import Codebook, Ranking, pieces
from .noise import Atoms, BlockNoise
from .transition import ancestral

LEVEL_PRECISION = 1 / 64  # precision, in levels, of the search for the stop level on a budget
COUNT_BITS = 8.0  # approximate bits of an atom count


class SearchNoise(BlockNoise):
    """The encoder's source: it picks the atoms that steer the trajectory to a clean latent, and writes them.

    x0: clean latent of the source.
    levels: noise level after each step with matched counts; default none, for fixed counts.
    fixed: number of atoms of each block at every step (the paper's rule); default None, posterior-matched counts.
    budget: bits for all atoms, default no limit. The loop ends early when they are spent, and its last step may end
        above its level.

    Attributes:
        stop: after the loop, the noise level where it ended.
        bits: bits of all atoms by the ideal code.
    """

    def __init__(self, prior, header, gop, x0: Array, levels: list[int] = (), *, fixed=None, budget: float = math.inf):
        super().__init__(prior, header, gop)
        self._x0, self._levels, self._budget = x0, levels, budget
        if fixed is not None:
            fixed = [count for count, block in zip(fixed, prior.blocks, strict=True) for _ in pieces(block)]
        self._fixed = fixed
        self._encoder, self._writing = RangeEncoder(), []
        self._correlations = [np.empty(1 << book.log2_size, np.float32) for book in self._books(0)]
        self.bits = 0.0
        self.stop = 0

    @stage("atoms")
    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Choose and write the atoms of a step; return (s, z) made of them."""
        books = self._books(step + 1)
        residual = on_host(self._x0 - x0_hat)
        norms = [float((residual[block] ** 2).sum()) ** 0.5 for block in self._blocks]

        def rank(book: Codebook, block: slice, norm: float, correlations: np.ndarray) -> Ranking:
            return Ranking(book.correlate(residual[block] / (norm or 1.0), correlations)[: self._size(book)])

        rankings = each(rank, books, self._blocks, norms, self._correlations)
        if self._fixed is not None:
            counts = [min(count, self._size(book)) for count, book in zip(self._fixed, books, strict=True)]
        else:
            s, counts = self._match(step, t, norms, rankings, books)
        self.bits += self._cost(counts, books)
        atoms = each(Ranking.take, rankings, counts)
        self._writing.append(self._coding.submit(self._write, atoms, books))
        return s, self._for_prior(self._noise(books, atoms))

    @stage("atoms")
    def finish(self) -> bytes:
        """Return the coded atoms of all steps."""
        for step in self._writing:
            step.result()
        return self._encoder.finish()

    def _write(self, atoms: list[Atoms], books: list[Codebook]) -> None:
        for i, ((indices, signs), book) in enumerate(zip(atoms, books, strict=True)):
            write_count(self._encoder, len(indices), self._counts[i])
            write_atoms(self._encoder, indices, signs, self._size(book))
            self._counts[i] = len(indices)

    def _match(self, step, t, norms, rankings, books) -> tuple[float, list[int]]:
        """Return (time after the step, matched counts); the step ends early if the budget requires it."""

        def counts_at(level: float) -> list[int]:
            return each(_matched_count, rankings, _wants(t, level, norms))

        def affordable(level: float) -> bool:
            return self.bits + self._cost(counts_at(level), books) <= self._budget

        level = self._levels[step]
        counts = counts_at(level)
        if not affordable(level):
            self.exhausted = True
            exact = _least(affordable, level, self._levels[step - 1] - 1 if step else MAX_LEVEL)
            level = math.ceil(exact)  # The stream can only say whole levels; counts are matched to the exact level.
            counts = counts_at(exact) if affordable(exact) else [0] * len(norms)
        self.stop = level
        return level_time(level), counts

    def _cost(self, counts, books) -> float:
        return sum(set_bits(self._size(b), m) + COUNT_BITS for m, b in zip(counts, books, strict=True))


def _wants(t: float, level: float, norms: list[float]) -> list[float]:
    """Return each block's matched shift, in units of the noise, for a step from time t to a fractional level."""
    below, above = math.floor(level), math.ceil(level)
    ratios = [rule.pull / rule.sigma for rule in (ancestral(t, level_time(below)), ancestral(t, level_time(above)))]
    ratio = ratios[0] + (level - below) * (ratios[1] - ratios[0])
    return [ratio * norm for norm in norms]


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return approximately the smallest value in low..high from which a condition holds; `high` if there is none."""
    while high - low > LEVEL_PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _matched_count(ranking: Ranking, want: float) -> int:
    """Return the number of atoms whose sum, projected on the residual, is closest to `want`.

    A remaining difference is corrected by the next step.
    """
    count = min(ranking.count_for(want), MAX_COUNT)
    return count - 1 if want <= (ranking.reach(count - 1) + ranking.reach(count)) / 2 else count
