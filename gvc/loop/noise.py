# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The two noise sources of the loop: the encoder searches codebook atoms, the decoder replays them.

Each block of the latent has its own codebook at each step. Its noise is a sum of M signed atoms, or, where M = 0, the
codebook's dense noise; so z is white and of unit variance in any case.

Codebooks are worked on by the processor, whatever device the prior is on: its vectors are small beside the work of its
network. The entropy coder, which can only go step by step, works in a thread of its own: the writer behind the loop,
the reader, which makes the noise too, ahead of it. So both run while the network does.
"""

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np

from ..bitstream import SequenceHeader
from ..bitstream.levels import MAX_LEVEL, level_time
from ..entropy import MAX_COUNT, RangeDecoder, RangeEncoder, read_atoms, read_count, set_bits, write_atoms, write_count
from ..errors import BitstreamError
from ..machine.parallel import each, inheriting
from ..prior import Array, ConditionedPrior, on_host
from .codebook import MAX_LOG2_SIZE, Codebook, Ranking, log2_size_for, pieces
from .transition import ancestral

LEVEL_PRECISION = 1 / 64  # of the stop level on a budget
COUNT_BITS = 8.0  # what an atom count costs, about


Atoms = tuple[np.ndarray, np.ndarray]  # indices uint32 [M] rising, signs int8 [M]


class _BlockNoise:
    """What both sources share: blocks, their codebooks, and the making of a whole noise vector.

    A source is a context manager: at the end of the block its thread ends.
    """

    exhausted = False

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int):
        self._prior, self._seed, self._gop = prior, header.seed, gop % 2**30
        self._extra, self._limit = header.codebook_extra, header.codebook_limit or MAX_LOG2_SIZE
        self._blocks = [piece for block in prior.blocks for piece in pieces(block)]
        self._counts = [0] * len(self._blocks)  # of the step before: what the next counts are coded against
        self._coding = ThreadPoolExecutor(1, "gvc-atoms")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._coding.shutdown(cancel_futures=True)

    def initial(self) -> Array:
        """Return x_1, white noise [size]; it is step 0 of the codebooks."""
        return self._for_prior(self._noise(self._books(0)))

    def _books(self, step: int) -> list[Codebook]:
        sizes = [block.stop - block.start for block in self._blocks]
        log2 = [log2_size_for(size, self._extra) for size in sizes]
        return [
            Codebook(d, n, self._seed, self._gop, step, i) for i, (d, n) in enumerate(zip(sizes, log2, strict=True))
        ]

    def _size(self, book: Codebook) -> int:
        """Return how many atoms of a codebook are in use."""
        return 1 << min(book.log2_size, self._limit)

    def _noise(self, books: list[Codebook], atoms: list[Atoms] | None = None) -> np.ndarray:
        """Return z, float32 [size], of the atoms of each block; dense noise where a block has none."""
        z = np.empty(self._prior.size, np.float32)

        def fill(book: Codebook, block: slice, chosen: Atoms | None) -> None:
            z[block] = book.synthesize(*chosen) if chosen and len(chosen[0]) else book.dense_noise()

        each(fill, books, self._blocks, atoms or [None] * len(books))
        return z

    def _for_prior(self, z: np.ndarray) -> Array:
        """Return a vector as the prior has them."""
        zeros = self._prior.zeros()
        if isinstance(zeros, np.ndarray):
            return z
        import torch

        return torch.from_numpy(z).to(zeros.device)


class ReplayNoise(_BlockNoise):
    """Decoder: reads the atoms of each step from the bitstream. steps: how many have noise."""

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int, atoms: bytes, steps: int):
        super().__init__(prior, header, gop)
        self._decoder, self._steps = RangeDecoder(atoms), steps
        self._next = self._read_ahead(0)

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) as the stream says. Raises BitstreamError."""
        z = self._next.result()
        self._next = self._read_ahead(step + 1)
        return s, self._for_prior(z)

    def finish(self) -> None:
        """Raise BitstreamError when bytes are left that no step has used."""
        self._decoder.finish()

    def _read_ahead(self, step: int) -> Future | None:
        return self._coding.submit(inheriting(self._read), step) if step < self._steps else None

    def _read(self, step: int) -> np.ndarray:
        books = self._books(step + 1)
        return self._noise(books, [self._read_atoms(i, self._size(book)) for i, book in enumerate(books)])

    def _read_atoms(self, block: int, size: int) -> Atoms:
        self._counts[block] = count = read_count(self._decoder, self._counts[block])
        if count > size:
            raise BitstreamError("number of atoms", 0, f"{count} are more than the {size} of the codebook")
        return read_atoms(self._decoder, count, size)


class SearchNoise(_BlockNoise):
    """Encoder: picks the atoms that steer the trajectory to the clean latent `x0`, and writes them.

    fixed: atoms of each prior block at every step (the paper's rule), or None: posterior-matched counts.
    levels: noise levels after each step of matched counts; with a `budget` (bits for all atoms) the last step may end
        above its level.
    After the loop `stop` is the level where it ended, `bits` the cost by the ideal code, and `finish` gives the bytes.
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

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) with the chosen atoms, which are written to the stream."""
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
        """Return the time after the step and the matched counts, ending the step early where the budget asks it."""

        def counts_at(level: float) -> list[int]:
            return each(_matched_count, rankings, _wants(t, level, norms))

        def affordable(level: float) -> bool:
            return self.bits + self._cost(counts_at(level), books) <= self._budget

        level = self._levels[step]
        counts = counts_at(level)
        if not affordable(level):
            self.exhausted = True
            exact = _least(affordable, level, self._levels[step - 1] - 1 if step else MAX_LEVEL)
            level = math.ceil(exact)  # the stream knows whole levels; the atoms go as far as the budget
            counts = counts_at(exact) if affordable(exact) else [0] * len(norms)
        self.stop = level
        return level_time(level), counts

    def _cost(self, counts, books) -> float:
        return sum(set_bits(self._size(b), m) + COUNT_BITS for m, b in zip(counts, books, strict=True))


def _wants(t: float, level: float, norms: list[float]) -> list[float]:
    """Return the matched shift of each block, in units of the noise, for a step from t to a (fractional) level."""
    below, above = math.floor(level), math.ceil(level)
    ratios = [rule.pull / rule.sigma for rule in (ancestral(t, level_time(below)), ancestral(t, level_time(above)))]
    ratio = ratios[0] + (level - below) * (ratios[1] - ratios[0])
    return [ratio * norm for norm in norms]


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return nearly the least value in low..high from which on a condition holds, or `high`."""
    while high - low > LEVEL_PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _matched_count(ranking: Ranking, want: float) -> int:
    """Return the M whose noise comes nearest to `want` along the residual; what is left over the next step sees."""
    count = min(ranking.count_for(want), MAX_COUNT)
    return count - 1 if want <= (ranking.reach(count - 1) + ranking.reach(count)) / 2 else count
