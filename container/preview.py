# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of a film's keyframes as PNG. They are decoded from their stills, so no model is needed (but in t2v)."""

import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil, isqrt
from pathlib import Path

import av
import numpy as np

from gvc.bitstream import is_key
from gvc.decoder import Decoder
from gvc.errors import BitstreamError, MediaError
from gvc.media import MAX_DIMENSION, Packet, Picture, VideoFormat

from .arrays import PIXELS, to_rgb
from .demux import Demuxer

CELL = 320  # Default of the largest width and height of a picture in a sheet
SHEET = 4096  # About the largest width and height of a sheet
GAP, PAPER = 4, 32  # Distance of the pictures in a sheet, and its grey level


def contact_sheet(
    path: str | Path, size: int = CELL, warn: Callable[[str], object] = warnings.warn
) -> tuple[np.ndarray, int]:
    """Return a picture of all keyframes of a film, row by row, and their number.

    Args:
        path: film with GVC video; a file, since it is read twice.
        size: largest width and height of each keyframe. They are smaller where there are many. Default: 320.
        warn: function called with a sentence about each damaged keyframe. Default: warnings.warn.
    Returns:
        R'G'B', uint8 [H, W, 3]; the number includes damaged keyframes, whose places stay empty.

    Raises MediaError, and PriorError for a t2v film whose prior is not here.
    """
    with Demuxer(path) as film:
        count, first = sum(is_key(packet.data) for packet in film.packets()), film.format
    columns = isqrt(count - 1) + 1
    width, height = fitted(first, *2 * [max(1, min(size, SHEET // columns - GAP))])
    rows = ceil(count / columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), PAPER, np.uint8)
    for number, pixels in enumerate(_keyframes(path, width, height, warn)):
        row, column = divmod(number, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        if pixels is not None:
            sheet[top : top + len(pixels), left : left + len(pixels[0])] = pixels
    return sheet, count


def keyframe_at(
    path: str | Path, share: Fraction, seconds: Fraction, size: int = MAX_DIMENSION
) -> tuple[np.ndarray, Fraction]:
    """Return the keyframe at or before a time, and its time in seconds. The time is share * duration + seconds.

    Args:
        path: film with GVC video; a file, since it is sought.
        share: share of the film's duration, 0..1.
        seconds: time in seconds, 0 or more.
        size: largest width and height. Default: no limit.
    Returns:
        R'G'B', uint8 [H, W, 3], and the time.

    Raises MediaError, BitstreamError, and PriorError for a t2v film whose prior is not here.
    """
    with Demuxer(path) as film:
        film.seek(share * film.duration + seconds)
        packet = next((packet for packet in film.packets() if is_key(packet.data)), None)
        if packet is None:
            raise MediaError(f"{path} has no keyframe there")
        decoder = Decoder(film.header, {"keyframes": 1})
        picture = _keyframe(decoder, packet)
        pixels = to_rgb(picture, decoder.format, fitted(decoder.format, size, size))
        return pixels, (packet.pts or 0) * film.time_base


def png(pixels: np.ndarray) -> bytes:
    """Return an array of R'G'B' pixels, uint8 [H, W, 3], as a PNG file."""
    coder = av.CodecContext.create("png", "w")
    coder.height, coder.width, _ = pixels.shape
    coder.pix_fmt, coder.time_base = PIXELS, Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, PIXELS)
    frame.pts = 0
    return b"".join(map(bytes, [*coder.encode(frame), *coder.encode(None)]))


def fitted(video: VideoFormat, width: int, height: int) -> tuple[int, int]:
    """Return the size of a video's pictures with square pixels, scaled down where it exceeds a width and a height."""
    full = video.width * (video.sample_aspect_ratio or 1)
    scale = min(1, width / full, Fraction(height, video.height))
    return max(1, round(full * scale)), max(1, round(video.height * scale))


def _keyframes(path: str | Path, width: int, height: int, warn: Callable[[str], object]) -> Iterator[np.ndarray | None]:
    """Yield the pixels of each keyframe, fitted into a width and a height; None for a damaged one."""
    with Demuxer(path) as film:
        decoder = Decoder(film.header, {"keyframes": 1})
        for packet in film.packets():
            if not is_key(packet.data):
                continue
            try:
                picture = _keyframe(decoder, packet)
            except BitstreamError as error:
                warn(f"a keyframe is damaged: {error}")
                yield None
            else:
                yield to_rgb(picture, decoder.format, fitted(decoder.format, width, height))


def _keyframe(decoder: Decoder, packet: Packet) -> Picture:
    """Decode a keyframe alone. Raises BitstreamError if it is damaged beyond repair, PriorError."""
    (picture,) = decoder.decode(packet)
    if picture.concealed:
        raise picture.error
    return picture
