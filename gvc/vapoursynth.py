# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A source for VapourSynth, which asks for frames by number, in any order and from several threads.

    from gvc.vapoursynth import source

    source("film.mkv").set_output()

It needs neither `gvc run` nor another source filter. Frames are found by an index of the file's packets and decoded
from the keyframe before, by an engine process, as in all programs that use GVC through FFmpeg.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from itertools import dropwhile, pairwise
from os import PathLike
from threading import Lock

import av
import numpy as np
import vapoursynth as vs
from gvc_container.clock import NOMINAL_RATE
from gvc_container.demux import Demuxer
from gvc_container.libav_log import ErrorLog

from . import av as _registers_the_codec  # noqa: F401
from .errors import MediaError
from .media import FULL_RANGE, VideoFormat
from .options import DECODER_OPTIONS, parse_options

KEPT_BYTES = 1 << 28  # Memory for decoded frames that may be asked for again
KEPT_FRAMES = 32  # Number of frames that are kept even if they need more memory
RED_FIRST = (2, 0, 1)  # Places of R, G and B among FFmpeg's planes, which are G, B, R


class _Film:
    """The frames of one file by number. Any thread may ask for one; threads take turns.

    path: file to read. options: values of the decoder's options by name.
    Raises MediaError.
    """

    def __init__(self, path: str | PathLike[str], options: dict[str, object]):
        self._path, self._demuxer = path, Demuxer(path)
        self.format = self._demuxer.format
        packets = list(dropwhile(lambda packet: not packet.key, self._demuxer.packets()))
        self._times = [packet.pts for packet in packets]
        if None in self._times or any(later <= earlier for earlier, later in pairwise(self._times)):
            raise MediaError(f"the pictures of {path} cannot be numbered, since their times are missing or do not rise")
        self._numbers = {time: number for number, time in enumerate(self._times)}
        self._keys = [number for number, packet in enumerate(packets) if packet.key]
        self._codec = av.CodecContext.create("gvc", "r")
        self._codec.extradata = self._demuxer.header
        self._codec.thread_type = "AUTO"  # The next GOP is decoded while the frames of one are used
        self._codec.options = {name: str(value) for name, value in options.items()}
        self._lock = Lock()
        self._coming: Iterator[av.VideoFrame] = iter(())
        self._next = len(self)  # Number of the frame that comes next, or the number of all if none does
        self._kept: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self._most = max(KEPT_FRAMES, KEPT_BYTES // _bytes_of(self.format))

    def __len__(self) -> int:
        return len(self._times)

    def frame(self, number: int) -> av.VideoFrame:
        """Return a frame. Raises MediaError if it cannot be decoded, or is not like the film's first one."""
        with self._lock:
            if number not in self._kept:
                with ErrorLog() as log, suppress(av.FFmpegError):  # The log says more than such an error
                    self._decode(number)
            if number not in self._kept:
                reasons = "; ".join(log.take({"gvc"})) or "it is missing"
                raise MediaError(f"picture {number} of {self._path} cannot be decoded: {reasons}")
            frame = self._kept[number]
        kind, first = (frame.width, frame.height, frame.format.name), self.format
        if kind != (first.width, first.height, first.samples.pix_fmt):
            raise MediaError(f"{self._path} was joined from videos of different kinds: picture {number} is {kind}")
        return frame

    def _decode(self, number: int) -> None:
        """Decode up to a frame, from the keyframe before it or, if that is nearer, from where decoding has come to."""
        key = self._keys[bisect_right(self._keys, number) - 1]
        if not key <= self._next <= number:
            self._demuxer.seek(self._times[key] * self.format.time_base)
            self._codec.flush_buffers()
            self._coming = self._frames()
        self._next = len(self)
        for frame in self._coming:
            self._keep(self._numbers[frame.pts], frame)
            if self._numbers[frame.pts] >= number:
                self._next = self._numbers[frame.pts] + 1
                return

    def _frames(self) -> Iterator[av.VideoFrame]:
        for packet in self._demuxer.packets():
            coded = av.Packet(packet.data)
            coded.pts, coded.duration, coded.time_base = packet.pts, packet.duration, self.format.time_base
            with suppress(av.error.InvalidDataError):  # Later packets may be good
                yield from self._codec.decode(coded)
        yield from self._codec.decode(None)

    def _keep(self, number: int, frame: av.VideoFrame) -> None:
        self._kept[number] = frame
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _bytes_of(video: VideoFormat) -> int:
    return sum(height * width for height, width in video.plane_shapes) * video.samples.dtype.itemsize


def _layout(video: VideoFormat) -> vs.VideoFormat:
    """Return VapourSynth's format of a video's samples. Raises MediaError if it has none."""
    samples = video.samples
    if samples.halved and (video.width % 2 or video.height % 2):
        raise MediaError(
            f"VapourSynth has no 4:2:0 pictures of {video.width}x{video.height}; scale them to an even size or convert "
            "them to yuv444p, by gvc ffmpeg"
        )
    halved = int(samples.halved)
    return vs.core.query_video_format(vs.RGB if samples.rgb else vs.YUV, vs.INTEGER, samples.depth, halved, halved)


def _fill(target: vs.VideoFrame, frame: av.VideoFrame, video: VideoFormat) -> None:
    """Copy the samples of a frame into a frame of VapourSynth, and describe it there."""
    planes = [frame.planes[i] for i in RED_FIRST] if video.samples.rgb else frame.planes
    for i, plane in enumerate(planes):
        lines = np.frombuffer(plane, video.samples.dtype).reshape(plane.height, -1)
        np.copyto(np.asarray(target[i]), lines[:, : plane.width])
    shown = frame.duration * video.time_base if frame.duration else 1 / (video.frame_rate or NOMINAL_RATE)
    aspect = video.sample_aspect_ratio or 1
    target.props.update(
        _AbsoluteTime=float(frame.pts * video.time_base),
        _DurationNum=shown.numerator,
        _DurationDen=shown.denominator,
        _SARNum=aspect.numerator,
        _SARDen=aspect.denominator,
        _Matrix=vs.MATRIX_RGB if video.samples.rgb else video.colorspace,
        _Primaries=video.color_primaries,
        _Transfer=video.color_trc,
        _Range=vs.RANGE_FULL if video.samples.rgb or video.color_range == FULL_RANGE else vs.RANGE_LIMITED,
        _FieldBased=vs.FIELD_PROGRESSIVE,
        _PictType="I" if frame.key_frame else "P",
        gvc_concealed=int(frame.is_corrupt),
    )
    if video.samples.halved and video.chroma_location:
        target.props["_ChromaLocation"] = video.chroma_location - 1  # FFmpeg counts from 1, for 0 is unspecified


def source(path: str | PathLike[str], **options: object) -> vs.VideoNode:
    """Return the pictures of a file with GVC video as a clip, which has as many frames as the file has packets.

    The clip has the sample format of the film and its nominal frame rate. The frames' properties say when and how long
    each one is shown, its colour, and in `gvc_concealed` whether it stands in for one that was lost.

    Args:
        path: file to read.
        options: values of the decoder's options by name, such as realism=1. Default: the options' defaults.

    Raises OptionError, and MediaError for a file that holds no GVC video or whose pictures VapourSynth cannot take.
    Asking for a frame that cannot be decoded raises vapoursynth.Error.
    """
    parse_options(DECODER_OPTIONS, options)  # PyAV would pass over unknown ones
    film = _Film(path, options)
    video = film.format
    rate = video.frame_rate or NOMINAL_RATE
    blank = vs.core.std.BlankClip(
        width=video.width,
        height=video.height,
        format=_layout(video).id,
        length=len(film),
        fpsnum=rate.numerator,
        fpsden=rate.denominator,
        keep=True,
    )

    def filled(n: int, f: vs.VideoFrame) -> vs.VideoFrame:  # VapourSynth demands these names
        target = f.copy()
        _fill(target, film.frame(n), video)
        return target

    return blank.std.ModifyFrame(blank, filled)
