"""Metrics by pretrained networks.

LPIPS v0.1 (Zhang et al. 2018, arXiv 1801.03924): unit-normalised features of AlexNet or VGG16, squared differences
weighted by learned heads. DISTS (Ding et al. 2020, arXiv 2004.07728): means and correlations of VGG16's features,
whose pooling is replaced by a blurred L2 one. Both at the pictures' own size.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .errors import needed
from .frames import Frames
from .weights import dists_weights, lpips_weights

LPIPS_SHIFT, LPIPS_SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of values in -1..1
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of values in 0..1
ALEXNET = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))  # stride, padding, pooled before
VGG16_STAGES = (2, 2, 3, 3, 3)  # convolutions between poolings; features are taken at the end of each
DISTS_STABILITY = 1e-6
PerPicture = Callable[[Frames, Frames], np.ndarray]


def lpips(net: str) -> PerPicture:
    """Return LPIPS by "alexnet" or "vgg16": 0 for equal pictures. Raises MetricError."""
    torch = needed("torch", "torch")
    weights = lpips_weights(net)
    features = {"alexnet": _alexnet, "vgg16": _vgg16}[net]
    layers = _convolutions(torch, weights)
    heads = [torch.from_numpy(weights[f"NetLinLayer_{i}.Conv_0.kernel"]).reshape(1, -1, 1, 1) for i in range(5)]

    @torch.inference_mode()
    def distance(source: Frames, decoded: Frames) -> np.ndarray:
        inputs = (_normalised(torch, 2 * _planar(torch, x) - 1, LPIPS_SHIFT, LPIPS_SCALE) for x in (source, decoded))
        total = 0.0
        for a, b, head in zip(*(features(torch, layers, x) for x in inputs), heads, strict=True):
            difference = _unit(a) - _unit(b)
            total = total + (head * difference**2).sum(1).mean((1, 2))
        return total.numpy()

    return distance


def dists() -> PerPicture:
    """Return DISTS: 0 for equal pictures. Raises MetricError."""
    torch = needed("torch", "torch")
    layers, learned = _convolutions(torch, lpips_weights("vgg16")), dists_weights()
    whole = (learned["alpha"] + learned["beta"]).sum()
    alpha, beta = (learned[name].flatten() / whole for name in ("alpha", "beta"))

    def features(pictures: Frames):
        x = _planar(torch, pictures)
        return [x, *_vgg16(torch, layers, _normalised(torch, x, IMAGENET_MEAN, IMAGENET_STD), _l2_pool)]

    @torch.inference_mode()
    def distance(source: Frames, decoded: Frames) -> np.ndarray:
        texture, structure = [], []
        for a, b in zip(features(source), features(decoded), strict=True):
            mean_a, mean_b = a.mean((2, 3)), b.mean((2, 3))
            variance_a, variance_b = (x.var((2, 3), correction=0) for x in (a, b))
            covariance = (a * b).mean((2, 3)) - mean_a * mean_b
            texture.append(_similarity(mean_a * mean_b, mean_a**2 + mean_b**2))
            structure.append(_similarity(covariance, variance_a + variance_b))
        similarity = torch.cat(texture, 1) @ alpha + torch.cat(structure, 1) @ beta
        return (1 - similarity).clamp(min=0).numpy()  # rounding can lead below

    return distance


def _similarity(product, squares):
    return (2 * product + DISTS_STABILITY) / (squares + DISTS_STABILITY)


def _planar(torch, pictures: Frames):
    return torch.from_numpy(pictures.rgb).permute(0, 3, 1, 2).float() / 255


def _normalised(torch, x, mean: tuple, scale: tuple):
    mean, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, scale))
    return (x - mean) / scale


def _unit(features):
    return features / (features.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)


def _convolutions(torch, weights: dict[str, np.ndarray]) -> list[tuple]:
    """Return (kernel, bias) of the backbone's convolutions, in torch's order of axes."""
    prefix = next(name for name in weights if not name.startswith("NetLinLayer")).partition(".")[0]
    count = sum(name.startswith(prefix) and name.endswith("bias") for name in weights)
    kernels = (weights[f"{prefix}.Conv_{i}.kernel"].transpose(3, 2, 0, 1) for i in range(count))
    biases = (weights[f"{prefix}.Conv_{i}.bias"] for i in range(count))
    return [(torch.tensor(kernel), torch.tensor(bias)) for kernel, bias in zip(kernels, biases, strict=True)]


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
