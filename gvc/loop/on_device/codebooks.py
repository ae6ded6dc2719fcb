# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codebooks of a GOP on an accelerator. The host waits for nothing but what it asks for.

Atoms pass between the accelerator and the entropy coder's thread as the signs of all atoms, with 0 for those that are
not chosen. This has a fixed size, so it can be copied without waiting; it is small compared with the network's work.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from ...bitstream import SequenceHeader
from ...prior import Flow
from ..codebook import Codebook
from ..codebooks import Atoms, Codebooks
from .batch import CodebookBatch
from .ranking import RankingBatch

BATCH_ATOMS = 2**23  # largest number of atoms in a batch with several blocks; the work on an atom needs about 50 bytes


@dataclass(frozen=True)
class _Group:
    """Blocks that follow each other in the vector and are computed together."""

    blocks: range  # their numbers
    part: slice  # their values
    dimension: int  # number of values of each
    log2_size: int  # log2 of the size of each codebook
    size: int  # number of atoms in use of each

    @property
    def rows(self) -> slice:
        """Their place in a tensor with a row for each block."""
        return slice(self.blocks.start, self.blocks.stop)


class DeviceCodebooks(Codebooks):
    """The codebooks with torch, on the device of the prior's vectors."""

    def __init__(self, prior: Flow, header: SequenceHeader, gop: int):
        super().__init__(prior, header, gop)
        self._size, self.device = prior.size, prior.zeros().device
        self.groups = list(self._grouped())

    def _grouped(self) -> Iterator[_Group]:
        """Yield groups of blocks of equal size that follow each other."""
        keys = [
            (block.stop - block.start, log2, size, block.start - i * (block.stop - block.start))
            for i, (block, log2, size) in enumerate(zip(self.blocks, self._log2_sizes, self.sizes, strict=True))
        ]
        for (dimension, log2, size, _), members in groupby(range(len(keys)), keys.__getitem__):
            numbers, most = list(members), max(1, BATCH_ATOMS >> log2)
            for first in numbers[::most]:
                blocks = range(first, min(first + most, numbers[-1] + 1))
                part = slice(self.blocks[blocks[0]].start, self.blocks[blocks[-1]].stop)
                yield _Group(blocks, part, dimension, log2, size)

    def noise(self, step: int, atoms: list[Atoms] | None = None) -> Tensor:
        return self.made_of(self.batches(step), [self._place(group, atoms) for group in self.groups])

    def _place(self, group: _Group, atoms: list[Atoms] | None) -> Tensor:
        """Return the signs of a group's atoms on the device, int8 [blocks, K]."""
        shape = (len(group.blocks), group.size)
        if atoms is None:
            return torch.zeros(shape, dtype=torch.int8, device=self.device)
        chosen = np.zeros(shape, np.int8)
        for row, (indices, signs) in zip(chosen, atoms[group.rows], strict=True):
            row[indices] = signs
        return to_device(chosen, self.device)

    def made_of(self, batches: list[CodebookBatch], chosen: list[Tensor]) -> Tensor:
        """Return z, float32 [size]. batches, chosen: for each group, its codebooks and the signs of its atoms."""
        z = torch.empty(self._size, device=self.device)
        for group, batch, signs in zip(self.groups, batches, chosen, strict=True):
            z[group.part] = batch.noise(pad(signs, (0, batch.size - group.size))).flatten()
        return z

    def rank(self, step: int, residual: Tensor) -> "DeviceRanked":
        return DeviceRanked(self, self.batches(step), residual)

    def batches(self, step: int) -> list[CodebookBatch]:
        """Return the codebooks of a step."""
        return [
            CodebookBatch(group.dimension, group.log2_size, self._seed, self._gop, step, group.blocks, self.device)
            for group in self.groups
        ]


