# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Metrics by pretrained networks.

LPIPS v0.1 (Zhang et al. 2018, arXiv 1801.03924): unit-normalised features of AlexNet or VGG16, squared differences
weighted by learned heads. DISTS (Ding et al. 2020, arXiv 2004.07728): means and correlations of VGG16's features,
whose pooling is replaced by a blurred L2 one. Both at the pictures' own size.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from .errors import needed
from .frames import Frames
from .weights import dists_weights, lpips_weights

LPIPS_SHIFT, LPIPS_SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of values in -1..1
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of values in 0..1
ALEXNET = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))  # stride, padding, pooled before
VGG16_STAGES = (2, 2, 3, 3, 3)  # convolutions between poolings; features are taken at the end of each
DISTS_STABILITY = 1e-6


@dataclass(frozen=True)
class Network:
    """A metric by features. look: source -> tensors, all that it needs of it. distance: (these, decoded) -> a value for
    each picture. Both take pictures of one size."""

    look: Callable[[Frames], tuple]
    distance: Callable[[tuple, Frames], np.ndarray]


def lpips(net: str) -> Network:
    """Return LPIPS by "alexnet" or "vgg16": 0 for equal pictures. Raises MetricError."""
    torch = needed("torch")
    weights, layers = lpips_weights(net), convolutions(torch, net)
    features = {"alexnet": _alexnet, "vgg16": _vgg16}[net]
    heads = [torch.from_numpy(weights[f"NetLinLayer_{i}.Conv_0.kernel"]).flatten() for i in range(5)]

    @torch.inference_mode()
    def look(pictures: Frames) -> tuple:
        x = _normalised(torch, 2 * _planar(torch, pictures) - 1, LPIPS_SHIFT, LPIPS_SCALE)
        return tuple(_unit(torch, values) for values in features(torch, layers, x))

    @torch.inference_mode()
    def distance(known: tuple, decoded: Frames) -> np.ndarray:
        # In place: most of the time goes into moving features through memory.
        squares = (b.sub_(a).square_() for a, b in zip(known, look(decoded), strict=True))
        return sum(square.mean(1) @ head for square, head in zip(squares, heads, strict=True)).numpy()

    return Network(look, distance)


def dists() -> Network:
    """Return DISTS: 0 for equal pictures. Raises MetricError."""
    torch = needed("torch")
    layers, learned = convolutions(torch, "vgg16"), dists_weights()
    whole = (learned["alpha"] + learned["beta"]).sum()
    alpha, beta = (learned[name].flatten() / whole for name in ("alpha", "beta"))

    @torch.inference_mode()
    def look(pictures: Frames) -> tuple:
        """Return for each stage the means over the picture, the variances, and the features less their means."""
        x = _planar(torch, pictures)
        normal = _normalised(torch, x, IMAGENET_MEAN, IMAGENET_STD)
        found = []
        for values in map(_pixels, (x, *_vgg16(torch, layers, normal, _l2_pool))):
            mean = values.mean(1, keepdim=True)
            centred = values - mean
            found += [mean[:, 0], centred.square().mean(1), centred]
        return tuple(found)

    @torch.inference_mode()
    def distance(known: tuple, decoded: Frames) -> np.ndarray:
        texture, structure = [], []
        shown = look(decoded)
        for first in range(0, len(known), 3):
            (mean_a, variance_a, a), (mean_b, variance_b, b) = (x[first : first + 3] for x in (known, shown))
            texture.append(_similarity(mean_a * mean_b, mean_a**2 + mean_b**2))
            structure.append(_similarity(b.mul_(a).mean(1), variance_a + variance_b))
        similarity = torch.cat(texture, 1) @ alpha + torch.cat(structure, 1) @ beta
        return (1 - similarity).clamp(min=0).numpy()  # rounding can lead below

    return Network(look, distance)


def _similarity(product, squares):
    return (2 * product + DISTS_STABILITY) / (squares + DISTS_STABILITY)


def _planar(torch, pictures: Frames):
    """Return [N, 3, H, W] in 0..1, channels last in memory as they come: convolutions are faster so."""
    return torch.from_numpy(pictures.rgb).permute(0, 3, 1, 2).float() / 255


def _pixels(values):
    """Return [N, C, H, W] as [N, H * W, C], which is how it lies in memory."""
    return values.permute(0, 2, 3, 1).flatten(1, 2)


def _normalised(torch, x, mean: tuple, scale: tuple):
    mean, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, scale))
    return (x - mean) / scale


def _unit(torch, values):
    """Return each pixel's features at length 1, [N, H * W, C]."""
    values = _pixels(values)
    return values / (torch.linalg.vector_norm(values, dim=2, keepdim=True) + 1e-10)


@cache
def convolutions(torch, net: str) -> list[tuple]:
    """Return (kernel, bias) of the backbone's convolutions, in torch's order of axes, channels last in memory."""
    weights = lpips_weights(net)
    prefix = next(name for name in weights if not name.startswith("NetLinLayer")).partition(".")[0]
    count = sum(name.startswith(prefix) and name.endswith("bias") for name in weights)
    kernels = (torch.from_numpy(weights[f"{prefix}.Conv_{i}.kernel"]).permute(3, 2, 0, 1) for i in range(count))
    biases = (torch.tensor(weights[f"{prefix}.Conv_{i}.bias"]) for i in range(count))
    kernels = (kernel.contiguous(memory_format=torch.channels_last) for kernel in kernels)
    return list(zip(kernels, biases, strict=True))


def _alexnet(torch, layers: list[tuple], x) -> Iterator:
    for (kernel, bias), (stride, padding, pooled) in zip(layers, ALEXNET, strict=True):
        x = torch.nn.functional.max_pool2d(x, 3, 2) if pooled else x
        x = torch.relu(torch.nn.functional.conv2d(x, kernel, bias, stride, padding))
        yield x


def _max_pool(torch, x):
    return torch.nn.functional.max_pool2d(x, 2)


def _l2_pool(torch, x):
    """Root of the blurred squares, every other one."""
    taps = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
    return (torch.nn.functional.conv2d(x**2, kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()


def _vgg16(torch, layers: list[tuple], x, pool: Callable = _max_pool) -> Iterator:
    rest = iter(layers)
    for stage, convolutions in enumerate(VGG16_STAGES):
        x = pool(torch, x) if stage else x
        for _ in range(convolutions):
            x = torch.relu(torch.nn.functional.conv2d(x, *next(rest), padding=1))
        yield x
