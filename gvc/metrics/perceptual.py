# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Distances by pretrained networks, at the pictures' own size: 0 for equal pictures.

LPIPS v0.1 (Zhang et al. 2018, arXiv 1801.03924): unit-normalised features of AlexNet or VGG16, squared differences
weighted by learned heads. DISTS (Ding et al. 2020, arXiv 2004.07728): means and correlations of VGG16's features,
whose pooling is replaced by a blurred L2 one.

Both are modules that split the work: `features(pictures)` gives all that the distance needs of pictures, and
`compare(features, others)` the distance. So the features of a source serve many decoded files. Pictures are R'G'B' in
0..1, float32 [N, 3, H, W]; distances are float32 [N].
"""

import numpy as np
import torch
from torch import Tensor, nn

from .backbones import L2Pool, Normalise, alexnet, outputs, vgg16
from .frames import Frames
from .weights import STAGES, dists_weights, lpips_weights

LPIPS_MEAN, LPIPS_SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # For values in -1..1.
IMAGENET_MEAN, IMAGENET_SCALE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # For values in 0..1.
LPIPS_STABILITY, DISTS_STABILITY = 1e-10, 1e-6


class Lpips(nn.Module):
    """LPIPS by "alexnet" or "vgg16". Raises MetricError if its weights cannot be had."""

    def __init__(self, net: str):
        super().__init__()
        weights = lpips_weights(net)
        self.stages = {"alexnet": alexnet, "vgg16": vgg16}[net](weights.convolutions)
        self.heads = nn.ParameterList(weights.heads)
        self.normalise = Normalise(LPIPS_MEAN, LPIPS_SCALE)
        self.requires_grad_(False)

    def features(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Return each stage's features of length 1, [N, H * W, C]."""
        return tuple(map(_unit, outputs(self.stages, self.normalise(2 * pictures - 1))))

    def compare(self, features: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> Tensor:
        """Return the distances. `others` are overwritten, which saves much moving of memory."""
        squares = (b.sub_(a).square() for a, b in zip(features, others, strict=True))
        return sum(square.mean(1) @ head for square, head in zip(squares, self.heads, strict=True))

    def forward(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Return the distances of pictures, with gradients for both."""
        return self.compare(self.features(pictures), self.features(others))


class Dists(nn.Module):
    """DISTS. Raises MetricError if its weights cannot be had."""

    def __init__(self):
        super().__init__()
        self.stages = vgg16(lpips_weights("vgg16").convolutions, L2Pool)
        self.normalise = Normalise(IMAGENET_MEAN, IMAGENET_SCALE)
        learned = dists_weights()
        whole = (learned["alpha"] + learned["beta"]).sum()
        self.alpha, self.beta = (nn.Parameter(learned[name].flatten() / whole) for name in ("alpha", "beta"))
        self.requires_grad_(False)

    def features(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Return three tensors for the pictures and for each stage: the means [N, C] and variances [N, C] of their
        values, and the values less their means [N, H * W, C]."""
        found = []
        for values in (pictures, *outputs(self.stages, self.normalise(pictures))):
            pixels = _pixels(values)
            mean = pixels.mean(1, keepdim=True)
            centred = pixels - mean
            found += [mean[:, 0], centred.square().mean(1), centred]
        return tuple(found)

    def compare(self, features: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> Tensor:
        """Return the distances. `others` are overwritten."""
        texture, structure = [], []
        for first in range(0, 3 * (1 + STAGES), 3):
            (mean_a, variance_a, a), (mean_b, variance_b, b) = (x[first : first + 3] for x in (features, others))
            texture.append(_similarity(mean_a * mean_b, mean_a**2 + mean_b**2))
            structure.append(_similarity(b.mul_(a).mean(1), variance_a + variance_b))
        similarity = torch.cat(texture, 1) @ self.alpha + torch.cat(structure, 1) @ self.beta
        return (1 - similarity).clamp(min=0)  # Rounding can make it negative.


def _similarity(product: Tensor, squares: Tensor) -> Tensor:
    return (2 * product + DISTS_STABILITY) / (squares + DISTS_STABILITY)


def _unit(values: Tensor) -> Tensor:
    """Return the features [N, C, H, W] of each pixel at length 1, [N, H * W, C]."""
    values = _pixels(values)
    squared = torch.linalg.vector_norm(values, dim=2, keepdim=True).square()
    return values / (squared + LPIPS_STABILITY).sqrt()


def _pixels(values: Tensor) -> Tensor:
    """Return [N, C, H, W] as [N, H * W, C], the order in memory of channels_last."""
    return values.permute(0, 2, 3, 1).flatten(1, 2)


class NetworkDistance:
    """One of the modules above, applied to pictures as `Frames`; it computes no gradients."""

    def __init__(self, module: Lpips | Dists):
        self._module = module

    @torch.inference_mode()
    def features(self, pictures: Frames) -> tuple[Tensor, ...]:
        """Return the module's features of pictures, which lie in memory with their channels last."""
        return self._module.features(torch.from_numpy(pictures.rgb).permute(0, 3, 1, 2).float() / 255)

    @torch.inference_mode()
    def distance(self, known: tuple[Tensor, ...], decoded: Frames) -> np.ndarray:
        """Return the distance of each decoded picture, float32 [N], from the one whose features are known."""
        return self._module.compare(known, self.features(decoded)).numpy()
