# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The inputs of the network of `neural`, and the use of its output."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...media import Clip
from ..gp.mean import MotionMean
from .network import MULTIPLE

PICTURE_UNIT = 64.0  # sample values that the network sees as 1, in pictures
DIFFERENCE_UNIT = 16.0  # sample values that the network sees as 1, in differences from the estimate
LEAST_ERROR, MOST_ERROR = 2.0, 24.0  # range to which the expected error is clipped, in sample values
LONGEST = 32.0  # distance to a boundary, in pictures, that the network sees as 1


@dataclass(frozen=True)
class View:
    """N pictures of a GOP at half size, with all that the network is told about them."""

    estimate: Tensor  # pictures to improve, float32 [N, 6, H/2, W/2], sample values 0..255
    first: Tensor  # first boundary warped to each picture, same form
    last: Tensor  # last boundary warped to each picture, same form
    error: Tensor  # expected error of the estimate's luma in sample values, float32 [N or 1, 1, H/2, W/2]
    way: Tensor  # relative time between the first boundary (0) and the last (1), float32 [N]
    distance: Tensor  # number of pictures to the nearest boundary [N]

    def to(self, device: str) -> "View":
        """Return the view on a torch device."""
        return View(*(tensor.to(device) for tensor in vars(self).values()))

    def rows(self, rows: slice) -> "View":
        """Return the part of the view in a range of rows, counted at half size."""
        pictures = (self.estimate, self.first, self.last, self.error)
        return View(*(picture[:, :, rows] for picture in pictures), self.way, self.distance)

    def inputs(self, realism: Tensor) -> Tensor:
        """Return the network's input, float32 [N, INPUTS, H/2, W/2]. realism: float32 [N], 0..1."""
        shape = (len(self.way), 1, *self.estimate.shape[2:])
        numbers = (self.way, self.distance / LONGEST, realism)
        return torch.cat(
            [
                (self.estimate - 128) / PICTURE_UNIT,
                (self.first - self.estimate) / DIFFERENCE_UNIT,
                (self.last - self.estimate) / DIFFERENCE_UNIT,
                (torch.log2(self._scale()) - 3).expand(shape),
                *(n.view(-1, 1, 1, 1).expand(shape) for n in numbers),
            ],
            1,
        )

    def improved(self, output: Tensor) -> Tensor:
        """Return the estimate plus the network's output, [N, 6, H/2, W/2], in sample values that are not rounded."""
        return self.estimate + output * self._scale()

    def _scale(self) -> Tensor:
        return self.error.clamp(LEAST_ERROR, MOST_ERROR)


def view_of(motion_mean: MotionMean, clip: Clip, error: np.ndarray | float, indices: range) -> View:
    """Return the view of some pictures of a GOP.

    motion_mean: motion-compensated mean of the GOP, which warps the boundaries.
    clip: estimates of all pictures, uint8 [T, H, W] for each plane.
    error: expected error of luma in sample values, [H, W] or a number.
    indices: numbers of the pictures in the GOP.
    """
    condition = motion_mean.condition
    estimate = pack(*(plane[indices.start : indices.stop] for plane in clip))
    span = max(condition.frames - 1, 1)
    way = torch.arange(indices.start, indices.stop) / span
    distance = torch.minimum(way, 1 - way) * span if condition.last else way * span
    spread = torch.from_numpy(np.broadcast_to(np.float32(error), (1, *clip[0].shape[1:])).copy())
    return View(estimate, *_boundaries(motion_mean, estimate, indices), half_size(spread), way, distance)


def _boundaries(motion_mean: MotionMean, estimate: Tensor, indices: range) -> tuple[Tensor, Tensor]:
    """Return both boundaries warped to each picture.

    A single boundary is used twice; without boundaries the estimates themselves take their place.
    """
    if motion_mean.condition.last:
        return tuple(pack(*motion_mean.pictures(indices, share)) for share in (0.0, 1.0))
    if motion_mean.condition.first:
        first = pack(*motion_mean.pictures(indices))
        return first, first
    return estimate, estimate


def pack(luma: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> Tensor:
    """Pack planes into the channels of the network, float32 [N, 6, H/2, W/2].

    luma: uint8 [N, H, W]. cb, cr: uint8 [N, ceil(H/2), ceil(W/2)].
    Sides are first padded to multiples of MULTIPLE by repeating the edges.
    """
    planes = [torch.from_numpy(np.ascontiguousarray(plane))[:, None].float() for plane in (luma, cb, cr)]
    luma, cb, cr = (_padded(p, m) for p, m in zip(planes, (MULTIPLE, MULTIPLE // 2, MULTIPLE // 2), strict=True))
    return torch.cat([functional.pixel_unshuffle(luma, 2), cb, cr], 1)


def unpack(packed: Tensor, height: int, width: int) -> Clip:
    """Return the rounded planes, uint8 [N, ...], of packed pictures; the inverse of `pack`.

    height, width: size of the pictures without padding.
    """
    rounded = packed.round().clamp(0, 255).to(torch.uint8)
    luma = functional.pixel_shuffle(rounded[:, :4], 2)[:, 0, :height, :width]
    cb, cr = (rounded[:, i, : -(-height // 2), : -(-width // 2)] for i in (4, 5))
    return tuple(plane.numpy() for plane in (luma, cb, cr))


def half_size(error: Tensor) -> Tensor:
    """Average an error of luma, [N, H, W], to half size, float32 [N, 1, H/2, W/2], padded as by `pack`."""
    return functional.avg_pool2d(_padded(error[:, None].float(), MULTIPLE), 2)


def _padded(planes: Tensor, multiple: int) -> Tensor:
    height, width = planes.shape[2:]
    return functional.pad(planes, (0, -width % multiple, 0, -height % multiple), "replicate")
