# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Small films for players, what players are to show of them, and what they leave behind."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from clips import in_samples, moving_clip
from gvc_container.demux import Demuxer

import gvc
from gvc.media import Picture

FRAMES, RATE = 24, 25
OPTIONS = {"keyint": 12, "gop": 5, "preset": "fast", "quality": 60}


def write(path: Path, pix_fmt: str = "yuv420p", *, frames: int = FRAMES, width: int = 64) -> Path:
    """Write a film of a moving clip, 48 samples high."""
    pictures, video = in_samples(moving_clip(frames, width), pix_fmt)
    with gvc.open(path, "w", video_format=video, **OPTIONS) as film:
        for picture in pictures:
            film.write(picture)
    return path


def damaged(source: Path, target: Path) -> Path:
    """Write a copy of a film whose second GOP is damaged."""
    with Demuxer(source) as demuxer:
        packets = [packet.data for packet in demuxer.packets()]
    second = next(data for data in packets[1:] if len(data) > 20)
    target.write_bytes(source.read_bytes().replace(second, second[:-9] + bytes(9)))
    return target


def decoded(path: Path, names: dict[str, str], **options) -> Iterator[tuple[Picture, int, str]]:
    """Yield each picture of a film by GVC's own decoder, its time in milliseconds, and its format, size and MD5.

    names: a player's names of sample formats.
    options: options of the decoder.
    """
    with gvc.open(path, **options) as film:
        kind = f"{names[film.format.samples.pix_fmt]} {film.format.width}x{film.format.height}"
        for picture in film:
            md5 = hashlib.md5(b"".join(np.ascontiguousarray(plane) for plane in picture.planes)).hexdigest()
            yield picture, round(picture.pts * film.format.time_base * 1000), f"{kind} {md5}"


def processes_with(variable: str) -> int:
    """Return the number of processes that have NAME=VALUE in their environment."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += f"{variable}\0".encode() in path.read_bytes()
        except OSError:
            continue
    return found
