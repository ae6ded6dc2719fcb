# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Source pictures for measurements: a synthetic clip, or the first pictures of a file."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np

from ..errors import MediaError
from ..media import YUV420P, Picture, VideoFormat
from ..pictures.samples import to_coded

RATE = Fraction(25)


def synthetic_clip(count: int, width: int, height: int) -> tuple[VideoFormat, list[Picture]]:
    """Return a deterministic clip: slow smooth waves, panning fine texture, and boxes that move across both."""
    texture = np.random.default_rng(0).normal(0, 6, (height, width + 2 * count)).astype(np.float32)
    video = VideoFormat(width, height, frame_rate=RATE, time_base=1 / RATE)
    return video, [Picture(_planes(video, i, texture), i, 1) for i in range(count)]


def _planes(video: VideoFormat, i: int, texture: np.ndarray) -> tuple[np.ndarray, ...]:
    planes = []
    for plane, (height, width) in enumerate(video.plane_shapes):
        y, x = np.ogrid[:height, :width]
        scale = 2 if plane else 1
        values = 120 + 45 * np.sin((scale * x + 3 * i) / 37) + 25 * np.cos((scale * y - 2 * i) / 23)
        if plane == 0:
            values = values + texture[:, 2 * i : 2 * i + width]
        box = ((scale * x - 4 * i) % 160 < 40) & ((scale * y - i) % 120 < 36)
        planes.append(np.clip(values + 40 * box, 0, 255).astype(np.uint8))
    return tuple(planes)


def clip_of_file(path: str, count: int, size: tuple[int, int] | None) -> tuple[VideoFormat, list[Picture]]:
    """Return the first pictures of a video, scaled to (width, height) if a size is given. Raises MediaError."""
    from gvc_container.source import VideoSource

    with VideoSource(path) as source:
        video = source.format
        taken = islice(source.pictures(), count)
        pictures = [replace(picture, planes=to_coded(picture.planes, video)) for picture in taken]
    if len(pictures) < count:
        raise MediaError(f"{path} has only {len(pictures)} of the {count} pictures needed; lower --frames")
    size = size or (video.width, video.height)
    if size != (video.width, video.height):
        pictures = [Picture(_scaled(picture.planes, size), picture.pts, picture.duration) for picture in pictures]
    return VideoFormat(*size, frame_rate=video.frame_rate, time_base=video.time_base), pictures


def _scaled(planes: tuple[np.ndarray, ...], size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    from gvc_container.sink import video_frame
    from gvc_container.source import samples

    height, width = planes[0].shape
    frame = video_frame(Picture(planes), VideoFormat(width, height))
    return tuple(samples(plane, YUV420P).copy() for plane in frame.reformat(*size).planes)
