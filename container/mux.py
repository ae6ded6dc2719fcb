# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write GVC packets to a file. The track's codec id comes from the FFmpeg plugin (`gvc.av`); no engine is started."""

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import av
from av.container.core import Flags

import gvc.av  # noqa: F401  The import registers the codec
from gvc.errors import MediaError
from gvc.media import Packet, VideoFormat

from .clock import NOMINAL_RATE, frame_clock, has_times
from .demux import CODEC_NAME
from .libav import add_side_data, set_sample_aspect
from .output import MediaOutput, url
from .span import WHOLE, Span

FORMATS = ("matroska", "avi", "nut")  # libavformat's names of the formats that can hold GVC
# The space that AVI's index of indexes takes in each file: enough for 64 GiB, a quarter of FFmpeg's default.
MUXER_OPTIONS = {"avi": {"reserve_index_space": str(24 + 64 * 16)}}
REASONS = {
    "mp4": "MP4 has no registered name for it",
    "webm": "WebM is for VP8, VP9 and AV1 alone",
    "mov": "it can be put there by `gvc ffmpeg -i film.mkv -c copy film.mov`",
    "mpegts": "MPEG-TS has no stream type for it, so nobody could read it back",
}


class Muxer(MediaOutput):
    """A media file with one GVC track.

    Args:
        path: file to write, whose extension decides the container format (.mkv); "-" = standard output.
        header: sequence header.
        video_format: format that the encoder was given; its time base is that of the packets.
        copy_from: file whose content is copied, except for one video track. Default: nothing is copied.
        container_format: libavformat's name of the container format. Default: the extension's, Matroska without one.
        replaced: index of the video track in `copy_from` that is not copied. Default: its main video.
        field_order: order of the fields in the pictures (FFmpeg's AVFieldOrder). Default: unknown.
        side_data: side data of the whole track by the names of gvc_container.libav.SIDE_DATA. Default: none.
        span: part of `copy_from` that is copied. Default: all of it.
        warn: function called with a sentence for each thing that is left out or changed. Default: warnings.warn.

    Raises MediaError if the format cannot hold GVC, OSError if the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        header: bytes,
        video_format: VideoFormat,
        copy_from: str | Path | None = None,
        *,
        container_format: str | None = None,
        replaced: int | None = None,
        field_order: int = 0,
        side_data: Mapping[str, bytes] = MappingProxyType({}),
        span: Span = WHOLE,
        warn: Callable[[str], object] = warnings.warn,
    ):
        self._format, self._field_order = video_format, field_order
        if not Path(path).suffix:
            container_format = container_format or "matroska"
        try:
            output = av.open(url(path), "w", format=container_format)
        except ValueError:
            raise MediaError(f"{Path(path).suffix or path} is no known file format; use .mkv") from None
        name = output.format.name
        if name not in FORMATS:
            output.close()
            reason = REASONS.get(name, f"the format {name} has no place for it")
            raise MediaError(f"{Path(path).suffix or path} files cannot hold GVC video here: {reason}; use .mkv")
        output.container_options.update(MUXER_OPTIONS.get(name, {}))
        output.flags |= Flags.bitexact.value  # No random numbers and no version: the same packets make the same file
        self._tick = video_format.time_base if has_times(output) else 1 / (video_format.frame_rate or NOMINAL_RATE)
        super().__init__(
            output,
            lambda: self._add_track(output, header, side_data),
            copy_from,
            replaced=replaced,
            clock=frame_clock(output, video_format),
            side_data=side_data,
            span=span,
            warn=warn,
        )

    def _add_track(
        self, output: av.container.OutputContainer, header: bytes, side_data: Mapping[str, bytes]
    ) -> av.VideoStream:
        """Add a track with parameters but without an encoder, as PyAV makes it from a template."""
        video = self._format
        with av.open(io.BytesIO(), "w", format="matroska") as scratch:
            template = scratch.add_stream(
                CODEC_NAME,
                rate=video.frame_rate or None,
                width=video.width,
                height=video.height,
                time_base=self._tick,
            )
            try:
                track = output.add_stream_from_template(template)
            except ValueError:
                kind = Path(output.name).suffix or output.format.name
                raise MediaError(f"{kind} files cannot hold video; use .mkv") from None
        add_side_data(track, side_data)
        set_sample_aspect(track, video.sample_aspect_ratio)
        context = track.codec_context
        context.extradata = header
        if video.sample_aspect_ratio:
            context.sample_aspect_ratio = video.sample_aspect_ratio
        context.color_range = video.color_range
        context.color_primaries = video.color_primaries
        context.color_trc = video.color_trc
        context.colorspace = video.colorspace
        context.field_order = self._field_order
        return track

    def write(self, packet: Packet) -> None:
        """Write the next packet, which must have a pts. Raises OSError."""
        seconds = packet.pts * self._format.time_base
        self._copy_until(seconds)
        coded = av.Packet(packet.data)
        if self._clock:
            coded.pts, coded.duration = self._clock.place(seconds), 1
        else:
            coded.pts, coded.duration = packet.pts, packet.duration
        coded.dts, coded.time_base = coded.pts, self._tick
        coded.is_keyframe, coded.stream = packet.key, self._track
        self._mux(coded)
