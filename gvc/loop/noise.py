# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The noise of the loop: the common part of both sources, and the decoder's source, which replays coded atoms.

Each block of the latent has its own codebook at each step. Its noise is a sum of M signed atoms, or the codebook's
dense noise if M = 0. So z is white and of unit variance in both cases.

Codebooks are always computed on the CPU, also for a prior on an accelerator: that work is small compared with the
network's. The entropy coder is serial and runs in a thread of its own, in parallel with the network. In the encoder it
runs behind the loop; in the decoder it runs ahead of the loop and also makes the noise.
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

Atoms = tuple[np.ndarray, np.ndarray]  # (ascending indices, uint32 [M]; signs, int8 [M])


class BlockNoise:
    """Common part of both sources: blocks, their codebooks, and the synthesis of a noise vector.

    A source is a context manager, which ends its thread at the end of the `with` block.

    prior: conditioned prior of the GOP.
    header: sequence header of the stream.
    gop: index of the GOP.
    """

    exhausted = False

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int):
        self._prior, self._seed, self._gop = prior, header.seed, gop % 2**30
        self._extra, self._limit = header.codebook_extra, header.codebook_limit or MAX_LOG2_SIZE
        self._blocks = [piece for block in prior.blocks for piece in pieces(block)]
        self._counts = [0] * len(self._blocks)  # Counts of the step before, from which the next ones are predicted.
        self._coding = ThreadPoolExecutor(1, "gvc-atoms")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._coding.shutdown(cancel_futures=True)

    @stage("initial_noise")
    def initial(self) -> Array:
        """Return x_1, white noise [size], made of the codebooks of step 0."""
        return self._for_prior(self._noise(self._books(0)))

    def _books(self, step: int) -> list[Codebook]:
        sizes = [block.stop - block.start for block in self._blocks]
        log2 = [log2_size_for(size, self._extra) for size in sizes]
        return [
            Codebook(d, n, self._seed, self._gop, step, i) for i, (d, n) in enumerate(zip(sizes, log2, strict=True))
        ]

    def _size(self, book: Codebook) -> int:
        """Return the number of atoms of a codebook that are in use."""
        return 1 << min(book.log2_size, self._limit)

    def _noise(self, books: list[Codebook], atoms: list[Atoms] | None = None) -> np.ndarray:
        """Return z, float32 [size]. atoms: atoms of each block; a block without any gets dense noise."""
        z = np.empty(self._prior.size, np.float32)

        def fill(book: Codebook, block: slice, chosen: Atoms | None) -> None:
            z[block] = book.synthesize(*chosen) if chosen and len(chosen[0]) else book.dense_noise()

        each(fill, books, self._blocks, atoms or [None] * len(books))
        return z

    def _for_prior(self, z: np.ndarray) -> Array:
        """Convert a vector to the prior's array type and device."""
        zeros = self._prior.zeros()
        if isinstance(zeros, np.ndarray):
            return z
        import torch

        return torch.from_numpy(z).to(zeros.device)


class ReplayNoise(BlockNoise):
    """The decoder's source: it reads the atoms of each step from the bitstream.

    atoms: coded atoms of all steps. steps: number of steps with noise.
    """

    def __init__(self, prior: ConditionedPrior, header: SequenceHeader, gop: int, atoms: bytes, steps: int):
        super().__init__(prior, header, gop)
        self._decoder, self._steps = RangeDecoder(atoms, "atoms"), steps
        self._next = self._read_ahead(0)

    @stage("atoms")
    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) with the noise in the stream. Raises BitstreamError."""
        z = self._next.result()
        self._next = self._read_ahead(step + 1)
        return s, self._for_prior(z)

    @stage("atoms")
    def finish(self) -> None:
        """Raise BitstreamError if bytes are left over after the last step."""
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
