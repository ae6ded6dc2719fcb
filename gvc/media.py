# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Types that pass between the codec and its callers: pictures, packets and the description of a video."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

MAX_DIMENSION = 16384
FULL_RANGE = 2  # AVCOL_RANGE_JPEG

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]  # Y, Cb, Cr of one picture, uint8 [H, W]
Clip = tuple[np.ndarray, np.ndarray, np.ndarray]  # Y, Cb, Cr of T pictures, uint8 [T, H, W]


@dataclass(frozen=True)
class SampleFormat:
    """The layout of a picture's samples; SAMPLE_FORMATS lists all of them.

    code: number of the format in the sequence header.
    pix_fmt: FFmpeg's name of the format.
    depth: bits of a sample, 8 or 10.
    halved: whether the chroma planes have half the width and half the height, rounded up.
    rgb: whether the planes are G, B, R; they are Y, Cb, Cr otherwise.
    """

    code: int
    pix_fmt: str
    depth: int = 8
    halved: bool = False
    rgb: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Type of the planes' samples, uint8 or uint16."""
        return np.dtype(np.uint8 if self.depth == 8 else np.uint16)


YUV420P = SampleFormat(1, "yuv420p", halved=True)
SAMPLE_FORMATS = (
    YUV420P,
    SampleFormat(2, "yuv444p"),
    SampleFormat(3, "gbrp", rgb=True),
    SampleFormat(4, "yuv420p10le", 10, halved=True),
    SampleFormat(5, "yuv444p10le", 10),
    SampleFormat(6, "gbrp10le", 10, rgb=True),
)


@dataclass(frozen=True)
class VideoFormat:
    """Geometry and colour of a video.

    width, height: luma samples, 1..MAX_DIMENSION.
    frame_rate: nominal pictures a second, 0 = unknown; default 25. Pictures are shown by their own timestamps.
    time_base: seconds in a tick of pts and duration, above 0; default 1/25. It is not in the stream.
    sample_aspect_ratio: width of a sample divided by its height; default 0, unknown.
    color_range: FFmpeg's AVColorRange, 1 = limited, 2 = full; default 0, unspecified.
    color_primaries, color_trc, colorspace: primaries, transfer function and matrix coefficients, code points of
        ISO/IEC 23091-2 (H.273); default 2, unspecified.
    chroma_location: position of halved chroma samples, FFmpeg's AVChromaLocation; default 0, unspecified.
    samples: layout of the samples; default 8-bit 4:2:0.
    """

    width: int
    height: int
    frame_rate: Fraction = Fraction(25)
    time_base: Fraction = Fraction(1, 25)
    sample_aspect_ratio: Fraction = Fraction(0)
    color_range: int = 0
    color_primaries: int = 2
    color_trc: int = 2
    colorspace: int = 2
    chroma_location: int = 0
    samples: SampleFormat = YUV420P

    @property
    def plane_shapes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of the three planes."""
        luma = (self.height, self.width)
        chroma = ((self.height + 1) // 2, (self.width + 1) // 2) if self.samples.halved else luma
        return (luma, chroma, chroma)

    @property
    def coded(self) -> "VideoFormat":
        """The 8-bit 4:2:0 format in which pictures of this format are coded (gvc.pictures.samples)."""
        return replace(self, samples=YUV420P, color_range=FULL_RANGE if self.samples.rgb else self.color_range)


@dataclass
class Picture:
    """One frame.

    planes: Y, Cb, Cr or G, B, R, of the shapes VideoFormat.plane_shapes; uint8, or uint16 for more than 8 bits.
    pts, duration: timestamp and duration in ticks of VideoFormat.time_base; pts is None (the default) if unknown.
    key: for an encoder, whether a self-contained GOP must start here; from a decoder, whether one did. Default False.
    concealed: whether the picture replaces one that was lost or damaged; encoders ignore it. Default False.
    error: error in the picture's packet that was concealed or repaired; encoders ignore it. Default: none.
    """

    planes: tuple[np.ndarray, np.ndarray, np.ndarray]
    pts: int | None = None
    duration: int = 0
    key: bool = False
    concealed: bool = False
    error: Exception | None = None


@dataclass
class Packet:
    """The part of the stream that shows one picture; containers store it as one frame (docs/BITSTREAM.md).

    data: payload, at least one byte.
    pts, duration: timestamp and duration in ticks of the video's time base; pts is None (the default) if unknown.
    key: whether decoding can start here, default False.
    alone: for a decoder, whether a keyframe's picture is wanted and no other one up to the next keyframe; encoders
        leave it False, the default.
    """

    data: bytes
    pts: int | None = None
    duration: int = 0
    key: bool = False
    alone: bool = False
