"""Read any video as pictures that the encoder takes, in the sample format that loses least."""

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import ColorRange
from gvc_container.demux import main_video

from ..errors import MediaError
from ..media import SAMPLE_FORMATS, Picture, SampleFormat, VideoFormat

IDENTITY = 0  # matrix coefficients (H.273) of RGB
QUARTER_TURNS = 4
COLOURS = 3  # components; less are grey


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
            self._track = main_video(self._container)
            if self._track is None:
                raise MediaError(f"{path} holds no video")
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
        samples = nearest_format(frame.format)
        return VideoFormat(
            *shape,
            frame_rate=self._track.average_rate or self._track.guessed_rate or Fraction(25),
            time_base=self._track.time_base,
            sample_aspect_ratio=aspect,
            color_range=_full_or_not(frame),
            color_primaries=int(frame.color_primaries),
            color_trc=int(frame.color_trc),
            colorspace=IDENTITY if samples.rgb else int(frame.colorspace),
            samples=samples,
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
        planes = (samples(plane, self.format.samples) for plane in _convert(frame, self.format.samples).planes)
        return tuple(np.ascontiguousarray(np.rot90(plane, self._turns)) for plane in planes)

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def samples(plane: av.video.plane.VideoPlane, kind: SampleFormat) -> np.ndarray:
    """The samples of a plane, [H, W], sharing its memory."""
    rows = np.frombuffer(plane, kind.dtype).reshape(plane.height, plane.line_size // kind.dtype.itemsize)
    return rows[:, : plane.width]


def nearest_format(given: av.VideoFormat) -> SampleFormat:
    """The sample format that loses least of what `given` can hold."""
    rgb = given.is_rgb or given.has_palette
    depth = 8 if given.has_palette or max(c.bits for c in given.components) <= 8 else 10
    halved = not rgb and (len(given.components) < COLOURS or given.chroma_width(2) == given.chroma_height(2) == 1)
    return next(s for s in SAMPLE_FORMATS if (s.rgb, s.depth, s.halved) == (rgb, depth, halved))


def _full_or_not(frame: av.VideoFrame) -> int:
    return int(ColorRange.JPEG if frame.format.name.startswith("yuvj") else frame.color_range)


def _convert(frame: av.VideoFrame, kind: SampleFormat) -> av.VideoFrame:
    if frame.format.name.replace("yuvj", "yuv") == kind.pix_fmt:
        return frame
    if kind.rgb:
        return frame.reformat(format=kind.pix_fmt)
    kept = _full_or_not(frame) or ColorRange.MPEG  # the range must survive the conversion as it is
    return frame.reformat(format=kind.pix_fmt, src_color_range=kept, dst_color_range=kept)
