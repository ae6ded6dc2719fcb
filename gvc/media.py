# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What passes between the engine and its callers: pictures, packets and the description of a video."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

MAX_DIMENSION = 16384
FULL_RANGE = 2  # AVCOL_RANGE_JPEG

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]  # Y, Cb, Cr of one picture, uint8 [H, W]
Clip = tuple[np.ndarray, np.ndarray, np.ndarray]  # Y, Cb, Cr of T pictures, uint8 [T, H, W]


@dataclass(frozen=True)
class SampleFormat:
    """How the samples of a picture are laid out; SAMPLE_FORMATS has all that there are.

    code: its number in the sequence header.
    pix_fmt: FFmpeg's name.
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
    frame_rate: nominal pictures a second, default: 25; 0 for unknown. What counts are the times of the pictures.
    time_base: seconds in a tick of pts and duration, above 0, default: 1/25. It is not in the stream.
    sample_aspect_ratio: width of a sample by its height, default: 0, unknown.
    color_range: 0 for unspecified (the default), 1 for limited, 2 for full, as FFmpeg's AVColorRange.
    color_primaries, color_trc, colorspace: primaries, transfer function and matrix coefficients, code points of
        ISO/IEC 23091-2 (H.273), default: 2, unspecified.
    chroma_location: where halved chroma samples lie, as FFmpeg's AVChromaLocation, default: 0, unspecified.
    samples: how samples are laid out, default: 8-bit 4:2:0.
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
        """The 8-bit 4:2:0 format that pictures of this one are coded in (gvc.pictures.samples)."""
        return replace(self, samples=YUV420P, color_range=FULL_RANGE if self.samples.rgb else self.color_range)


@dataclass
class Picture:
    """One frame.

    planes: Y, Cb, Cr, or G, B, R, with the shapes VideoFormat.plane_shapes; uint8, or uint16 beyond 8 bits.
    pts, duration: ticks of the video's time base, VideoFormat.time_base seconds each; pts is None where it is unknown.
    key: in an encoder, whether a self-contained GOP is to start here; from a decoder, whether one did.
    concealed: whether it stands in for a picture that was lost or damaged; encoders pass over it.
    """

    planes: tuple[np.ndarray, np.ndarray, np.ndarray]
    pts: int | None = None
    duration: int = 0
    key: bool = False
    concealed: bool = False


@dataclass
class Packet:
    """What a container stores as one frame: the part of the stream that shows one picture (docs/BITSTREAM.md).

    data: at least one byte.
    pts, duration: ticks of the video's time base; pts is None where it is unknown.
    key: whether decoding can start here.
    """

    data: bytes
    pts: int | None = None
    duration: int = 0
    key: bool = False
