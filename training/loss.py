# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the network of `neural` is trained for: squared error, and with realism LPIPS."""

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from training.perceptual import Lpips

CHROMA_WEIGHT = 1.5  # as gvc.prior has it
PERCEPTUAL_WEIGHT = 120.0  # of LPIPS times UNIT beside the squared error, at realism 1
FIDELITY_WEIGHT = 0.5  # of the squared error at realism 1; 1 at realism 0
UNIT = 8.0  # sample values
SHIFTS = 8  # samples: the places where a loss may begin, each way
SIZES = (0.8, 1.2)  # of the pictures that AlexNet sees; VGG16 sees them as they are, where it is hard on false texture
VGG_SHARE = 0.5  # of pictures, chosen by chance, that LPIPS looks at by VGG16, the others by AlexNet
VGG_SIDE = 80  # samples: VGG16 is dear, so it sees a part


class Loss:
    """Weighs both for each picture by its realism."""

    def __init__(self, device: str):
        self._alexnet, self._vgg = (
            Lpips(net).to(device, memory_format=torch.channels_last) for net in ("alexnet", "vgg16")
        )

    def lpips(self, made: Tensor, source: Tensor) -> Tensor:
        """Return LPIPS by AlexNet of pictures in the half-size layout [N]."""
        return self._alexnet(rgb(made), rgb(source))

    def __call__(self, made: Tensor, source: Tensor, realism: Tensor, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return (what is minimised, squared errors [N], LPIPS of those with realism > 0 or zeros).

        made, source: sample values, float32 [N, 6, H/2, W/2]. realism: [N].

        LPIPS sees pictures moved and scaled by chance: else the network learns a lattice that lies just so in AlexNet's
        strides, which no eye takes for texture. For the same reason it sees some by another network.
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
        """Return LPIPS of R'G'B' pictures [N]: by VGG16 where `by_vgg`, bool [N], else by AlexNet at `size`."""
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
    """Return the mean squared error of each picture's luma, with half that of chroma times its weight [N]."""
    squares = ((made - source) ** 2).mean((2, 3))
    return squares[:, :4].mean(1) + CHROMA_WEIGHT**2 / 4 * squares[:, 4:].sum(1)


def rgb(packed: Tensor) -> Tensor:
    """Return R'G'B' in 0..1, [N, 3, H, W], of limited-range BT.601 samples in the half-size layout."""
    luma = (functional.pixel_shuffle(packed[:, :4], 2) - 16) / 219
    chroma = functional.interpolate((packed[:, 4:] - 128) / 224, scale_factor=2, mode="bilinear")
    cb, cr = chroma[:, :1], chroma[:, 1:]
    return torch.cat([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb], 1).clamp(0, 1)
