# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The network of `neural`: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) over one picture at a time.

It works at half size: each position has six channels, which are 2x2 luma samples and one sample of each chroma plane.
"""

import torch
from torch import Tensor, nn

PICTURE_CHANNELS = 6  # channels of a picture: four luma samples, Cb, Cr
PICTURES = 3  # pictures in the input: the estimate, and both boundaries warped to it
SCALARS = 3  # scalars in the input: relative time, distance to the nearest boundary, realism
INPUTS = PICTURE_CHANNELS * PICTURES + 1 + SCALARS  # number of input channels, one of which is the expected error
WIDTHS = (32, 64, 96)  # default number of channels at half, quarter and eighth size
REACH = 32  # radius of the receptive field in rows at half size, rounded up to a multiple of MULTIPLE
MULTIPLE = 8  # samples; the sides of a picture must be multiples of it


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(torch.relu(x))))


class Network(nn.Module):
    """The U-Net; its output is what to add to an estimate, in units of the expected error.

    widths: number of channels at half, quarter and eighth size, default WIDTHS.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS):
        super().__init__()
        fine, middle, coarse = widths
        self.entry = nn.Conv2d(INPUTS, fine, 3, padding=1)
        self.fine_in, self.fine_out = Block(fine), Block(fine)
        self.down = nn.Conv2d(fine, middle, 2, stride=2)
        self.middle_in, self.middle_out = Block(middle), Block(middle)
        self.down_again = nn.Conv2d(middle, coarse, 2, stride=2)
        self.coarse = nn.Sequential(Block(coarse), Block(coarse))
        self.up_again = nn.ConvTranspose2d(coarse, middle, 2, stride=2)
        self.up = nn.ConvTranspose2d(middle, fine, 2, stride=2)
        self.exit = nn.Conv2d(fine, PICTURE_CHANNELS, 3, padding=1)
        nn.init.zeros_(self.exit.weight)  # An untrained network adds nothing to the estimate.
        nn.init.zeros_(self.exit.bias)

    @classmethod
    def of(cls, weights: dict[str, Tensor]) -> "Network":
        """Return a network with these weights, which also determine its widths.

        weights: tensors by their names in the state dictionary.
        Raises KeyError, TypeError or RuntimeError if they are not those of such a network.
        """
        with torch.device("meta"):  # No memory is allocated before the weights have been checked.
            network = cls(tuple(len(weights[f"{layer}.bias"]) for layer in ("entry", "down", "down_again")))
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
        return network

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [N, INPUTS, H/2, W/2] (gvc.priors.neural.inputs) to [N, PICTURE_CHANNELS, H/2, W/2]."""
        fine = self.fine_in(self.entry(inputs))
        middle = self.middle_in(self.down(fine))
        middle = middle + self.up_again(self.coarse(self.down_again(middle)))
        fine = fine + self.up(self.middle_out(middle))
        return self.exit(torch.relu(self.fine_out(fine)))
