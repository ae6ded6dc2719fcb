"""Codebooks of near-Gaussian atoms, made from two sign diagonals and Walsh-Hadamard transforms.

Atom j of a block is row j of H·D2·H·D1 cut to the block's D values; H is the N x N Walsh-Hadamard matrix (entries
+-1, Sylvester order), D1 and D2 are +-1 diagonals from Philox4x32-10 (`native/philox.h` has the exact keying). The
decoder's z is a sum of integers and one division, so it is the same on every processor; NumPy arrays go through the
native kernels, tensors stay on their device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gvc import _native
from gvc._native import Ranking

if TYPE_CHECKING:
    import torch

__all__ = ["ATOM_OVERHEAD", "Codebook", "Ranking", "log2_size_for"]

ATOM_OVERHEAD = 1.35
"""Bits of posterior-matched atoms over the Kullback-Leibler divergence that they bridge, about (measured)."""

_FIRST, _SECOND, _DENSE = range(3)


def log2_size_for(dimension: int) -> int:
    """Least log2 N with N >= `dimension`."""
    return (dimension - 1).bit_length()


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

    def correlate(self, residual):
        """Return the inner products, float32 [N], of every atom (scaled to unit variance) with `residual`, float32 [D].

        For a residual of unit norm they are close to N(0, 1). An array gives an array, a tensor one on its device.
        """
        if residual.shape != (self.dimension,):
            raise ValueError(f"the residual must have shape ({self.dimension},), not {tuple(residual.shape)}")
        if isinstance(residual, np.ndarray):
            return _native.correlate(residual, self.log2_size, *self._key)
        if residual.device.type == "cpu":
            import torch

            return torch.from_numpy(_native.correlate(residual.detach().numpy(), self.log2_size, *self._key))
        return self._correlate_torch(residual)

    def synthesize(self, indices: np.ndarray, signs: np.ndarray, device: torch.device | str | None = None):
        """Return z = sum of the signed atoms, scaled to unit variance, float32 [D].

        Args:
            indices: uint32 [M], distinct, below N; M >= 1.
            signs: int8 [M], +1 or -1.
            device: None gives a NumPy array, anything else a tensor on that device; the values are the same to the bit.
        """
        if _on_host(device):
            z = _native.synthesize(indices, signs, self.dimension, self.log2_size, *self._key)
            return _as_asked(z, device)
        return self._synthesize_torch(indices, signs, device)

    def dense_noise(self, device: torch.device | str | None = None):
        """Return white noise of unit variance, float32 [D]: the loop's initial state. `device` as for `synthesize`."""
        if _on_host(device):
            return _as_asked(_native.dense_noise(self.dimension, self.log2_size, *self._key), device)
        return self._dense_noise_torch(device)

    # The same with torch's integer operations, for accelerators.

    def _correlate_torch(self, residual: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import pad

        size = 1 << self.log2_size
        values = pad(residual.float(), (0, size - self.dimension)) * self._signs(_FIRST, residual.device)
        values = _hadamard(_hadamard(values) * self._signs(_SECOND, residual.device))
        return values * (1 / math.sqrt(size))

    def _synthesize_torch(self, indices: np.ndarray, signs: np.ndarray, device) -> torch.Tensor:
        import torch

        size, count = 1 << self.log2_size, len(indices)
        if not 1 <= count <= size:
            raise ValueError(f"synthesis needs 1..{size} atoms")
        values = torch.zeros(size, dtype=self._integer(count), device=device)
        where = torch.from_numpy(indices.astype(np.int64)).to(device)
        values[where] = torch.from_numpy(signs).to(device, values.dtype)
        return self._finish_torch(values, np.float32(math.sqrt(size * count)))

    def _dense_noise_torch(self, device) -> torch.Tensor:
        size = 1 << self.log2_size
        return self._finish_torch(self._signs(_DENSE, device).to(self._integer(size)), np.float32(size))

    def _finish_torch(self, values: torch.Tensor, divisor: np.float32) -> torch.Tensor:
        values = _hadamard(_hadamard(values) * self._signs(_SECOND, values.device)) * self._signs(_FIRST, values.device)
        # A tensor of divisors: torch may turn the division by a scalar into a product with its rounded reciprocal.
        z = values[: self.dimension].float()
        return z / z.new_full((1,), float(divisor)).expand_as(z)

    def _integer(self, count: int) -> torch.dtype:
        """Integer type that holds z before the division: |z| <= N sqrt(M)."""
        import torch

        return torch.int32 if 2 ** (2 * self.log2_size) * count < 2**62 else torch.int64

    def _signs(self, diagonal: int, device) -> torch.Tensor:
        """Return the +-1 diagonal, int32 [N]."""
        import torch

        words = 1 << max(self.log2_size - 5, 0)
        counter = torch.arange((words + 3) // 4, dtype=torch.int64, device=device)
        fixed = [torch.full_like(counter, v) for v in (self.block, self.step, self.gop << 2 | diagonal)]
        lanes = torch.stack(_philox([counter, *fixed], self.seed, 0x47564331), dim=1).reshape(-1, 1)
        bits = lanes >> torch.arange(32, device=device) & 1
        return (1 - 2 * bits).to(torch.int32).reshape(-1)[: 1 << self.log2_size]


def _on_host(device) -> bool:
    return device is None or str(device) == "cpu"


def _as_asked(array: np.ndarray, device):
    if device is None:
        return array
    import torch

    return torch.from_numpy(array)


def _philox(counter: list[torch.Tensor], key0: int, key1: int) -> list[torch.Tensor]:
    """Philox4x32-10 on int64 tensors that hold 32-bit words."""
    c0, c1, c2, c3 = counter
    for _ in range(10):
        high0, low0 = _multiply32(c0, 0xD2511F53)
        high1, low1 = _multiply32(c2, 0xCD9E8D57)
        c0, c1, c2, c3 = high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0
        key0, key1 = (key0 + 0x9E3779B9) & 0xFFFFFFFF, (key1 + 0xBB67AE85) & 0xFFFFFFFF
    return [c0, c1, c2, c3]


def _multiply32(a: torch.Tensor, b: int) -> tuple[torch.Tensor, torch.Tensor]:
    """High and low word of a 32 x 32 bit product, by halves since the whole does not fit in a signed 64-bit integer."""
    low, high = a * (b & 0xFFFF), a * (b >> 16)
    low += (high & 0xFFFF) << 16
    return (high >> 16) + (low >> 32), low & 0xFFFFFFFF


def _hadamard(values: torch.Tensor) -> torch.Tensor:
    """Unnormalised Walsh-Hadamard transform of [N], eight values at a time."""
    import torch

    size, h = values.numel(), 1
    while h < size:
        radix = min(8, size // h)
        parts = list(values.view(-1, radix, h).unbind(1))
        for distance in (d for d in (1, 2, 4) if d < radix):
            for i in (i for i in range(radix) if not i & distance):
                parts[i], parts[i | distance] = parts[i] + parts[i | distance], parts[i] - parts[i | distance]
        values = torch.stack(parts, 1).view(-1)
        h *= radix
    return values
