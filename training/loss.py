"""What the network of `neural` is trained for: squared error, and with realism LPIPS."""

import torch
from torch import Tensor
from torch.nn import functional

from training.perceptual import Lpips

CHROMA_WEIGHT = 1.5  # as gvc.priors.base has it
PERCEPTUAL_WEIGHT = 60.0  # of LPIPS beside the mean squared error over FIDELITY_UNIT squared, at realism 1
FIDELITY_WEIGHT = 0.3  # of the squared error at realism 1; 1 at realism 0
UNIT = 8.0  # sample values


class Loss:
    """Weighs both for each picture by its realism."""

    def __init__(self, device: str):
        self._lpips = Lpips().to(device, memory_format=torch.channels_last)

    def lpips(self, made: Tensor, source: Tensor) -> Tensor:
        """Return LPIPS of pictures in the half-size layout [N]."""
        return self._lpips(rgb(made), rgb(source))

    def __call__(self, made: Tensor, source: Tensor, realism: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (what is minimised, squared errors [N], LPIPS of those with realism > 0 or zeros).

        made, source: sample values, float32 [N, 6, H/2, W/2]. realism: [N].
        """
        squared = squared_error(made, source)
        real = realism > 0
        distance = torch.zeros_like(squared)
        if real.any():
            distance[real] = self.lpips(made[real], source[real])
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
