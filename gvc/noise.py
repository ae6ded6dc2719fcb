"""The two noise sources of the loop: the encoder searches codebook atoms, the decoder replays them.

Each block of the latent has its own codebook at each step. Its noise is a sum of M signed atoms, or, where M = 0, the
codebook's dense noise; so z is white and of unit variance in any case.
"""

import math
from collections.abc import Callable

import numpy as np

from .bitstream import SequenceHeader
from .codebook import Codebook, Ranking, log2_size_for
from .entropy import MAX_COUNT, RangeDecoder, RangeEncoder, read_atoms, read_count, set_bits, write_atoms, write_count
from .errors import BitstreamError
from .priors.base import Array, ConditionedPrior
from .schedule import MAX_LEVEL, level_time
from .transition import ancestral

MAX_LOG2_SIZE = 24
LEVEL_PRECISION = 1 / 64  # of the stop level on a budget
COUNT_BITS = 8.0  # what an atom count costs, about


class _BlockNoise:
    """What both sources share: blocks, their codebooks, and the assembly of a whole noise vector."""

    exhausted = False

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int):
        self._prior, self._seed, self._gop = prior, header.seed, gop % 2**30
        self._extra, self._limit = header.codebook_extra, header.codebook_limit or MAX_LOG2_SIZE
        self._blocks = [piece for block in prior.blocks for piece in _pieces(block)]
        self._counts = [0] * len(self._blocks)  # of the step before: what the next counts are coded against

    def initial(self) -> Array:
        """Return x_1, white noise [size]; it is step 0 of the codebooks."""
        return self._assemble(book.dense_noise for book in self._books(0))

    def _books(self, step: int) -> list[Codebook]:
        sizes = [block.stop - block.start for block in self._blocks]
        log2 = [min(log2_size_for(size) + self._extra, MAX_LOG2_SIZE) for size in sizes]
        return [
            Codebook(d, n, self._seed, self._gop, step, i) for i, (d, n) in enumerate(zip(sizes, log2, strict=True))
        ]

    def _atoms(self, book: Codebook) -> int:
        """Return how many atoms of a codebook are in use."""
        return 1 << min(book.log2_size, self._limit)

    def _assemble(self, makers) -> Array:
        z = self._prior.zeros()
        device = None if isinstance(z, np.ndarray) else z.device
        for block, make in zip(self._blocks, makers, strict=True):
            z[block] = make(device=device)
        return z


def _pieces(block: slice) -> list[slice]:
    """Cut a block that is larger than any codebook."""
    most = 1 << MAX_LOG2_SIZE
    return [slice(start, min(start + most, block.stop)) for start in range(block.start, block.stop, most)]


def _noise_maker(book: Codebook, indices: np.ndarray, signs: np.ndarray):
    if not len(indices):
        return book.dense_noise
    return lambda device: book.synthesize(indices, signs, device=device)


class ReplayNoise(_BlockNoise):
    """Decoder: reads the atoms of each step from the bitstream."""

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int, atoms: bytes):
        super().__init__(prior, header, gop)
        self._decoder = RangeDecoder(atoms)

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) as the stream says. Raises BitstreamError."""
        makers = []
        for i, book in enumerate(self._books(step + 1)):
            size = self._atoms(book)
            self._counts[i] = count = read_count(self._decoder, self._counts[i])
            if count > size:
                raise BitstreamError("number of atoms", 0, f"{count} are more than the {size} of the codebook")
            makers.append(_noise_maker(book, *read_atoms(self._decoder, count, size)))
        return s, self._assemble(makers)

    def finish(self) -> None:
        """Raise BitstreamError when bytes are left that no step has used."""
        self._decoder.finish()


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
            fixed = [count for count, block in zip(fixed, prior.blocks, strict=True) for _ in _pieces(block)]
        self._fixed = fixed
        self._encoder = RangeEncoder()
        self.bits = 0.0
        self.stop = 0

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) with the chosen atoms, which are written to the stream."""
        books = self._books(step + 1)
        residual = self._x0 - x0_hat
        norms = [float((residual[block] ** 2).sum()) ** 0.5 for block in self._blocks]
        rankings = [
            _rank(book, residual[block] / norm if norm else residual[block], self._atoms(book))
            for book, block, norm in zip(books, self._blocks, norms, strict=True)
        ]
        if self._fixed is not None:
            counts = [min(count, self._atoms(book)) for count, book in zip(self._fixed, books, strict=True)]
        else:
            s, counts = self._match(step, t, norms, rankings, books)
        self.bits += self._cost(counts, books)
        makers = []
        for i, (book, ranking, count) in enumerate(zip(books, rankings, counts, strict=True)):
            indices, signs = ranking.take(count)
            write_count(self._encoder, count, self._counts[i])
            write_atoms(self._encoder, indices, signs, self._atoms(book))
            self._counts[i] = count
            makers.append(_noise_maker(book, indices, signs))
        return s, self._assemble(makers)

    def finish(self) -> bytes:
        """Return the coded atoms of all steps."""
        return self._encoder.finish()

    def _match(self, step, t, norms, rankings, books) -> tuple[float, list[int]]:
        """Return the time after the step and the matched counts, ending the step early where the budget asks it."""

        def counts_at(level: float) -> list[int]:
            wants = _wants(t, level, norms)
            return [_matched_count(ranking, want) for ranking, want in zip(rankings, wants, strict=True)]

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
        return sum(set_bits(self._atoms(b), m) + COUNT_BITS for m, b in zip(counts, books, strict=True))


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


def _rank(book: Codebook, direction: Array, atoms: int) -> Ranking:
    correlations = book.correlate(direction)[:atoms]
    return Ranking(correlations if isinstance(correlations, np.ndarray) else correlations.cpu().numpy())


def _matched_count(ranking: Ranking, want: float) -> int:
    """Return the smallest M whose noise reaches `want` along the residual; 0 where none is nearer than one atom."""
    if want <= ranking.reach(1) / 2:
        return 0
    return min(ranking.count_for(want), MAX_COUNT)
