# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""One of the compared videos: its frames with their times, whatever the codec, and the figures of its packets."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Interpolation
from gvc_container.convert import REFORMAT_THREADS
from gvc_container.demux import Demuxer, gvc_track
from gvc_container.rate import scan
from gvc_container.reading import open_input
from gvc_container.sink import video_frame
from gvc_container.source import VideoSource
from gvc_container.video import ignore

from ..decoder import Decoder
from ..errors import BitstreamError, MediaError
from ..media import FULL_RANGE, Picture, VideoFormat

UNSPECIFIED = 2  # matrix coefficients (H.273)


@dataclass
class Frame:
    """A picture, and the time at which it is shown, in seconds after the first frame of its film."""

    seconds: Fraction
    picture: av.VideoFrame


class Film:
    """A video file, used as a context manager. GVC is decoded by this package, all other codecs by FFmpeg.

    Args:
        path: file to read.
        options: decoder options for GVC, values by name (gvc.options.DECODER_OPTIONS).
        warn: function that gets a sentence about each loss when another codec's pictures are converted; default none.
    Raises MediaError, OptionError.
    """

    def __init__(self, path: Path, options: Mapping[str, object], warn: Callable[[str], None] = ignore):
        self.path = path
        coded = _gvc_track(path)
        self.track = scan(path, coded)
        self._stack = ExitStack()
        if coded is not None:
            self._demuxer = self._stack.enter_context(Demuxer(path))
            self._source, self._decoder = None, Decoder(self._demuxer.header, options)
            self.format: VideoFormat = self._demuxer.format
        else:
            self._source = self._stack.enter_context(VideoSource(str(path), warn))
            self.format = self._source.format

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.format.width, self.format.height

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.format.frame_rate or Fraction(25)

    @property
    def kbps(self) -> float | None:
        """Bitrate of the video in kb/s, container overhead included; None if the file has no duration."""
        return self.track.kbps

    @property
    def bpp(self) -> float:
        """Bits per pixel of the video, container overhead included."""
        return self.track.bpp(*self.size)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        """Yield the frames from `start` seconds after the first one on. May be called only once. Raises GvcError."""
        first = None if self._source else self._start
        pictures = self._source.pictures() if self._source else self._decoded(start)
        for number, picture in enumerate(pictures):
            time = number / self.rate if picture.pts is None else picture.pts * self.format.time_base
            first = time if first is None else first
            if time - first + 1 / self.rate / 2 > start:
                yield Frame(time - first, self._frame(picture))

    @property
    def _start(self) -> Fraction:
        """Time of the first frame in seconds, on the time scale of the demuxer's packets."""
        return self.track.start - self._demuxer.beginning

    def _frame(self, picture: Picture) -> av.VideoFrame:
        # In joined streams the decoder's format may change.
        video = self.format if self._source else self._decoder.format
        frame = video_frame(picture, video)
        frame.color_range, frame.colorspace = video.color_range, video.colorspace
        return frame

    def _decoded(self, start: Fraction) -> Iterator[Picture]:
        """Yield the pictures from the last keyframe on that is not later than `start` seconds after the first one."""
        if start:
            self._demuxer.seek(self._start + start)
        try:
            for packet in chain(self._demuxer.packets(), [None]):
                for picture in self._decoder.decode(packet):
                    if picture.error and picture.concealed:
                        raise picture.error
                    yield picture
        except BitstreamError as error:
            raise MediaError(f"{self.path} is damaged ({error}); `gvc decode` writes the readable part") from None

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def like(frame: av.VideoFrame, model: av.VideoFrame) -> av.VideoFrame:
    """Convert a frame to the size and sample range of `model`; a frame without a colour matrix gets that of `model`."""
    if int(frame.colorspace) == UNSPECIFIED:
        frame.colorspace = model.colorspace
    full = int(model.color_range) == FULL_RANGE
    fits = frame.format.is_rgb or (int(frame.color_range) == FULL_RANGE) == full
    if fits and (frame.width, frame.height) == (model.width, model.height):
        return frame
    return frame.reformat(
        model.width,
        model.height,
        interpolation=Interpolation.LANCZOS,
        dst_color_range=None if fits else ColorRange.JPEG if full else ColorRange.MPEG,
        threads=REFORMAT_THREADS,
    )


def _gvc_track(path: Path) -> int | None:
    with open_input(path) as container:
        track = gvc_track(container)
        return track.index if track else None
