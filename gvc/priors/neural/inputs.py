# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the network of `neural` sees of a picture, and what becomes of its answer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...media import Clip
from ..gp.mean import Moved
from .network import MULTIPLE

PICTURE_UNIT = 64.0  # sample values that count as 1
DIFFERENCE_UNIT = 16.0  # the same for differences from the estimate
LEAST_ERROR, MOST_ERROR = 2.0, 24.0  # sample values; the expected error is taken to lie between
LONGEST = 32.0  # pictures between boundaries


@dataclass(frozen=True)
class View:
    """Pictures and what is known of them, at half size; N pictures.

    estimate, first, last: float32 [N, 6, H/2, W/2], sample values 0..255; the boundaries as they are seen from here.
    error: the expected error of the estimate's luma, sample values, float32 [N or 1, 1, H/2, W/2].
    way: from the first boundary (0) to the last (1), float32 [N]. distance: pictures to the nearest boundary [N].
    """

    estimate: Tensor
    first: Tensor
    last: Tensor
    error: Tensor
    way: Tensor
    distance: Tensor

    def to(self, device: str) -> "View":
        """Return the view on a torch device."""
        return View(*(tensor.to(device) for tensor in vars(self).values()))

    def rows(self, rows: slice) -> "View":
        """Return the view of these rows, counted at half size."""
        pictures = (self.estimate, self.first, self.last, self.error)
        return View(*(picture[:, :, rows] for picture in pictures), self.way, self.distance)

    def inputs(self, realism: Tensor) -> Tensor:
        """Return what the network is given for a realism [N], float32 [N, INPUTS, H/2, W/2]."""
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

    def improved(self, answer: Tensor) -> Tensor:
        """Return the estimate with the network's answer added, sample values, not rounded, [N, 6, H/2, W/2]."""
        return self.estimate + answer * self._scale()

    def _scale(self) -> Tensor:
        return self.error.clamp(LEAST_ERROR, MOST_ERROR)


def view_of(moved: Moved, clip: Clip, error: np.ndarray | float, indices: range) -> View:
    """Return the view of pictures of a GOP.

    moved: its boundaries along their motion.
    clip: the estimates, uint8 [T, H, W] a plane.
    error: the expected one of luma, sample values, [H, W] or a number.
    indices: which pictures.
    """
    condition = moved.condition
    estimate = pack(*(plane[indices.start : indices.stop] for plane in clip))
    span = max(condition.frames - 1, 1)
    way = torch.arange(indices.start, indices.stop) / span
    distance = torch.minimum(way, 1 - way) * span if condition.last else way * span
    spread = torch.from_numpy(np.broadcast_to(np.float32(error), (1, *clip[0].shape[1:])).copy())
    return View(estimate, *_boundaries(moved, estimate, indices), half_size(spread), way, distance)


def _boundaries(moved: Moved, estimate: Tensor, indices: range) -> tuple[Tensor, Tensor]:
    """Return both boundaries as seen from pictures; where there are none, the pictures themselves."""
    if moved.condition.last:
        return tuple(pack(*moved.pictures(indices, share)) for share in (0.0, 1.0))
    if moved.condition.first:
        first = pack(*moved.pictures(indices))
        return first, first
    return estimate, estimate


def pack(luma: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> Tensor:
    """Return uint8 planes [N, H, W] and twice [N, ceil(H/2), ceil(W/2)] as float32 [N, 6, H/2, W/2].

    Sides are padded up to multiples of 8 by their edges.
    """
    planes = [torch.from_numpy(np.ascontiguousarray(plane))[:, None].float() for plane in (luma, cb, cr)]
    luma, cb, cr = (_padded(p, m) for p, m in zip(planes, (MULTIPLE, MULTIPLE // 2, MULTIPLE // 2), strict=True))
    return torch.cat([functional.pixel_unshuffle(luma, 2), cb, cr], 1)


def unpack(packed: Tensor, height: int, width: int) -> Clip:
    """Return rounded planes, uint8 [N, ...], of what `pack` makes of pictures of height x width."""
    rounded = packed.round().clamp(0, 255).to(torch.uint8)
    luma = functional.pixel_shuffle(rounded[:, :4], 2)[:, 0, :height, :width]
    cb, cr = (rounded[:, i, : -(-height // 2), : -(-width // 2)] for i in (4, 5))
    return tuple(plane.numpy() for plane in (luma, cb, cr))


def half_size(error: Tensor) -> Tensor:
    """Return an error of each luma sample [N, H, W] at half size, float32 [N, 1, H/2, W/2], padded as by `pack`."""
    return functional.avg_pool2d(_padded(error[:, None].float(), MULTIPLE), 2)


def _padded(planes: Tensor, multiple: int) -> Tensor:
    height, width = planes.shape[2:]
    return functional.pad(planes, (0, -width % multiple, 0, -height % multiple), "replicate")
