# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Short videos for training: windows of clips, and photographs under a simulated moving camera.

Each video is a list of pictures, which are uint8 4:2:0 planes of HEIGHT x WIDTH.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.random import Generator

HEIGHT, WIDTH = 208, 352
CLIP_PICTURES, PHOTO_PICTURES = 41, 21
ZOOM = (1.0, 1.35)  # range of a random magnification; 1 = the photograph just fills the picture
MOTION = 3.0  # fastest motion of the camera along an axis, in samples per picture
FOREGROUND = 0.6  # share of photographs in front of which an object moves

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]


def clip_windows(path: Path, rng: Generator, count: int) -> Iterator[list[Planes]]:
    """Yield windows of a clip, randomly cropped, scaled, mirrored, slowed down or sped up, and recoloured."""
    pictures = _read(path)
    for _ in range(count):
        step = int(rng.integers(1, 3)) if len(pictures) >= 2 * CLIP_PICTURES else 1
        length = min(CLIP_PICTURES, len(pictures) // step)
        start = int(rng.integers(0, len(pictures) - (length - 1) * step))
        chosen = pictures[start : start + length * step : step]
        crop, recolour = _crop(chosen[0].shape, rng), _recolouring(rng)
        yield [_planes(recolour(crop(picture))) for picture in chosen]


def moved_photo(path: Path, others: list[Path], rng: Generator, count: int = PHOTO_PICTURES) -> list[Planes]:
    """Return `count` pictures of a photograph under a moving camera, often with a part of another photograph as a
    moving object."""
    back, recolour = _layer(path, rng, count), _recolouring(rng)
    front = _layer(others[rng.integers(len(others))], rng, count) if rng.random() < FOREGROUND else None
    shape, place = _blob(rng), _path(rng, count)
    pictures = []
    for i in range(count):
        picture = back(i)
        if front:
            mask = cv2.warpAffine(shape, place(i), (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None]
            picture = picture * (1 - mask) + front(i) * mask
        pictures.append(_planes(recolour(np.clip(picture + 0.5, 0, 255).astype(np.uint8))))
    return pictures


def _read(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _crop(shape: tuple[int, ...], rng: Generator):
    """Return a function that cuts the same random window out of each picture and scales it to the final size."""
    height, width = shape[:2]
    scale = max(HEIGHT / height, WIDTH / width) * rng.uniform(*ZOOM)
    h, w = min(height, round(HEIGHT / scale)), min(width, round(WIDTH / scale))
    y, x, mirrored = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), rng.random() < 0.5
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC

    def cut(picture: np.ndarray) -> np.ndarray:
        window = cv2.resize(picture[y : y + h, x : x + w], (WIDTH, HEIGHT), interpolation=kind)
        return window[:, ::-1] if mirrored else window

    return cut


def _recolouring(rng: Generator):
    """Return a function with a random change of gamma, contrast, saturation and order of the colour channels."""
    gamma, contrast = rng.uniform(0.85, 1.2), rng.uniform(0.9, 1.15)
    order = rng.permutation(3) if rng.random() < 0.3 else np.arange(3)
    table = np.clip(255 * contrast * (np.arange(256) / 255) ** gamma + 255 * (1 - contrast) / 2, 0, 255)
    return lambda picture: table.astype(np.uint8)[picture[..., order]]


def _planes(rgb: np.ndarray) -> Planes:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    stacked = frame.to_ndarray()
    cb, cr = stacked[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return stacked[:HEIGHT], cb, cr


def _path(rng: Generator, count: int):
    """Return a smooth random motion of the camera over `count` pictures, a function from picture number to affine
    matrix."""
    speed, turn = rng.uniform(-MOTION, MOTION, 2) * rng.random(), np.deg2rad(rng.uniform(-0.4, 0.4)) * rng.random()
    growth, bend = 1 + rng.uniform(-0.006, 0.006) * rng.random(), rng.uniform(-0.08, 0.08, 2) * rng.random()
    centre = np.array([WIDTH, HEIGHT]) / 2

    def matrix(i: int) -> np.ndarray:
        at = i - count / 2
        size, angle = growth**at, turn * at
        linear = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = centre + speed * at + bend * at**2 - linear @ centre
        return np.column_stack([linear, shift])

    return matrix


def _layer(path: Path, rng: Generator, count: int):
    """Return a photograph under a moving camera, a function from picture number to float32 [HEIGHT, WIDTH, 3]."""
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
    scale = max(HEIGHT / photo.shape[0], WIDTH / photo.shape[1]) * rng.uniform(1.2, 1.6)
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    moved, middle = _path(rng, count), np.array([(WIDTH - size[0]) / 2, (HEIGHT - size[1]) / 2])

    def seen(i: int) -> np.ndarray:
        matrix = moved(i)
        matrix[:, 2] += matrix[:, :2] @ middle
        flags = cv2.INTER_CUBIC
        return cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT).astype(
            np.float32
        )

    return seen


def _blob(rng: Generator) -> np.ndarray:
    """Return the mask of a random round object, float32 [HEIGHT, WIDTH], 0 to 1."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = sum(rng.uniform(-0.35, 0.35) / k * np.sin(k * angles + rng.uniform(0, 6.3)) for k in range(2, 6))
    radius = rng.uniform(25, 70) * (1 + waves)
    centre = rng.uniform(0.25, 0.75, 2) * (WIDTH, HEIGHT)
    outline = np.stack([radius * np.cos(angles), radius * np.sin(angles) * rng.uniform(0.6, 1.4)], 1) + centre
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (3, 3), 0.6)
