# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Codebooks of near-Gaussian atoms, made from two sign diagonals and Walsh-Hadamard transforms.

Atom j of a block is row j of H·D2·H·D1 cut to the block's D values; H is the N x N Walsh-Hadamard matrix (entries
+-1, Sylvester order), D1 and D2 are +-1 diagonals from Philox4x32-10 (`native/philox.h` has the exact keying). The
decoder's z is a sum of integers and one division, so it is the same on every processor.
"""

from dataclasses import dataclass

import numpy as np

from .. import _native
from .._native import Ranking

__all__ = ["ATOM_OVERHEAD", "MAX_LOG2_SIZE", "Codebook", "Ranking", "bit_price", "log2_size_for", "pieces"]

ATOM_OVERHEAD = 1.35
"""Approximate ratio of the bits of posterior-matched atoms to the Kullback-Leibler divergence (measured)."""


MAX_LOG2_SIZE = 24
"""Largest log2 of a codebook's number of atoms."""


def bit_price(sigma: float, sample_scale: float) -> float:
    """Return the squared error (in luma samples) that one bit of atoms at a noise level is worth.

    One bit less for a Gaussian value adds 2 ln 2 times its posterior variance, which is about that of the noise.

    sigma: noise level where coding stops.
    sample_scale: scale of the prior (gvc.prior.Prior).
    """
    return 1.3863 * (sample_scale * sigma) ** 2 / ATOM_OVERHEAD


def log2_size_for(dimension: int, extra: int = 0) -> int:
    """Return log2 of a codebook's size: the smallest power of two >= `dimension`, times 2**extra, up to the limit."""
    return min((dimension - 1).bit_length() + extra, MAX_LOG2_SIZE)


def pieces(block: slice) -> list[slice]:
    """Divide a block of a latent into pieces no larger than the largest codebook."""
    most = 1 << MAX_LOG2_SIZE
    return [slice(start, min(start + most, block.stop)) for start in range(block.start, block.stop, most)]


@dataclass(frozen=True)
class Codebook:
    """The atoms of one block at one step.

    `dimension` is D, the number of values in the block; the codebook has N = 2**`log2_size` >= D atoms, at most 2**24.
    `seed`, `step` and `block` are 32-bit unsigned, `gop` is below 2**30.
    """

    dimension: int
    log2_size: int
    seed: int
    gop: int
    step: int
    block: int

    @property
    def _key(self) -> tuple[int, int, int, int]:
        return self.seed, self.gop, self.step, self.block

    def correlate(self, residual: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the inner products, float32 [N], of every atom (scaled to unit variance) with `residual`, float32 [D].

        For a residual of unit norm they are close to N(0, 1).

        out: float32 [N], array for the result; default a new one, whose allocation can take as long as the computation.
        """
        if residual.shape != (self.dimension,):
            raise ValueError(f"the residual must have shape ({self.dimension},), not {tuple(residual.shape)}")
        if out is None:
            out = np.empty(1 << self.log2_size, np.float32)
        _native.correlate(residual, out, self.log2_size, *self._key)
        return out

    def synthesize(self, indices: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """Return z, the sum of the signed atoms scaled to unit variance, float32 [D].

        Args:
            indices: uint32 [M], distinct, below N; M >= 1.
            signs: int8 [M], +1 or -1.
        """
        return _native.synthesize(indices, signs, self.dimension, self.log2_size, *self._key)

    def dense_noise(self) -> np.ndarray:
        """Return white noise of unit variance, float32 [D]; at step 0 it is the initial state of the loop."""
        return _native.dense_noise(self.dimension, self.log2_size, *self._key)
