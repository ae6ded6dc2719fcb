# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoded pictures in the form that the metrics take: R'G'B', luma and chroma, 8 bits each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import av
import numpy as np
from gvc_container.convert import samples
from gvc_container.video import VideoReader

from ..errors import MediaError
from ..media import YUV420P

BATCH = 8  # Pictures that are read at a time: few, so that long files take little memory.


@dataclass(frozen=True)
class Frames:
    """Some consecutive pictures.

    rgb: uint8 [T, H, W, 3].
    luma: uint8 [T, H, W].
    chroma: Cb and Cr, uint8 [T, 2, (H + 1) // 2, (W + 1) // 2].
    """

    rgb: np.ndarray
    luma: np.ndarray
    chroma: np.ndarray

    @classmethod
    def of(cls, frames: Iterable[av.VideoFrame]) -> "Frames":
        """Convert frames of PyAV. FFmpeg converts the colours by the matrix that a frame names, by default BT.601."""
        frames = list(frames)
        rgb = [frame.to_ndarray(format="rgb24") for frame in frames]
        planes = [_planes(frame) for frame in frames]
        return cls(np.stack(rgb), np.stack([luma for luma, _ in planes]), np.stack([chroma for _, chroma in planes]))

    def __len__(self) -> int:
        return len(self.luma)

    def __getitem__(self, chosen: slice | list[int]) -> "Frames":
        return Frames(self.rgb[chosen], self.luma[chosen], self.chroma[chosen])


def _planes(frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return luma [H, W] and chroma [2, (H + 1) // 2, (W + 1) // 2]."""
    luma, *chroma = (samples(plane, YUV420P) for plane in frame.reformat(format="yuv420p").planes)
    return luma.copy(), np.stack(chroma)


def read_frames(path: str | Path) -> Iterator[Frames]:
    """Yield the pictures of a file that FFmpeg can decode, a few at a time. Raises MediaError."""
    with VideoReader(path) as film:
        frames = film.frames()
        while batch := list(islice(frames, BATCH)):
            yield Frames.of(batch)


def pairs(source: str | Path, decoded: str | Path) -> Iterator[tuple[Frames, Frames]]:
    """Yield the pictures of two files in pairs, by their order. Raises MediaError if their sizes or numbers differ."""
    count = 0
    for a, b in zip_longest(read_frames(source), read_frames(decoded)):
        if a and b and a.luma.shape[1:] != b.luma.shape[1:]:
            sizes = ["x".join(map(str, x.luma.shape[:0:-1])) for x in (a, b)]
            raise MediaError(f"{source} is {sizes[0]} and {decoded} {sizes[1]}; scale one to the other's size first")
        given = [count + (len(x) if x else 0) for x in (a, b)]
        if given[0] != given[1]:
            shorter, longer = (decoded, source) if given[0] > given[1] else (source, decoded)
            raise MediaError(f"{shorter} ends after {min(given)} pictures, {longer} goes on; cut them to one length")
        count = given[0]
        yield a, b