class DeviceRanked:
    """The atoms of one step, ranked on the device; implements gvc.loop.codebooks.Ranked."""

    def __init__(self, codebooks: DeviceCodebooks, batches: list[CodebookBatch], residual: Tensor):
        self._codebooks, self._batches = codebooks, batches
        norms, self._rankings = [], []
        for group, batch in zip(codebooks.groups, batches, strict=True):
            values = residual[group.part].view(-1, group.dimension)
            norm = values.double().square().sum(1, keepdim=True).sqrt()
            correlations = batch.correlate(values / torch.where(norm > 0, norm, 1.0).float())
            norms.append(norm)
            self._rankings.append(RankingBatch(correlations[:, : group.size]))
        self._norms = torch.cat(norms)  # float64 [blocks, 1]

    def matched(self, ratio: float) -> Tensor:
        wants = ratio * self._norms
        groups = zip(self._codebooks.groups, self._rankings, strict=True)
        return torch.cat([ranking.matched(wants[group.rows]) for group, ranking in groups])

    def numbers(self, counts: Tensor) -> list[int]:
        return counts.tolist()

    def take(self, counts: Tensor | Sequence[int]) -> "DeviceChoice":
        if not isinstance(counts, Tensor):
            counts = to_device(np.array(counts), self._codebooks.device)
        groups = zip(self._codebooks.groups, self._rankings, strict=True)
        chosen = [ranking.take(counts[group.rows]) for group, ranking in groups]
        return DeviceChoice(self._codebooks, self._batches, self._norms, chosen)


class DeviceChoice:
    """Atoms on the device, which are on their way to the host; implements gvc.loop.codebooks.Choice."""

    def __init__(self, codebooks: DeviceCodebooks, batches: list[CodebookBatch], norms: Tensor, chosen: list[Tensor]):
        self._codebooks, self._batches, self._chosen = codebooks, batches, chosen
        self._norms_there, self._there = to_host(norms), [to_host(signs) for signs in chosen]

    def noise(self) -> Tensor:
        return self._codebooks.made_of(self._batches, self._chosen)

    def atoms(self) -> list[Atoms]:
        if not np.isfinite(self._norms_there()).all():
            raise ValueError("the residual must have finite numbers")
        return [_listed(row) for signs in self._there for row in signs()]


def _listed(signs: np.ndarray) -> Atoms:
    indices = np.flatnonzero(signs)
    return indices.astype(np.uint32), signs[indices]


def to_device(array: np.ndarray, device: torch.device) -> Tensor:
    """Return a copy of an array on a device. If that is an accelerator, the host does not wait for the copy."""
    if device.type == "cpu":
        return torch.from_numpy(array)
    return torch.from_numpy(array).pin_memory().to(device, non_blocking=True)


def to_host(tensor: Tensor) -> Callable[[], np.ndarray]:
    """Begin to copy a tensor to main memory; the result waits for the copy and returns it."""
    if tensor.device.type == "cpu":
        return tensor.numpy
    there = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
    copied = torch.accelerator.current_stream(tensor.device).record_event()

    def wait() -> np.ndarray:
        copied.synchronize()
        return there.numpy()

    return wait


@cache
def is_exact(device: torch.device) -> bool:
    """Return whether a device chooses atoms and makes the same noise of them as the native code.

    A short trial tells. It fails on a device that lacks an operation, 64-bit numbers or true division; then the CPU
    must compute the codebooks.
    """
    dimension, log2_size, wants = 3000, 12, np.linspace(0, 30, 20)[:, None]
    batch = CodebookBatch(dimension, log2_size, seed=1, gop=2, step=3, blocks=range(len(wants)), device=device)
    residuals = np.random.default_rng(0).standard_normal((len(wants), dimension), np.float32) / dimension**0.5
    try:
        ranking = RankingBatch(batch.correlate(to_device(residuals, device)))
        chosen = ranking.take(ranking.matched(to_device(wants, device)))
        signs, made = to_host(chosen)(), to_host(batch.noise(chosen))()
    except (RuntimeError, TypeError):
        return False
    books = [Codebook(dimension, log2_size, seed=1, gop=2, step=3, block=block) for block in batch.blocks]
    rows = zip(books, signs, strict=True)
    wanted = [book.synthesize(*_listed(row)) if row.any() else book.dense_noise() for book, row in rows]
    return np.array_equal(made, np.stack(wanted))
