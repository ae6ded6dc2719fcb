# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The loss of the network of `neural`: squared error, and with realism LPIPS too."""

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from gvc.metrics.perceptual import Lpips

CHROMA_WEIGHT = 1.5  # weight of chroma errors, the same as in the codec
PERCEPTUAL_WEIGHT = 120.0  # weight of UNIT * LPIPS relative to squared error, at realism 1
FIDELITY_WEIGHT = 0.5  # weight of squared error at realism 1; at realism 0 it is 1
UNIT = 8.0  # sample values that count as 1
SHIFTS = 8  # number of random offsets of the pictures that LPIPS sees, in samples, in each direction
# Random scale of the pictures that AlexNet sees. VGG16 sees them unscaled, where it rejects false texture most.
SIZES = (0.8, 1.2)
VGG_SHARE = 0.5  # share of pictures, chosen at random, whose LPIPS uses VGG16; the others use AlexNet
VGG_SIDE = 80  # side in samples of the part that VGG16 sees, since VGG16 is slow


class Loss:
    """The weighted sum of both losses, with weights that depend on each picture's realism."""

    def __init__(self, device: str):
        self._alexnet, self._vgg = (
            Lpips(net).to(device, memory_format=torch.channels_last) for net in ("alexnet", "vgg16")
        )

    def lpips(self, made: Tensor, source: Tensor) -> Tensor:
        """Return LPIPS with AlexNet, [N], of pictures in the half-size layout."""
        return self._alexnet(rgb(made), rgb(source))

    def __call__(self, made: Tensor, source: Tensor, realism: Tensor, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return (loss to minimise, squared errors [N], LPIPS of the pictures with realism > 0, or zeros).

        made, source: sample values, float32 [N, 6, H/2, W/2].
        realism: float32 [N], 0..1.
        rng: generator of the random shifts, scales and choices.

        LPIPS sees randomly shifted and scaled pictures, and some through a second network. Otherwise the network learns
        a lattice that fits AlexNet's strides: LPIPS takes it for texture, a viewer does not.
        """
        squared = squared_error(made, source)
        real = realism > 0
        distance = torch.zeros_like(squared)
        if real.any():
            y, x, size = *rng.integers(SHIFTS, size=2), rng.uniform(*SIZES)
            by_vgg = torch.from_numpy(rng.random(int(real.sum())) < VGG_SHARE).to(made.device)
            seen = [rgb(p[real])[..., y:, x:] for p in (made, source)]
            distance[real] = self._perceived(*seen, by_vgg, size)
        weight = 1 - (1 - FIDELITY_WEIGHT) * realism
        total = weight * squared / UNIT**2 + PERCEPTUAL_WEIGHT / UNIT * realism * distance
        return total.mean(), squared, distance

    def _perceived(self, made: Tensor, source: Tensor, by_vgg: Tensor, size: float) -> Tensor:
        """Return LPIPS of R'G'B' pictures, [N].

        by_vgg: bool [N], whether to use VGG16 for a picture; the others use AlexNet, scaled by `size`.
        """
        found = made.new_zeros(len(made))
        if by_vgg.any():
            found[by_vgg] = self._vgg(*(p[by_vgg][..., :VGG_SIDE, :VGG_SIDE] for p in (made, source)))
        if not by_vgg.all():
            scaled = (
                functional.interpolate(p[~by_vgg], scale_factor=size, mode="bilinear", antialias=True)
                for p in (made, source)
            )
            found[~by_vgg] = self._alexnet(*scaled)
        return found


def squared_error(made: Tensor, source: Tensor) -> Tensor:
    """Return each picture's mean squared error of luma plus half the weighted one of chroma, [N]."""
    squares = ((made - source) ** 2).mean((2, 3))
    return squares[:, :4].mean(1) + CHROMA_WEIGHT**2 / 4 * squares[:, 4:].sum(1)


def rgb(packed: Tensor) -> Tensor:
    """Convert limited-range BT.601 samples in the half-size layout to R'G'B' in 0..1, [N, 3, H, W]."""
    luma = (functional.pixel_shuffle(packed[:, :4], 2) - 16) / 219
    chroma = functional.interpolate((packed[:, 4:] - 128) / 224, scale_factor=2, mode="bilinear")
    cb, cr = chroma[:, :1], chroma[:, 1:]
    return torch.cat([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb], 1).clamp(0, 1)
