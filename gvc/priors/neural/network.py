# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The network of `neural`: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) over one picture at a time.

Pictures come at half size: 2x2 luma samples and one of each chroma plane are the six channels of a position.
"""

import torch
from torch import Tensor, nn

PICTURE_CHANNELS = 6  # four luma samples, Cb, Cr
PICTURES = 3  # the estimate, and both boundaries as they are seen from it
SCALARS = 3  # way from the first boundary, distance to the nearest one, realism
INPUTS = PICTURE_CHANNELS * PICTURES + 1 + SCALARS  # and the expected error
WIDTHS = (32, 64, 96)  # channels at half, quarter and eighth size, where nothing else is asked for
REACH = 32  # rows at half size around a position that decide on it, rounded up to a multiple of MULTIPLE
MULTIPLE = 8  # samples; sides of a picture must be multiples of it


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(torch.relu(x))))


class Network(nn.Module):
    """Says what to add to an estimate, in units of its expected error."""

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
        nn.init.zeros_(self.exit.weight)  # it starts as the estimate itself
        nn.init.zeros_(self.exit.bias)

    @classmethod
    def of(cls, weights: dict[str, Tensor]) -> "Network":
        """Return the network, of whatever size, that weights belong to. Raises KeyError, TypeError, RuntimeError."""
        with torch.device("meta"):  # in no memory, before it is known that the weights are all there
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
