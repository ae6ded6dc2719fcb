# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The low spatial frequencies of a video model's latents, whose flow the model computes at a lower resolution.

The low band consists of the coefficients of lowest frequency of each plane's orthonormal DCT, transformed back at the
smaller size. White noise remains white with variance 1, and squared errors are those in the whole latent. But the
amplitude of what is smooth grows by `gain`, the square root of the ratio of the two sizes. A model expects latents of
natural amplitude at each resolution. So it is shown the state and all other latents without that gain, and is told the
time that the lower level of noise stands for. docs/GVCC.md has the derivation.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..prior import KnownLatent

if TYPE_CHECKING:
    from .diffusion import ConditionedDiffusion


class DiffusionLowBand:
    """The low band of the latent of one GOP; implements gvc.prior.LowBand. Vectors are torch tensors.

    whole: the model conditioned on the GOP.
    size: length of each side in percent of the full one, 1..99, rounded to whole tokens of the network.

    Attributes:
        side: height and width of a plane of the low band.
        gain: amplitude of what is smooth in the low band, relative to its natural one, >= 1.
    """

    def __init__(self, whole: "ConditionedDiffusion", size: int):
        self._frame, device = whole.shape[1:], whole.prior.device
        sides, patch = whole.shape[2:], whole.prior.space.patch
        self.side = tuple(reduced(side, patch, size) for side in sides)
        self._rows, self._columns = (
            truncation(side, low).to(device) for side, low in zip(sides, self.side, strict=True)
        )
        self.gain = math.sqrt(math.prod(sides) / math.prod(self.side))
        self._model = whole.shrunk(self)
        self.size, self.blocks = self._model.size, self._model.blocks
        self.known = tuple(KnownLatent(self._part(known.part), self.restrict(known.values)) for known in whole.known)

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = x], [size]."""
        time = t / (t + self.gain * (1 - t))
        shown = (time / t) * x
        x0_hat = self.gain * (shown - time * self._model.velocity(shown, time))
        return (x - x0_hat) / t

    def zeros(self) -> Tensor:
        """Return float32 zeros [size] on the prior's device."""
        return torch.zeros(self.size, device=self._rows.device)

    def restrict(self, x: Tensor) -> Tensor:
        """Return the low band [size] of a whole vector."""
        return self._truncated(x.view(-1, *self._frame)).reshape(-1)

    def extend(self, low: Tensor, rest: Tensor) -> Tensor:
        """Return a whole vector with the low band `low` [size], and with all other frequencies of `rest`."""
        missing = (low - self.restrict(rest)).view(-1, self._frame[0], *self.side)
        return rest + (self._rows.T @ missing @ self._columns).reshape(-1)

    def shown(self, latent: Tensor) -> Tensor:
        """Return what the network is shown for a latent [..., H', W']: its low band in natural amplitude."""
        return self._truncated(latent) / self.gain

    def _truncated(self, planes: Tensor) -> Tensor:
        return self._rows @ planes @ self._columns.T

    def _part(self, part: slice) -> slice:
        """Return the place in the low band of whole latent frames of the vector."""
        whole, low = math.prod(self._frame), self._frame[0] * math.prod(self.side)
        return slice(part.start // whole * low, part.stop // whole * low)


def reduced(side: int, patch: int, size: int) -> int:
    """Return the length of a side at low resolution, a positive multiple of `patch` like `side`."""
    return patch * max(1, (side // patch * size + 50) // 100)


def truncation(side: int, low: int) -> Tensor:
    """Return the matrix, float32 [low, side], that keeps the lowest frequencies of an orthonormal DCT-II.

    Its rows are orthonormal. It transforms `side` values, keeps `low` coefficients, and transforms these back.
    """
    return (_dct(low).T @ _dct(side)[:low]).float()


def _dct(side: int) -> Tensor:
    """Return the matrix of the orthonormal DCT-II, float64 [side, side]."""
    frequencies, places = torch.arange(side, dtype=torch.float64)[:, None], torch.arange(side, dtype=torch.float64)
    matrix = torch.cos(math.pi / side * (places + 0.5) * frequencies) * math.sqrt(2 / side)
    matrix[0] *= math.sqrt(0.5)
    return matrix
