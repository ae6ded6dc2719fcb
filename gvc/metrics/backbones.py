# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The networks whose features the metrics compare: AlexNet and VGG16 as torchvision has them, cut into stages.

Each stage ends with a ReLU, whose values are the features. A stage maps [N, C, H, W] to the same with fewer pixels.
"""

from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor, nn

ALEXNET = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))  # Stride, padding, pooling before.
VGG16 = (2, 2, 3, 3, 3)  # Convolutions of each stage; all stages but the first begin with pooling.

Convolutions = list[tuple[Tensor, Tensor]]  # A kernel [out, in, height, width] and a bias [out] for each.


def alexnet(convolutions: Convolutions) -> nn.ModuleList:
    """Return the five stages of AlexNet."""
    return nn.ModuleList(
        nn.Sequential(*[nn.MaxPool2d(3, 2)] * pooled, *_convolution(*given, stride, padding))
        for given, (stride, padding, pooled) in zip(convolutions, ALEXNET, strict=True)
    )


def vgg16(
    convolutions: Convolutions, pool: Callable[[int], nn.Module] = lambda channels: nn.MaxPool2d(2)
) -> nn.ModuleList:
    """Return the five stages of VGG16. `pool` makes the pooling for a number of channels, by default the usual one."""
    rest, stages = iter(convolutions), nn.ModuleList()
    for count in VGG16:
        given = list(islice(rest, count))
        pooling = [pool(given[0][0].shape[1])] if stages else []
        layers = (layer for one in given for layer in _convolution(*one, stride=1, padding=1))
        stages.append(nn.Sequential(*pooling, *layers))
    return stages


def outputs(stages: nn.ModuleList, values: Tensor) -> list[Tensor]:
    """Return the features of each stage; the first one is given `values`."""
    return [values := stage(values) for stage in stages]


class Normalise(nn.Module):
    """Shifts and scales the three colours, [N, 3, H, W], to what the networks were trained with."""

    def __init__(self, mean: tuple[float, ...], scale: tuple[float, ...]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(scale).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures - self.mean) / self.scale


class L2Pool(nn.Module):
    """The pooling of DISTS: roots of blurred squares, at every second pixel."""

    def __init__(self, channels: int):
        super().__init__()
        taps = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", (taps[:, None] * taps).expand(channels, 1, 3, 3))

    def forward(self, values: Tensor) -> Tensor:
        blurred = nn.functional.conv2d(values**2, self.kernel, stride=2, padding=1, groups=values.shape[1])
        return (blurred + 1e-12).sqrt()


def _convolution(kernel: Tensor, bias: Tensor, stride: int, padding: int) -> tuple[nn.Module, nn.Module]:
    """Return a convolution and the ReLU after it."""
    out, channels, size, _ = kernel.shape
    convolution = nn.Conv2d(channels, out, size, stride, padding)
    convolution.weight.data, convolution.bias.data = kernel, bias
    # Convolutions are faster with the channels last in memory.
    return convolution.to(memory_format=torch.channels_last), nn.ReLU(inplace=True)
