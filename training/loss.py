"""What the network of `neural` is trained for: squared error, and with realism LPIPS."""

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from training.perceptual import Lpips

CHROMA_WEIGHT = 1.5  # as gvc.priors.base has it
PERCEPTUAL_WEIGHT = 50.0  # of LPIPS beside the mean squared error over FIDELITY_UNIT squared, at realism 1
FIDELITY_WEIGHT = 0.5  # of the squared error at realism 1; 1 at realism 0
UNIT = 8.0  # sample values
SHIFTS = 8  # samples: the places where a loss may begin, each way
SIZES = (0.6, 1.3)  # of the pictures that it sees


class Loss:
    """Weighs both for each picture by its realism."""

    def __init__(self, device: str):
        self._lpips = Lpips().to(device, memory_format=torch.channels_last)

    def lpips(self, made: Tensor, source: Tensor) -> Tensor:
        """Return LPIPS of pictures in the half-size layout [N]."""
        return self._lpips(rgb(made), rgb(source))

    def __call__(self, made: Tensor, source: Tensor, realism: Tensor, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return (what is minimised, squared errors [N], LPIPS of those with realism > 0 or zeros).

        made, source: sample values, float32 [N, 6, H/2, W/2]. realism: [N].

        LPIPS sees pictures moved and scaled by chance: else the network learns a lattice that lies just so in AlexNet's
        strides, which no eye takes for texture.
        """
        squared = squared_error(made, source)
        real = realism > 0
        distance = torch.zeros_like(squared)
        if real.any():
            y, x, size = *rng.integers(SHIFTS, size=2), rng.uniform(*SIZES)
            seen = (rgb(p[real])[..., y:, x:] for p in (made, source))
            seen = (functional.interpolate(p, scale_factor=size, mode="bilinear", antialias=True) for p in seen)
            distance[real] = self._lpips(*seen)
        weight = 1 - (1 - FIDELITY_WEIGHT) * realism
        total = weight * squared / UNIT**2 + PERCEPTUAL_WEIGHT / UNIT * realism * distance
        return total.mean(), squared, distance


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
