"""What passes between the engine and its callers: pictures, packets and the description of a video."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

MAX_DIMENSION = 16384


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

    @property
    def plane_shapes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of Y, Cb, Cr in 4:2:0."""
        chroma = ((self.height + 1) // 2, (self.width + 1) // 2)
        return ((self.height, self.width), chroma, chroma)


@dataclass
class Picture:
    """One 8-bit 4:2:0 frame.

    planes: Y [H, W], Cb and Cr [(H+1)//2, (W+1)//2], uint8.
    pts, duration: in ticks of the video's time base; pts None = unknown.
    key: asked of the encoder: start a self-contained GOP here; from the decoder: it did.
    """

    planes: tuple[np.ndarray, np.ndarray, np.ndarray]
    pts: int | None = None
    duration: int = 0
    key: bool = False


@dataclass
class Packet:
    """One muxed unit: exactly one frame's worth of stream (see docs/BITSTREAM.md)."""

    data: bytes
    pts: int | None = None
    duration: int = 0
    key: bool = False
