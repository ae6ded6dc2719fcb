# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Noise of the loop: what both of its sources share, and the decoder's, which replays the atoms of the bitstream.

Each block of the latent has its own codebook at each step. Its noise is a sum of M signed atoms, or, where M = 0, the
codebook's dense noise; so z is white and of unit variance in any case.

Codebooks are worked on by the processor, whatever device the prior is on: its vectors are small beside the work of its
network. The entropy coder, which can only go step by step, works in a thread of its own: the writer behind the loop,
the reader, which makes the noise too, ahead of it. So both run while the network does.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np

from ..bitstream import SequenceHeader
from ..entropy import RangeDecoder, read_atoms, read_count
from ..errors import BitstreamError
from ..machine.parallel import each, inheriting
from ..machine.stages import stage
from ..prior import Array, ConditionedPrior
from .codebook import MAX_LOG2_SIZE, Codebook, log2_size_for, pieces

Atoms = tuple[np.ndarray, np.ndarray]  # indices uint32 [M] rising, signs int8 [M]


class BlockNoise:
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

    @stage("initial_noise")
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


class ReplayNoise(BlockNoise):
    """Decoder: reads the atoms of each step from the bitstream. steps: how many have noise."""

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int, atoms: bytes, steps: int):
        super().__init__(prior, header, gop)
        self._decoder, self._steps = RangeDecoder(atoms, "atoms"), steps
        self._next = self._read_ahead(0)

    @stage("atoms")
    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) as the stream says. Raises BitstreamError."""
        z = self._next.result()
        self._next = self._read_ahead(step + 1)
        return s, self._for_prior(z)

    @stage("atoms")
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
            raise BitstreamError("count", 0, f"{count} are more than the {size} of the codebook")
        return read_atoms(self._decoder, count, size)
