# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read the GVC track of a file with plain PyAV, without the FFmpeg plugin and without a model.

Stock libavformat does not know GVC, so the track has no codec context and its CodecPrivate cannot be read. The sequence
header therefore comes from the copy in each keyframe packet.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from types import TracebackType

import av

from gvc.bitstream import SequenceHeader, is_key, parse_sequence_header, read_packet, write_sequence_header
from gvc.errors import BitstreamError, MediaError
from gvc.media import Packet, VideoFormat

from .libav import extradata, field_order, side_data
from .reading import beginning, open_input, timed_packets

CODEC_NAME = "gvc"
SEARCHED_PACKETS = 1000  # Largest number of packets to search for a keyframe


def gvc_track(container: av.container.InputContainer) -> av.VideoStream | None:
    """Return the first track of a file whose codec is unknown to FFmpeg or GVC by the plugin; None if there is none."""
    tracks = container.streams.video
    return next((t for t in tracks if t.codec_context is None or t.codec_context.name == CODEC_NAME), None)


class Demuxer:
    """The first GVC track of a media file.

    Attributes:
        header: bytes of the sequence header.
        sequence: parsed sequence header.
        format: size and colour of the video; its time base is that of the packets.
        format_name: libavformat's name of the container format.
        other_bytes: bytes of payload of the other tracks in the part of the file that `packets` has read.

    Raises MediaError if the file cannot be read or holds no GVC video.
    """

    def __init__(self, path: str | Path):
        self.path = str(path)
        self.other_bytes = 0
        self._container = open_input(path)
        try:
            self._track = self._find_track()
            self._reader = self._read()
            self._head: list[Packet] = []
            self.sequence, start = self._find_header()
            self._first = round((start * self.time_base + self.beginning) / self.time_base)
        except BaseException:
            self._container.close()
            raise
        self.header = write_sequence_header(self.sequence)

    def _find_track(self) -> av.VideoStream:
        track = gvc_track(self._container)
        if track:
            return track
        codecs = ", ".join(stream.codec_context.name for stream in self._container.streams.video)
        raise MediaError(f"{self.path} holds no GVC video ({codecs or 'no video track'})")

    def _find_header(self) -> tuple[SequenceHeader, int]:
        """Return the sequence header, and the time (pts) of the packet with which decoding can start.

        The header of a keyframe counts, since those of containers may be wrong where streams were joined.
        """
        for packet in self._reader:
            self._head.append(packet)
            try:
                unit = read_packet(packet.data)
            except BitstreamError:
                unit = None  # The packet is damaged, but a later keyframe may be intact
            if unit and unit.header:
                return unit.header, packet.pts or 0
            if len(self._head) >= SEARCHED_PACKETS:
                break
        if damaged := next((packet for packet in self._head if is_key(packet.data)), None):
            with suppress(BitstreamError):
                return parse_sequence_header(extradata(self._track)), damaged.pts or 0
        raise MediaError(f"{self.path} holds no intact GVC keyframe")

    def _read(self) -> Iterator[Packet]:
        try:
            for packet in timed_packets(self._container):
                if packet.stream.index != self._track.index:
                    self.other_bytes += packet.size
                elif packet.size:
                    yield Packet(bytes(packet), packet.pts, packet.duration or 0, packet.is_keyframe)
        except av.error.FFmpegError as error:
            raise MediaError(f"{self.path} cannot be read to its end: {error.strerror or error}") from None

    @property
    def beginning(self) -> Fraction:
        """Time in seconds at which the file begins by its own clock; the packets' times begin at zero."""
        return beginning(self._container)

    @property
    def time_base(self) -> Fraction:
        """Seconds for each tick of the packets' pts and duration."""
        return self._track.time_base

    @property
    def format(self) -> VideoFormat:
        return replace(self.sequence.format, time_base=self.time_base)

    @property
    def format_name(self) -> str:
        return self._container.format.name

    @property
    def track_index(self) -> int:
        """Index of the track in the file."""
        return self._track.index

    @property
    def other_tracks(self) -> int:
        """Number of tracks in the file beside this one."""
        return len(self._container.streams) - 1

    @property
    def field_order(self) -> int:
        """Order of the fields in the pictures (gvc_container.libav.field_order)."""
        return field_order(self._track)

    @property
    def side_data(self) -> dict[str, bytes]:
        """Side data of the whole track (gvc_container.libav.side_data)."""
        return side_data(self._track)

    @property
    def duration(self) -> Fraction:
        """Duration that the file gives, in seconds; 0 = unknown."""
        return Fraction(self._container.duration or 0, av.time_base)

    @property
    def frames_expected(self) -> int:
        """Expected number of frames, from the duration; 0 = unknown."""
        return round(self.duration * self._track.average_rate) if self._track.average_rate else 0

    def packets(self) -> Iterator[Packet]:
        """Yield all packets in the order of the file. Call this once, and once more after each `seek`.

        Raises MediaError if reading fails.
        """
        yield from self._head
        self._head = []
        yield from self._reader

    def seek(self, seconds: Fraction) -> None:
        """Continue `packets` at the last keyframe that is not after a time, or at the first keyframe.

        Args:
            seconds: time on the clock of the packets.

        Raises MediaError if the file cannot be sought, such as a pipe.
        """
        tick = max(floor((seconds + self.beginning) / self.time_base), self._first)
        try:
            self._container.seek(tick, stream=self._track)
        except av.error.FFmpegError as error:
            raise MediaError(f"{self.path} cannot be sought: {error.strerror or error}") from None
        self._head, self._reader = [], self._read()

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> "Demuxer":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
