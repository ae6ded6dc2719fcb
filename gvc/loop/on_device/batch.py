# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codebooks of several blocks of equal size at one step, as gvc/native/codebook.cpp computes them one by one."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...machine.lazy import lazy
from .signs import sign_diagonals

INT32_LOG2_SIZE = 20  # log2 of the largest codebook whose sums, at most N sqrt(N), fit 32 bits


@dataclass(frozen=True)
class CodebookBatch:
    """The codebooks of a range of blocks; the other fields are as in gvc.loop.codebook.Codebook.

    device: torch device that computes them.
    """

    dimension: int
    log2_size: int
    seed: int
    gop: int
    step: int
    blocks: range
    device: torch.device

    @property
    def size(self) -> int:
        """N, the number of atoms of a codebook."""
        return 1 << self.log2_size

    @property
    def row(self) -> int:
        """Length of a row. A codebook with more atoms than its block has values consists of several rows."""
        return 1 << (self.dimension - 1).bit_length()

    @lazy
    def signs(self) -> Tensor:
        """Signs of all three diagonals, int8 [3, blocks, N]."""
        return sign_diagonals(self.size, self.blocks, self.device, seed=self.seed, gop=self.gop, step=self.step)

    def correlate(self, residuals: Tensor) -> Tensor:
        """Return the inner products, float32 [blocks, N], of every atom with its block's residual.

        residuals: float32 [blocks, D], of unit norm.
        """
        first, second, _ = self.signs
        values = pad(residuals * first[:, : self.dimension], (0, self.row - self.dimension))
        # All other rows are zero, so the transform across rows copies the first one.
        values = hadamard(values).repeat(1, self.size // self.row)
        return hadamard(values * second) * (1 / math.sqrt(self.size))

    def noise(self, chosen: Tensor) -> Tensor:
        """Return z, float32 [blocks, D].

        chosen: int8 [blocks, N], sign of each atom in the sum and 0 for all others. A block without any atom gets the
            dense noise of its codebook.
        """
        first, second, dense = self.signs
        counts = (chosen != 0).sum(1, keepdim=True)
        empty = counts == 0
        integers = torch.int32 if self.log2_size <= INT32_LOG2_SIZE else torch.int64
        values = hadamard(torch.where(empty, dense, chosen).to(integers)) * second
        # Only the first row of the second transform is needed, which is the transform of the sum of all rows.
        values = values.view(len(values), -1, self.row).sum(1, dtype=integers)
        values = hadamard(values)[:, : self.dimension] * first[:, : self.dimension]
        # The product and its root are float64. A tensor as divisor makes a true division; for a number as divisor
        # torch would multiply by its inverse.
        divisors = (torch.where(empty, self.size, counts).double() * self.size).sqrt().float()
        return values.float() / divisors


def hadamard(values: Tensor) -> Tensor:
    """Return the Walsh-Hadamard transform of each row in Sylvester order, not normalised; `values` is overwritten.

    values: [rows, N] of integers, which wrap around, or of float32; N is a power of two. Values are added in the order
        of gvc/native/hadamard.cpp, so floats are equal to its to the bit.
    """
    rows, size = values.shape
    results = torch.empty_like(values)
    distance = 1
    while distance < size:
        pairs, sums = (buffer.view(rows, -1, 2, distance) for buffer in (values, results))
        torch.add(pairs[:, :, 0], pairs[:, :, 1], out=sums[:, :, 0])
        torch.sub(pairs[:, :, 0], pairs[:, :, 1], out=sums[:, :, 1])
        values, results = results, values
        distance *= 2
    return values
