# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Small clips to train on: random parts of short videos (training.material), shrunk to WIDTH x HEIGHT.

They are stored as the planes that a decoder has, uint8 4:2:0, and become R'G'B' in the same way as in the codec.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from safetensors import safe_open
from torch import Tensor

from gvc.media import VideoFormat
from gvc.pictures.rgb import to_rgb
from training.data import Scenes
from training.material import Planes

WIDTH, HEIGHT, PICTURES = 96, 64, 33
FORMAT = VideoFormat(WIDTH, HEIGHT)
PLANES = ("y", "cb", "cr")
SHRINKING = (1.3, 3.25)  # range of the factor by which a part of a video is shrunk


def crops(video: list[Planes], rng: Generator, count: int) -> dict[str, Tensor]:
    """Return `count` random parts of a video: uint8 planes [count, PICTURES, HEIGHT, WIDTH], chroma half as high and
    wide. A shorter video is continued backwards."""
    missing = max(PICTURES - len(video), 0)
    order = np.pad(np.arange(len(video)), (0, missing), "symmetric")[:PICTURES]
    parts = [_shrunk([video[i] for i in order], rng) for _ in range(count)]
    return {
        name: torch.from_numpy(np.stack(planes)) for name, planes in zip(PLANES, zip(*parts, strict=True), strict=True)
    }


def rgb(planes: dict[str, Tensor]) -> Tensor:
    """Convert clips, uint8 planes [N, T, H, W], to R'G'B' [N, 3, T, H, W] in [-1, 1]."""
    clips, pictures = planes["y"].shape[:2]
    flat = to_rgb(tuple(planes[name].flatten(0, 1).numpy() for name in PLANES), FORMAT)
    return flat[0].unflatten(1, (clips, pictures)).transpose(0, 1)


def mirrored(planes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return clips mirrored and played backwards."""
    return {name: planes[name].flip(1, 3) for name in PLANES}


class Clips:
    """Files of `crops`, drawn as by Scenes; half of the clips are mirrored and played backwards."""

    def __init__(self, files: Iterable[Path]):
        self._files = sorted(files)
        self._scenes = Scenes(self._files)

    def draw(self, count: int, pictures: int, rng: Generator) -> Tensor:
        """Return `pictures` successive pictures of `count` random clips, R'G'B' [count, 3, pictures, HEIGHT, WIDTH]."""
        return torch.cat([_clip(self._scenes.file(rng), pictures, rng) for _ in range(count)])


def _clip(path: Path, pictures: int, rng: Generator) -> Tensor:
    """Return successive pictures of a random clip of a file, R'G'B' [1, 3, pictures, HEIGHT, WIDTH]."""
    with safe_open(path, "pt") as file:
        clips, length = file.get_slice("y").get_shape()[:2]
        clip, start = int(rng.integers(clips)), int(rng.integers(length - pictures + 1))
        window = (slice(clip, clip + 1), slice(start, start + pictures))
        planes = {name: file.get_slice(name)[window] for name in PLANES}
    return rgb(mirrored(planes) if rng.random() < 0.5 else planes)


def _shrunk(video: list[Planes], rng: Generator) -> list[np.ndarray]:
    """Return the planes of a random part of a video, shrunk."""
    rows, columns = (n // 2 for n in video[0][0].shape)  # in chroma samples
    factor = math.exp(rng.uniform(*map(math.log, SHRINKING)))
    height, width = min(round(factor * HEIGHT / 2), rows), min(round(factor * WIDTH / 2), columns)
    top, left = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
    planes = []
    for plane, scale in zip(zip(*video, strict=True), (2, 1, 1), strict=True):
        part = (slice(scale * top, scale * (top + height)), slice(scale * left, scale * (left + width)))
        size = (scale * WIDTH // 2, scale * HEIGHT // 2)
        planes.append(np.stack([cv2.resize(p[part], size, interpolation=cv2.INTER_AREA) for p in plane]))
    return planes
