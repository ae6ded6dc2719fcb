"""LPIPS v0.1 by AlexNet (Zhang et al. 2018, arXiv 1801.03924) as a loss; gvc.metrics has it as a metric."""

import torch
from torch import Tensor, nn

from gvc.metrics.perceptual import ALEXNET, LPIPS_SCALE, LPIPS_SHIFT
from gvc.metrics.weights import lpips_weights


class Lpips(nn.Module):
    """Distances of pictures in 0..1, float32 [N, 3, H, W] -> [N], with gradients for the first ones."""

    def __init__(self):
        super().__init__()
        weights = lpips_weights("alexnet")
        self.stages = nn.ModuleList()
        for i, (stride, padding, pooled) in enumerate(ALEXNET):
            name = next(n for n in weights if n.endswith(f"Conv_{i}.kernel") and "NetLin" not in n)[: -len(".kernel")]
            kernel = torch.tensor(weights[f"{name}.kernel"].transpose(3, 2, 0, 1))
            out, channels, size, _ = kernel.shape
            convolution = nn.Conv2d(channels, out, size, stride, padding)
            convolution.weight.data, convolution.bias.data = kernel, torch.tensor(weights[f"{name}.bias"])
            self.stages.append(nn.Sequential(*[nn.MaxPool2d(3, 2)] * pooled, convolution, nn.ReLU()))
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


def _unit(features: Tensor) -> Tensor:
    return features / (features.pow(2).sum(1, keepdim=True) + 1e-10).sqrt()
