# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write decoded pictures to a media file."""

import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import av.filter

from gvc.errors import OptionError
from gvc.machine.parallel import PROCESSORS
from gvc.media import Picture, VideoFormat

from .clock import NOMINAL_RATE, frame_clock, has_times
from .convert import samples
from .libav import add_side_data, set_sample_aspect
from .output import MediaOutput, url

H264 = "libx264"
# Codec and its options for each file extension. All are lossless except where players need H.264.
CODECS = {
    ".mkv": ("ffv1", {"level": "3"}),
    ".avi": ("ffv1", {"level": "3"}),
    ".nut": ("ffv1", {"level": "3"}),
    ".mp4": (H264, {"crf": "12", "preset": "fast"}),
    ".mov": (H264, {"crf": "12", "preset": "fast"}),
    ".y4m": ("rawvideo", {}),
}
# Pixel formats that a codec does not have, and the formats that replace them.
YUV_FOR_RGB = {"gbrp": "yuv444p", "gbrp10le": "yuv444p10le"}
STORED = {"ffv1": {"gbrp": "bgr0"}, H264: YUV_FOR_RGB, "rawvideo": YUV_FOR_RGB}
SMPTE170M, LIMITED = 6, 1  # Matrix and range that RGB gets when it is stored as Y'CbCr
SEEKING = (".mp4", ".mov")  # Formats whose muxer returns to the start of the file at the end


class VideoSink(MediaOutput):
    """A video file in the format of its extension (CODECS), or YUV4MPEG2 without an extension.

    Args:
        path: file to write; "-" = standard output.
        video_format: format of the pictures.
        copy_from: file whose content is copied, except for one video track. Default: nothing is copied.
        replaced: index of that track in `copy_from`. Default: its main video.
        field_order: order of the fields in the pictures (FFmpeg's AVFieldOrder). Default: unknown.
        side_data: side data of the whole track by the names of gvc_container.libav.SIDE_DATA. Default: none.
        warn: function called with a sentence for each thing that is left out or changed. Default: warnings.warn.
        threads: largest number of threads of the track's encoder. Default: 0, as many as there are processors.

    Raises OptionError for an unknown extension and for a format that cannot be written to a pipe, OSError if writing
    fails.
    """

    def __init__(
        self,
        path: str | Path,
        video_format: VideoFormat,
        copy_from: str | Path | None = None,
        *,
        replaced: int | None = None,
        field_order: int = 0,
        side_data: Mapping[str, bytes] = MappingProxyType({}),
        warn: Callable[[str], object] = warnings.warn,
        threads: int = 0,
    ):
        extension = Path(path).suffix.lower() or ".y4m"
        if extension not in CODECS:
            raise OptionError(f"{extension} is no known output format; use {', '.join(CODECS)}, or -")
        if extension in SEEKING and Path(path).is_fifo():
            raise OptionError(f"{extension} files cannot be written through a pipe; use .mkv, .nut or .y4m")
        if CODECS[extension][0] == H264 and _halves_odd_sides(video_format):
            size = f"{video_format.width}x{video_format.height}"
            raise OptionError(f"H.264 in 4:2:0 needs an even width and height, and this is {size}; use .mkv")
        self._format, self._threads, file = video_format, min(threads, PROCESSORS), url(path)
        if extension == ".y4m":  # "unofficial" allows FFmpeg's own tag for 10 bits, which the standard lacks
            output = av.open(file, "w", format="yuv4mpegpipe", options={"strict": "unofficial"})
        else:
            output = av.open(file, "w")
        plain = extension == ".y4m"
        super().__init__(
            output,
            lambda: self._add_track(output, *CODECS[extension], field_order, side_data),
            None if plain else copy_from,
            replaced=replaced,
            clock=frame_clock(output, video_format, gaps=not plain),
            side_data=side_data,
            warn=warn,
        )

    def _add_track(
        self,
        output: av.container.OutputContainer,
        codec: str,
        options: dict[str, str],
        field_order: int,
        side_data: Mapping[str, bytes],
    ) -> av.VideoStream:
        video = self._format
        rate = video.frame_rate or NOMINAL_RATE
        stored = STORED[codec].get(video.samples.pix_fmt, video.samples.pix_fmt)
        options = options | {"chroma_sample_location": str(video.chroma_location)}
        track = output.add_stream(codec, rate=rate, options=options, width=video.width, height=video.height)
        add_side_data(track, side_data)
        set_sample_aspect(track, video.sample_aspect_ratio)
        track.pix_fmt = stored
        context = track.codec_context
        context.thread_count = self._threads
        context.field_order = field_order
        context.time_base = video.time_base if has_times(output) else 1 / Fraction(rate)
        if video.sample_aspect_ratio:
            context.sample_aspect_ratio = video.sample_aspect_ratio
        context.color_range, context.colorspace = video.color_range, video.colorspace
        if stored in YUV_FOR_RGB.values() and video.samples.rgb:
            context.color_range, context.colorspace = LIMITED, SMPTE170M
        context.color_primaries, context.color_trc = video.color_primaries, video.color_trc
        self._aspect = _aspect_filter(video, context.time_base) if video.sample_aspect_ratio else None
        self._begun = False
        return track

    def write(self, picture: Picture) -> None:
        """Write the next picture. Raises OSError."""
        video = self._format
        frame = video_frame(picture, video)
        seconds = None if picture.pts is None else picture.pts * video.time_base
        if seconds is not None:
            self._copy_until(seconds)
        if self._clock:
            frame.pts, frame.time_base = self._clock.place(seconds), self._track.codec_context.time_base
        else:
            frame.pts, frame.time_base, frame.duration = picture.pts, video.time_base, picture.duration
        self._begun = True
        if self._aspect:
            self._aspect.vpush(frame)
            frame = self._aspect.vpull()
        frame.color_range, frame.colorspace = video.color_range, video.colorspace
        self._mux(self._track.encode(frame))

    def _drain(self) -> None:
        if self._begun:
            self._mux(self._track.encode(None))


def _halves_odd_sides(video: VideoFormat) -> bool:
    return video.samples.halved and bool(video.width % 2 or video.height % 2)


def video_frame(picture: Picture, video: VideoFormat) -> av.VideoFrame:
    """Return a PyAV frame with the samples of a picture, without times and colour properties."""
    frame = av.VideoFrame(video.width, video.height, video.samples.pix_fmt)
    for plane, source in zip(frame.planes, picture.planes, strict=True):
        samples(plane, video.samples)[:] = source
    return frame


def _aspect_filter(video: VideoFormat, time_base: Fraction) -> av.filter.Graph:
    """Return a filter that sets the sample aspect ratio of frames. FFV1 reads it there, and PyAV cannot set it."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=video.width, height=video.height, format=video.samples.pix_fmt, time_base=time_base)
    graph.link_nodes(source, graph.add("setsar", str(video.sample_aspect_ratio)), graph.add("buffersink")).configure()
    return graph
