# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pieces of a source: pictures packed without loss, for a machine that does not have the file.

A piece is MAGIC, the length of a header in four bytes (big-endian), the header as JSON, and one FFV1 packet a picture.
The three planes of a picture are coded as one grey picture: luma, and below it Cb and Cr side by side. So all sample
formats and odd sizes are exact.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from gvc.errors import MediaError
from gvc.media import MAX_DIMENSION, SAMPLE_FORMATS, Picture, Planes, VideoFormat

from .convert import samples

MAGIC, LENGTH = b"GVCP\1", struct.Struct(">I")
MOST_HEADER = 16 << 20  # largest length of the header in bytes
CODEC, OPTIONS = "ffv1", {"slicecrc": "1", "level": "3"}
PIX_FMT = {8: "gray", 10: "gray10le"}
PTS_LIMIT = 2**63


@dataclass(frozen=True)
class _Header:
    """video: size and sample format. extradata: that of FFV1. pictures: (pts, duration, bytes) of each."""

    video: VideoFormat
    extradata: bytes
    pictures: list[tuple[int, int, int]]

    def to_bytes(self) -> bytes:
        content = {"size": [self.video.width, self.video.height], "samples": self.video.samples.code}
        return json.dumps(content | {"extradata": self.extradata.hex(), "pictures": self.pictures}).encode()

    @classmethod
    def parse(cls, text: bytes) -> "_Header":
        """Raises ValueError, KeyError, TypeError, StopIteration."""
        content = json.loads(text)
        width, height = (_whole(value, 1, MAX_DIMENSION + 1) for value in content["size"])
        kind = next(kind for kind in SAMPLE_FORMATS if kind.code == content["samples"])
        pictures = [
            (_whole(pts, -PTS_LIMIT, PTS_LIMIT), _whole(duration, 0, PTS_LIMIT), _whole(size, 1, 2**31))
            for pts, duration, size in content["pictures"]
        ]
        return cls(VideoFormat(width, height, samples=kind), bytes.fromhex(content["extradata"]), pictures)


def _whole(value: object, least: int, end: int) -> int:
    if type(value) is not int or not least <= value < end:
        raise ValueError
    return value


def pack(pictures: Iterable[Picture], video: VideoFormat, threads: int = 1) -> bytes:
    """Pack pictures without loss.

    Args:
        pictures: pictures that have a pts.
        video: their format, of which size and samples are used.
        threads: number of threads of the coder. Default: 1.
    """
    coder, packed, times = _coder("w", video, threads), [], []
    for picture in pictures:
        packed += coder.encode(_stacked(picture, video))
        times.append((picture.pts, picture.duration))
    packed += coder.encode(None) if times else []
    sizes = [(*time, packet.size) for time, packet in zip(times, packed, strict=True)]
    header = _Header(video, bytes(coder.extradata or b""), sizes).to_bytes()
    return b"".join([MAGIC, LENGTH.pack(len(header)), header, *map(bytes, packed)])


def unpack(piece: bytes, threads: int = 1) -> Iterator[Picture]:
    """Yield the pictures of a piece.

    Args:
        piece: what `pack` returned; memory is needed for one picture at a time, whatever a wrong piece says.
        threads: number of threads of the decoder. Default: 1.

    Raises MediaError for anything that is not a whole piece.
    """
    header, start = _header(piece)
    decoder = _coder("r", header.video, threads)
    decoder.extradata = header.extradata
    for pts, duration, size in header.pictures:
        try:
            (frame,) = decoder.decode(av.Packet(piece[start : start + size]))
        except (av.error.FFmpegError, ValueError):
            raise _damaged() from None
        yield Picture(_unstacked(frame, header.video), pts, duration)
        start += size


def _header(piece: bytes) -> tuple[_Header, int]:
    """Return the header of a piece and the place of the first packet."""
    try:
        magic, (length,) = piece[: len(MAGIC)], LENGTH.unpack_from(piece, len(MAGIC))
        start = len(MAGIC) + LENGTH.size + length
        if magic != MAGIC or length > MOST_HEADER:
            raise ValueError
        header = _Header.parse(piece[len(MAGIC) + LENGTH.size : start])
        if start + sum(size for _, _, size in header.pictures) != len(piece):
            raise ValueError
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError, struct.error):
        raise _damaged() from None
    return header, start


def _damaged() -> MediaError:
    return MediaError("a piece of the source arrived damaged; run the same command again")


def _coder(mode: str, video: VideoFormat, threads: int) -> av.VideoCodecContext:
    """Return a context of FFV1 for stacked planes, without delay."""
    coder = av.CodecContext.create(CODEC, mode)
    coder.height, coder.width = _canvas(video)
    coder.pix_fmt = PIX_FMT[video.samples.depth]
    coder.thread_count, coder.thread_type = threads, "SLICE"
    if mode == "w":
        coder.time_base, coder.options = Fraction(1), OPTIONS  # Times are in the header
    return coder


def _canvas(video: VideoFormat) -> tuple[int, int]:
    """Return (height, width) of the grey picture."""
    (rows, columns), (chroma_rows, chroma_columns), _ = video.plane_shapes
    return rows + chroma_rows, max(columns, 2 * chroma_columns)


def _parts(canvas: np.ndarray, video: VideoFormat) -> Planes:
    """Return the three parts of a grey picture that hold the planes, as views."""
    (rows, columns), (chroma_rows, chroma_columns), _ = video.plane_shapes
    below = canvas[rows : rows + chroma_rows]
    return canvas[:rows, :columns], below[:, :chroma_columns], below[:, chroma_columns : 2 * chroma_columns]


def _stacked(picture: Picture, video: VideoFormat) -> av.VideoFrame:
    height, width = _canvas(video)
    frame = av.VideoFrame(width, height, PIX_FMT[video.samples.depth])
    canvas = samples(frame.planes[0], video.samples)
    canvas[:] = 0
    for part, plane in zip(_parts(canvas, video), picture.planes, strict=True):
        part[:] = plane
    return frame


def _unstacked(frame: av.VideoFrame, video: VideoFormat) -> Planes:
    canvas = samples(frame.planes[0], video.samples)
    if canvas.shape != _canvas(video) or frame.format.name != PIX_FMT[video.samples.depth]:
        raise _damaged()
    return tuple(part.copy() for part in _parts(canvas, video))
