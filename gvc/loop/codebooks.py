# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codebooks of all blocks of a GOP: the noise that is made of their atoms, and the encoder's choice of atoms.

They are computed where the prior's vectors are: by the native code on the CPU (here), or with torch on an accelerator
(gvc.loop.on_device), so that vectors do not have to travel. Both make the same noise to the bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..bitstream import SequenceHeader
from ..entropy import MAX_COUNT
from ..machine.lazy import lazy
from ..machine.parallel import each
from ..prior import Array, Flow, on_host
from .codebook import MAX_LOG2_SIZE, Codebook, Ranking, log2_size_for, pieces

Atoms = tuple[np.ndarray, np.ndarray]  # (ascending indices, uint32 [M]; signs, int8 [M])
Counts = Any  # Number of atoms of each block: a list, or an integer tensor [blocks] on an accelerator.


class Choice(Protocol):
    """The atoms that the encoder takes at one step."""

    def noise(self) -> Array:
        """Return z, noise of unit variance [size] made of the atoms; an array of the prior's kind."""

    def atoms(self) -> list[Atoms]:
        """Return the atoms of each block; waits for them if they come from an accelerator.

        Raises ValueError if the residual had values that are not finite.
        """


class Ranked(Protocol):
    """All atoms of one step, ranked by their correlation with the residual."""

    def matched(self, ratio: float) -> Counts:
        """Return the number of atoms of each block whose noise is closest to a wanted shift.

        ratio: length of the shift along the residual, divided by the length of the residual.
        """

    def numbers(self, counts: Counts) -> list[int]:
        """Return the result of `matched` as numbers; waits for them if they come from an accelerator."""

    def take(self, counts: Counts) -> Choice:
        """Choose the strongest atoms of each block. counts: result of `matched`, or a list of numbers."""


class Codebooks:
    """Common part of both kinds: the blocks of a GOP's latent.

    prior: conditioned prior of the GOP.
    header: sequence header of the stream.
    gop: index of the GOP.

    Attributes:
        blocks: parts of the latent that have a codebook of their own.
        sizes: for each block, the number of atoms that are in use.
    """

    def __init__(self, prior: Flow, header: SequenceHeader, gop: int):
        self._seed, self._gop = header.seed, gop % 2**30
        cut = [pieces(block) for block in prior.blocks]
        self._pieces = [len(parts) for parts in cut]
        self.blocks = [piece for parts in cut for piece in parts]
        self._log2_sizes = [log2_size_for(block.stop - block.start, header.codebook_extra) for block in self.blocks]
        self.sizes = [1 << min(log2, header.codebook_limit or MAX_LOG2_SIZE) for log2 in self._log2_sizes]

    def limited(self, counts: Sequence[int]) -> list[int]:
        """Return a number of atoms for each block, no more than there are. counts: one for each block of the prior."""
        wanted = [count for count, parts in zip(counts, self._pieces, strict=True) for _ in range(parts)]
        return [min(count, size) for count, size in zip(wanted, self.sizes, strict=True)]

    def noise(self, step: int, atoms: list[Atoms] | None = None) -> Array:
        """Return z, noise of unit variance [size], an array of the prior's kind.

        step: number of the step, 0 for the initial noise.
        atoms: atoms of each block, default none; a block without any gets the dense noise of its codebook.
        """
        raise NotImplementedError

    def rank(self, step: int, residual: Array) -> Ranked:
        """Rank the atoms of a step by their correlation with a residual [size], an array of the prior's kind."""
        raise NotImplementedError


class HostCodebooks(Codebooks):
    """The codebooks by the native code. Vectors of other devices are copied to main memory and back."""

    def __init__(self, prior: Flow, header: SequenceHeader, gop: int):
        super().__init__(prior, header, gop)
        self._size, self._like = prior.size, prior.zeros()

    def noise(self, step: int, atoms: list[Atoms] | None = None) -> Array:
        z = np.empty(self._size, np.float32)

        def fill(book: Codebook, block: slice, chosen: Atoms | None) -> None:
            z[block] = book.synthesize(*chosen) if chosen and len(chosen[0]) else book.dense_noise()

        each(fill, self._books(step), self.blocks, atoms or [None] * len(self.blocks))
        if isinstance(self._like, np.ndarray):
            return z
        import torch

        return torch.from_numpy(z).to(self._like.device)

    def rank(self, step: int, residual: Array) -> "HostRanked":
        """Rank the atoms. Raises ValueError if the residual has values that are not finite."""
        residual = on_host(residual)
        norms = [float((residual[block] ** 2).sum()) ** 0.5 for block in self.blocks]

        def rank(book: Codebook, block: slice, norm: float, size: int, correlations: np.ndarray) -> Ranking:
            return Ranking(book.correlate(residual[block] / (norm or 1.0), correlations)[:size])

        rankings = each(rank, self._books(step), self.blocks, norms, self.sizes, self._correlations)
        return HostRanked(self, step, norms, rankings)

    def _books(self, step: int) -> list[Codebook]:
        return [
            Codebook(block.stop - block.start, log2, self._seed, self._gop, step, i)
            for i, (block, log2) in enumerate(zip(self.blocks, self._log2_sizes, strict=True))
        ]

    @lazy
    def _correlations(self) -> list[np.ndarray]:
        """Memory for the correlations of a step, whose allocation can take as long as the computation."""
        return [np.empty(1 << log2, np.float32) for log2 in self._log2_sizes]


@dataclass(frozen=True)
class HostRanked:
    """The atoms of one step, ranked by the native code; valid until the next step is ranked."""

    codebooks: HostCodebooks
    step: int
    norms: list[float]  # norm of each block of the residual
    rankings: list[Ranking]

    def matched(self, ratio: float) -> list[int]:
        return each(_matched_count, self.rankings, [ratio * norm for norm in self.norms])

    def numbers(self, counts: list[int]) -> list[int]:
        return counts

    def take(self, counts: Sequence[int]) -> "HostChoice":
        return HostChoice(self.codebooks, self.step, each(Ranking.take, self.rankings, counts))


@dataclass(frozen=True)
class HostChoice:
    """Atoms in main memory."""

    codebooks: HostCodebooks
    step: int
    chosen: list[Atoms]

    def noise(self) -> Array:
        return self.codebooks.noise(self.step, self.chosen)

    def atoms(self) -> list[Atoms]:
        return self.chosen


def _matched_count(ranking: Ranking, want: float) -> int:
    """Return the number of atoms whose sum, projected on the residual, is closest to `want`.

    A remaining difference is corrected by the next step.
    """
    count = min(ranking.count_for(want), MAX_COUNT)
    return count - 1 if want <= (ranking.reach(count - 1) + ranking.reach(count)) / 2 else count


def codebooks_for(prior: Flow, header: SequenceHeader, gop: int) -> Codebooks:
    """Return the codebooks of a GOP, to be computed where the prior's vectors are."""
    vector = prior.zeros()
    if isinstance(vector, np.ndarray) or vector.device.type == "cpu" or not len(vector):
        return HostCodebooks(prior, header, gop)
    from .on_device import DeviceCodebooks, is_exact

    return (DeviceCodebooks if is_exact(vector.device) else HostCodebooks)(prior, header, gop)
