"""Ask FFmpeg's muxers what they take, by writing small files in memory: no table of theirs tells all of it."""

import io
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.stream import Stream

from .demux import SEARCHED_PACKETS, open_input
from .libav import add_side_data, copy_parameters, side_data

COMMON_CODEC = "mpeg4"  # that all formats hold which are written here, but for those of bare pictures


def first_packets(path: str | Path) -> dict[int, av.Packet]:
    """Return the first packet of each track that begins soon, by the track's index. Raises MediaError."""
    with open_input(path) as file:
        found: dict[int, av.Packet] = {}
        with suppress(av.error.FFmpegError):  # what can be read counts
            for packet in islice(file.demux(), SEARCHED_PACKETS):
                if packet.size:
                    found.setdefault(packet.stream_index, packet)
                if len(found) == len(file.streams):
                    break
        return found


def takes_track(format_name: str, stream: Stream, sample: av.Packet | None, keep_tag: bool) -> bool:
    """Whether a muxer takes a track: it says so when it writes the head of a file and the track's first packet.

    Args:
        format_name: libavformat's name of the format.
        stream: the track, of an input.
        sample: its first packet, None: unknown.
        keep_tag: as for `copy_parameters`.
    """
    trial = av.open(io.BytesIO(), "w", format=format_name)
    target = trial.add_data_stream()
    copy_parameters(target, stream, keep_tag)
    try:
        trial.start_encoding()
        if sample:
            packet = av.Packet(bytes(sample))
            packet.pts = packet.dts = 0
            packet.is_keyframe, packet.time_base, packet.stream = True, stream.time_base, target
            trial.mux(packet)
    except av.error.FFmpegError:
        return False
    finally:
        with suppress(av.error.FFmpegError):
            trial.close()
    return True


def lost_side_data(format_name: str, given: Mapping[str, bytes]) -> list[str]:
    """Return what of a track's side data (gvc_container.libav.SIDE_DATA) cannot be read back from a file, by name."""
    file = io.BytesIO()
    try:
        _write_picture(file, format_name, given)
    except ValueError:  # a format of bare pictures
        return sorted(given)
    file.seek(0)
    with av.open(file) as trial:
        return sorted(given.keys() - side_data(trial.streams[0]).keys())


def _write_picture(file: io.BytesIO, format_name: str, given: Mapping[str, bytes]) -> None:
    with av.open(file, "w", format=format_name) as trial:
        track = trial.add_stream(COMMON_CODEC, 25, width=16, height=16)
        add_side_data(track, given)
        track.codec_context.time_base = Fraction(1, 25)
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts = 0
        trial.mux([*track.encode(frame), *track.encode(None)])
