# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LPIPS v0.1 (Zhang et al. 2018, arXiv 1801.03924) as a loss; gvc.metrics has it as a metric."""

import torch
from torch import Tensor, nn

from gvc.metrics.perceptual import ALEXNET, LPIPS_SCALE, LPIPS_SHIFT, VGG16_STAGES, convolutions
from gvc.metrics.weights import lpips_weights


class Lpips(nn.Module):
    """LPIPS with "alexnet" or "vgg16" of pictures in 0..1, [N, 3, H, W] -> [N]; gradients for the first argument."""

    def __init__(self, net: str):
        super().__init__()
        weights = lpips_weights(net)
        self.stages = nn.ModuleList()
        layers = iter(convolutions(torch, net))
        if net == "alexnet":
            for stride, padding, pooled in ALEXNET:
                self.stages.append(_stage([nn.MaxPool2d(3, 2)] * pooled, [next(layers)], stride, padding))
        else:
            for i, count in enumerate(VGG16_STAGES):
                self.stages.append(_stage([nn.MaxPool2d(2)] * (i > 0), [next(layers) for _ in range(count)]))
        for i in range(len(self.stages)):
            self.register_buffer(f"head_{i}", torch.tensor(weights[f"NetLinLayer_{i}.Conv_0.kernel"]).view(1, -1, 1, 1))
        self.register_buffer("shift", torch.tensor(LPIPS_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(LPIPS_SCALE).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, made: Tensor, source: Tensor) -> Tensor:
        total = 0.0
        a, b = ((2 * x - 1 - self.shift) / self.scale for x in (made, source))
        for i, stage in enumerate(self.stages):
            a, b = stage(a), stage(b)
            difference = _unit(a) - _unit(b)
            total = total + (getattr(self, f"head_{i}") * difference**2).sum(1).mean((1, 2))
        return total


def _stage(pool: list[nn.Module], given: list[tuple], stride: int = 1, padding: int = 1) -> nn.Sequential:
    """Return a stage: optional pooling, then convolutions with the given kernels and biases, each with a ReLU."""
    layers = list(pool)
    for kernel, bias in given:
        out, channels, size, _ = kernel.shape
        convolution = nn.Conv2d(channels, out, size, stride, padding)
        convolution.weight.data, convolution.bias.data = kernel, bias
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers)


def _unit(features: Tensor) -> Tensor:
    return features / (features.pow(2).sum(1, keepdim=True) + 1e-10).sqrt()
