# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read any video as pictures for the encoder, with the same track, times and conversions as FFmpeg's own program."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from types import TracebackType

import av
import av.filter
import numpy as np

from gvc.errors import MediaError
from gvc.media import Picture, VideoFormat

from .convert import Converter, has_transparency, samples
from .libav import SIDE_DATA, chroma_location, cropping
from .video import VideoReader, ignore

PROGRESSIVE, TOP_FIRST, BOTTOM_FIRST = 1, 4, 5  # Values of AVFieldOrder for frames that hold both fields
# Seconds before a time at which a keyframe before it is looked for. Some files are searched by decoding times, and some
# are entered between keyframes, so the keyframe that is found may be shown too late.
MARGINS = (0, 1, 5, 20)
ALPHA_TAG = "alpha_mode"  # WebM's tag for transparency, which FFmpeg's own VP8 and VP9 decoders ignore


class VideoSource:
    """The main video of a file (gvc_container.video), converted to a format that the encoder takes.

    Args:
        path: file to read; "-" = standard input.
        warn: function called with a sentence for each thing that is lost. Default: no warnings.
        threads: largest number of threads of the track's decoder. Default: 0, as many as there are processors.

    Attributes:
        format: size and colour after conversion; frame rate and time base of the track.
        field_order: order of the fields in the pictures (FFmpeg's AVFieldOrder).
        side_data: side data of the first frame that concerns the whole track, by the names of
            gvc_container.libav.SIDE_DATA.

    Raises MediaError if there is no video that can be decoded.
    """

    def __init__(self, path: str, warn: Callable[[str], None] = ignore, threads: int = 0):
        self._warn, self._transparent, self._noticed = warn, False, set()
        self._reader = VideoReader(path, warn, threads)
        try:
            self._frames = self._reader.frames()
            first = next(self._frames, None)
            if first is None:
                raise MediaError(f"{path} holds no video frame that can be decoded")
            self.side_data = _side_data(first)
            self.field_order = _field_order(first)
            self._check_transparency(first)
            colour = int(first.color_primaries), int(first.color_trc)
            self._converter = Converter(first, cropping(self._reader.track), self._notice)
            self.format = self._describe(*colour)
            self._first = self._picture(self._converter.first, first)
        except BaseException:
            self._reader.close()
            raise

    def _describe(self, color_primaries: int, color_trc: int) -> VideoFormat:
        track, converter = self._reader.track, self._converter
        aspect = Fraction(track.sample_aspect_ratio or 0)
        return VideoFormat(
            converter.first.width,
            converter.first.height,
            frame_rate=track.guessed_rate or track.average_rate or Fraction(25),
            time_base=track.time_base,
            sample_aspect_ratio=1 / aspect if converter.sideways and aspect else aspect,
            color_range=converter.color_range,
            color_primaries=color_primaries,
            color_trc=color_trc,
            colorspace=converter.colorspace,
            chroma_location=chroma_location(track) if converter.samples.halved else 0,
            samples=converter.samples,
        )

    @property
    def path(self) -> str:
        """The file that is read; "-" = standard input."""
        return self._reader.path

    @property
    def damage(self) -> int:
        """Number of errors found after the first frame."""
        return self._reader.damage

    @property
    def components(self) -> set[str]:
        """Names of the demuxer and the decoder, as FFmpeg's messages give them."""
        return self._reader.components

    @property
    def track_index(self) -> int:
        """Index of the track in the file."""
        return self._reader.track.index

    @property
    def other_tracks(self) -> int:
        """Number of tracks in the file beside this video."""
        return self._reader.other_tracks

    @property
    def frames_expected(self) -> int:
        """Expected number of frames; 0 = unknown."""
        return self._reader.track.frames or round(self._reader.seconds * self.format.frame_rate)

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures, with increasing pts. Call this only once."""
        return self._increasing(chain([self._first], map(self._converted, self._frames)))

    def pictures_from(self, pts: int) -> Iterator[Picture]:
        """Yield the pictures from a keyframe before a time on, with increasing pts. Call this only once.

        The pictures are those that `pictures` yields if the file is well-formed. They may differ, and begin too late,
        where its index or its clock is wrong, or where its decoder needs more than a keyframe.

        pts: time in ticks of VideoFormat.time_base.
        Raises MediaError if no keyframe before the time can be sought.
        """
        for margin in MARGINS:
            frames = self._frames_near(pts - round(margin / self.format.time_base))
            first = next((frame for frame in frames if frame.key_frame or _later(frame, pts)), None)
            if first and first.key_frame and first.pts is not None and first.pts <= pts:
                return self._increasing(map(self._converted, chain([first], frames)))
        raise MediaError(f"{self._reader.path} cannot be read from its middle")

    def _frames_near(self, pts: int) -> Iterator[av.VideoFrame]:
        """Return the frames from about a time on; none if the file cannot be sought in."""
        try:
            self._reader.seek(pts)
        except av.error.FFmpegError:
            return iter(())
        return self._reader.frames()

    def _increasing(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Repair times that are missing or do not increase."""
        last, late = None, 0
        nominal = max(1, round(1 / self.format.frame_rate / self.format.time_base))
        for picture in pictures:
            if last is None:
                picture.pts = picture.pts or 0
            elif picture.pts is None:
                picture.pts = last + nominal
            elif picture.pts <= last:
                late += 1
                picture.pts = last + 1
            last = picture.pts
            yield picture
        if late:
            self._warn(f"the times of {late} pictures do not increase; each is shown just after the one before")

    def _converted(self, frame: av.VideoFrame) -> Picture:
        self._check_transparency(frame)
        return self._picture(self._converter.convert(frame), frame)

    def _notice(self, changes: list[str]) -> None:
        if not self._noticed.issuperset(changes):
            self._noticed.update(changes)
            names = " and ".join(changes)
            self._warn(f"the pictures change their {names}; all are converted to what the first one has")

    def _check_transparency(self, frame: av.VideoFrame) -> None:
        if not self._transparent and (self._reader.track.metadata.get(ALPHA_TAG) == "1" or has_transparency(frame)):
            self._transparent = True
            self._warn("transparency is not kept: hidden parts of the pictures become visible")

    def _picture(self, converted: av.VideoFrame, frame: av.VideoFrame) -> Picture:
        planes = (samples(plane, self._converter.samples) for plane in converted.planes)
        return Picture(tuple(np.ascontiguousarray(plane) for plane in planes), frame.pts, frame.duration or 0)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _later(frame: av.VideoFrame, pts: int) -> bool:
    return frame.pts is not None and frame.pts > pts


def _field_order(frame: av.VideoFrame) -> int:
    if not frame.interlaced_frame:
        return PROGRESSIVE
    graph = av.filter.Graph()  # A filter finds the field order, which PyAV's frames do not give
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=Fraction(1))
    graph.link_nodes(source, graph.add("select", "eq(interlace_type,TOPFIRST)"), graph.add("buffersink")).configure()
    graph.vpush(frame)
    graph.vpush(None)
    try:
        graph.vpull()
    except av.error.EOFError:
        return BOTTOM_FIRST
    return TOP_FIRST


def _side_data(frame: av.VideoFrame) -> dict[str, bytes]:
    try:
        return {data.type.name: bytes(data) for data in frame.side_data if data.type.name in SIDE_DATA}
    except ValueError:  # PyAV raises this if it does not know the kind of one entry
        return {}
