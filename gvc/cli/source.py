"""Read any video as the 8-bit 4:2:0 pictures that the encoder takes."""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from ..errors import MediaError
from ..media import Picture, VideoFormat

SMPTE170M = 6  # matrix coefficients (H.273) of what RGB is converted to
QUARTER_TURNS = 4


class VideoSource:
    """The first video track of a file, or of standard input if `path` is "-".

    Attributes:
        format: geometry and colour after conversion; frame rate and time base of the track.
    Raises MediaError if there is no video that can be decoded.
    """

    def __init__(self, path: str):
        self.path = path
        try:
            self._container = av.open("pipe:0" if path == "-" else path)
        except av.error.FFmpegError as error:
            raise MediaError(f"{path} cannot be read as a media file: {error.strerror or error}") from None
        try:
            if not self._container.streams.video:
                raise MediaError(f"{path} holds no video")
            self._track = self._container.streams.video[0]
            if self._track.codec_context is None:
                raise MediaError(f"{path} holds video in an unknown format")
            self._track.thread_type = "AUTO"
            self._frames = self._decode()
            self._first = next(self._frames, None)
            if self._first is None:
                raise MediaError(f"{path} holds no video frame that can be decoded")
            self._turns = self._first.rotation // 90 % QUARTER_TURNS
            self.format = self._describe(self._first)
        except BaseException:
            self._container.close()
            raise

    def _decode(self) -> Iterator[av.VideoFrame]:
        try:
            yield from self._container.decode(self._track)
        except av.error.FFmpegError as error:
            raise MediaError(f"{self.path} cannot be decoded: {error.strerror or error}") from None

    def _describe(self, frame: av.VideoFrame) -> VideoFormat:
        shape, aspect = (frame.width, frame.height), Fraction(self._track.sample_aspect_ratio or 0)
        if self._turns % 2:
            shape, aspect = shape[::-1], 1 / aspect if aspect else aspect
        rgb = frame.format.is_rgb
        return VideoFormat(
            *shape,
            frame_rate=self._track.average_rate or self._track.guessed_rate or Fraction(25),
            time_base=self._track.time_base,
            sample_aspect_ratio=aspect,
            color_range=ColorRange.MPEG if rgb else _full_or_not(frame),
            color_primaries=int(frame.color_primaries),
            color_trc=int(frame.color_trc),
            colorspace=SMPTE170M if rgb else int(frame.colorspace),
        )

    @property
    def frames_expected(self) -> int:
        """How many frames there should be, 0 if that is unknown."""
        if self._track.frames:
            return self._track.frames
        seconds = (self._container.duration or 0) / av.time_base
        return round(seconds * self.format.frame_rate)

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures; pts always increase. Raises MediaError where decoding fails for good."""
        last, nominal = None, max(1, round(1 / self.format.frame_rate / self.format.time_base))
        frame = self._first
        while frame is not None:
            pts = frame.pts
            if last is not None and (pts is None or pts <= last):
                pts = last + (nominal if pts is None else 1)
            last = pts or 0
            yield Picture(self._planes(frame), last, frame.duration or 0)
            frame = next(self._frames, None)

    def _planes(self, frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        planes = (samples(plane) for plane in _convert(frame).planes)
        return tuple(np.ascontiguousarray(np.rot90(plane, self._turns)) for plane in planes)

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def samples(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """The samples of an 8-bit plane, [H, W] uint8, sharing its memory."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _full_or_not(frame: av.VideoFrame) -> int:
    return int(ColorRange.JPEG if frame.format.name.startswith("yuvj") else frame.color_range)


def _convert(frame: av.VideoFrame) -> av.VideoFrame:
    if frame.format.name in ("yuv420p", "yuvj420p"):
        return frame
    if frame.format.is_rgb:
        return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG)
    kept = _full_or_not(frame) or ColorRange.MPEG  # the range must survive the conversion as it is
    return frame.reformat(format="yuv420p", src_color_range=kept, dst_color_range=kept)
