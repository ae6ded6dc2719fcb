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
    """How the samples of a picture are laid out. `code` is that of the sequence header, `pix_fmt` FFmpeg's name."""

    code: int
    pix_fmt: str
    depth: int = 8  # bits
    halved: bool = False  # chroma in both directions
    rgb: bool = False  # the planes are G, B, R, else Y, Cb, Cr

    @property
    def dtype(self) -> np.dtype:
        """Of the planes."""
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
    """Geometry and colour of a video. Colour fields are the code points of ISO/IEC 23091-2 (H.273), 2 = unspecified."""

    width: int  # luma samples, 1..MAX_DIMENSION
    height: int
    frame_rate: Fraction = Fraction(25)  # nominal; timestamps rule
    time_base: Fraction = Fraction(1, 25)  # seconds a tick of pts and duration; not in the stream
    sample_aspect_ratio: Fraction = Fraction(0)  # 0 = unknown
    color_range: int = 0  # 0 unspecified, 1 limited, 2 full (FFmpeg's AVColorRange)
    color_primaries: int = 2
    color_trc: int = 2
    colorspace: int = 2
    chroma_location: int = 0  # FFmpeg's AVChromaLocation
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

    planes: as the sample format of the video says: shapes VideoFormat.plane_shapes, uint8, or uint16 beyond 8 bits.
    pts, duration: in ticks of the video's time base; pts None = unknown.
    key: asked of the encoder: start a self-contained GOP here; from the decoder: it did.
    concealed: whether it stands in for a picture that was lost or damaged; for encoders without meaning.
    """

    planes: tuple[np.ndarray, np.ndarray, np.ndarray]
    pts: int | None = None
    duration: int = 0
    key: bool = False
    concealed: bool = False


@dataclass
class Packet:
    """One muxed unit: exactly one frame's worth of stream (see docs/BITSTREAM.md)."""

    data: bytes
    pts: int | None = None
    duration: int = 0
    key: bool = False
