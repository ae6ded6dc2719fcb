# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Find out what FFmpeg's muxers can store by writing small files in memory, because no table of FFmpeg tells it all."""

import io
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.stream import Stream

from .demux import SEARCHED_PACKETS
from .libav import SIDE_DATA, add_side_data, copy_parameters, side_data
from .reading import open_input

COMMON_CODEC = "mpeg4"  # Codec that all output formats can hold except those of raw pictures


def first_packets(path: str | Path) -> dict[int, av.Packet]:
    """Return the first packet of each track, by the track's index. Raises MediaError.

    Tracks that begin after the first SEARCHED_PACKETS packets are missing.
    """
    with open_input(path) as file:
        found: dict[int, av.Packet] = {}
        with suppress(av.error.FFmpegError):  # Packets before an error are enough
            for packet in islice(file.demux(), SEARCHED_PACKETS):
                if packet.size:
                    found.setdefault(packet.stream_index, packet)
                if len(found) == len(file.streams):
                    break
        return found


def keeps_track(format_name: str, stream: Stream, sample: av.Packet | None, keep_tag: bool) -> bool:
    """Return whether a format keeps a track: its muxer takes the track's first packet, and the result can be read.

    Args:
        format_name: libavformat's name of the format.
        stream: track of an input.
        sample: first packet of the track; None = unknown.
        keep_tag: whether to keep the input's codec tag (copy_parameters).
    """
    file = io.BytesIO()
    try:
        _write_packet(file, format_name, stream, sample, keep_tag)
    except av.error.FFmpegError:
        return False
    return not sample or not _is_decodable(stream) or _has_decodable_track(file)


def _write_packet(file: io.BytesIO, format_name: str, stream: Stream, sample: av.Packet | None, keep_tag: bool) -> None:
    trial = av.open(file, "w", format=format_name)
    target = trial.add_data_stream()
    copy_parameters(target, stream, keep_tag)
    try:
        trial.start_encoding()
        if sample:
            packet = av.Packet(bytes(sample))
            packet.pts = packet.dts = 0
            packet.is_keyframe, packet.time_base, packet.stream = True, stream.time_base, target
            trial.mux(packet)
    finally:
        with suppress(av.error.FFmpegError):
            trial.close()


def _has_decodable_track(file: io.BytesIO) -> bool:
    file.seek(0)
    try:
        with av.open(file) as trial:
            return any(map(_is_decodable, trial.streams))
    except av.error.FFmpegError:
        return False


def _is_decodable(stream: Stream) -> bool:
    """Return whether FFmpeg has a decoder for a track, and for audio whether the file has all that it needs to open."""
    if stream.codec_context and stream.type == "audio":
        try:
            stream.codec_context.open(strict=False)
        except (av.error.FFmpegError, ValueError):
            return False
    return stream.codec_context is not None


def lost_side_data(format_name: str, given: Mapping[str, bytes]) -> list[str]:
    """Return the names of a track's side data (gvc_container.libav.SIDE_DATA) that a file of the format does not keep.

    format_name: libavformat's name of the format.
    given: side data by name.
    """
    known = SIDE_DATA.keys() & given.keys()
    if not known:
        return []
    file = io.BytesIO()
    try:
        _write_picture(file, format_name, given)
    except ValueError:  # The format holds only raw pictures
        return sorted(known)
    file.seek(0)
    with av.open(file) as trial:
        return sorted(known - side_data(trial.streams[0]).keys())


def _write_picture(file: io.BytesIO, format_name: str, given: Mapping[str, bytes]) -> None:
    with av.open(file, "w", format=format_name) as trial:
        track = trial.add_stream(COMMON_CODEC, 25, width=16, height=16)
        add_side_data(track, given)
        track.codec_context.time_base = Fraction(1, 25)
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts = 0
        trial.mux([*track.encode(frame), *track.encode(None)])
