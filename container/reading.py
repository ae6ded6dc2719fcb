# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read media files as FFmpeg's own program does: which track it takes of several, and where and how its clock runs."""

import codecs
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.format import Flags as FormatFlags
from av.stream import Disposition

from gvc.errors import MediaError

STDIN = "-"
MICROSECONDS = 10**6  # a second; the unit of FFmpeg's corrections
JUMP = 10 * MICROSECONDS  # a step of the clock that is closed (-dts_delta_threshold)
STEP_BACK = MICROSECONDS // 10  # the same, backwards
IMPOSSIBLE = 30 * 3600 * MICROSECONDS  # a step after which a time is not believed (-dts_error_threshold)
TIMED = ("audio", "video")  # kinds of tracks that have a clock
# FFmpeg's own choice of a video track: the largest picture, but a default track before that, and a film before a still.
FILM, DEFAULT_TRACK = 100_000_000, 5_000_000


def _as_latin1(error: UnicodeDecodeError) -> tuple[str, int]:
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("gvc_latin1", _as_latin1)


def open_input(path: str | Path) -> av.container.InputContainer:
    """Open a media file for reading, or standard input if `path` is "-". Raises MediaError.

    Bytes of tags that are not UTF-8 are taken as Latin-1, so that old files can be read and nothing of them is lost.
    """
    name = str(path)
    if name == STDIN:
        name = "pipe:0"
    elif os.path.exists(name):
        name = os.path.abspath(name)  # a colon in it is no protocol
    try:
        return av.open(name, metadata_errors="gvc_latin1")
    except av.error.FFmpegError as error:
        raise MediaError(f"{path} cannot be read as a media file: {error.strerror or error}") from None


def is_cover(stream: av.VideoStream) -> bool:
    """Whether a video track is the picture on a film's box."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def main_video(container: av.container.InputContainer) -> av.VideoStream | None:
    """The video track that FFmpeg takes of several, never a cover; None if there is none."""
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    return max(films, key=_merit, default=None)


def _merit(stream: av.VideoStream) -> int:
    coder = stream.codec_context
    area = coder.width * coder.height if coder else 0
    return area + FILM * (stream.frames != 1) + DEFAULT_TRACK * bool(stream.disposition & Disposition.default)


def beginning(container: av.container.InputContainer) -> Fraction:
    """Seconds at which a file begins by its own clock; Timeline makes it zero."""
    return Fraction(container.start_time or 0, MICROSECONDS)


def _may_jump(container: av.container.InputContainer) -> bool:
    """Whether a file's format allows that its clock jumps, as it does where recordings are joined."""
    return bool(FormatFlags(container.format.flags) & FormatFlags.ts_discont)


class CorruptPackets:
    """Counts packets of which a file has a part only, or so its demuxer says.

    Attributes:
        count: their number.
        certain: whether that is damage; some demuxers say the same where recordings are joined.
    """

    def __init__(self, container: av.container.InputContainer):
        self.count, self.certain = 0, not _may_jump(container)

    def add(self, packet: av.Packet) -> None:
        """Take a packet into account."""
        self.count += packet.is_corrupt

    def sentence(self, name: str) -> str:
        """Return a warning; `name` is that of the packets."""
        return f"{self.count} {name} are corrupt" + ("" if self.certain else ", or recordings are joined there")


class Timeline:
    """The corrections that FFmpeg's program makes to the times of a file, the same ones for all its tracks.

    The file begins at zero. Where its format allows that the clock jumps (MPEG-TS and PS, Ogg), as in recordings and
    where files were joined, the jump is closed; in other formats, times that cannot be true are dropped.

    Attributes:
        jumps: whether the clock may jump; packets of all tracks are to be seen then.
    """

    def __init__(self, container: av.container.InputContainer):
        self.jumps = _may_jump(container)
        self._offset = -(container.start_time or 0)  # microseconds
        self._latest: int | None = None  # dts of the packet before, of any track
        self._clocks = {stream.index: _Clock(stream) for stream in container.streams}

    def correct(self, packet: av.Packet) -> None:
        """Change pts and dts of the next packet, in the order of the file."""
        clock = self._clocks[packet.stream_index]
        now = None if packet.dts is None else clock.microseconds(packet.dts) + self._offset
        if clock.timed and now is not None:
            if self.jumps:
                now -= self._close_jump(clock, now)
            elif clock.expected is not None and abs(now - clock.expected) > IMPOSSIBLE:
                packet.dts = now = None
        shift = clock.ticks(self._offset)
        if packet.pts is not None:
            shown = clock.microseconds(packet.pts) + self._offset
            doubtful = clock.timed and not self.jumps and clock.expected is not None
            packet.pts = None if doubtful and abs(shown - clock.expected) > IMPOSSIBLE else packet.pts + shift
        if packet.dts is not None:
            packet.dts += shift
            self._latest = now
        clock.advance(now, packet.duration)

    def _close_jump(self, clock: "_Clock", now: int) -> int:
        """Return by how many microseconds the clock has jumped, 0 if it has not."""
        expected = self._latest if clock.expected is None else clock.expected
        if expected is None:
            return 0
        delta = now - expected
        back = clock.last is not None and now + STEP_BACK < clock.last
        if abs(delta) <= JUMP and not back:
            return 0
        self._offset -= delta
        return delta


class _Clock:
    """Where one track is in time, in microseconds."""

    def __init__(self, stream: av.stream.Stream):
        self.timed = stream.type in TIMED
        self.last: int | None = None  # dts of the packet before
        self.expected: int | None = None  # dts of the next one
        self._num, self._den = stream.time_base.numerator * MICROSECONDS, stream.time_base.denominator
        self._length = _packet_length(stream)  # where a packet has none itself

    def microseconds(self, ticks: int) -> int:
        return (2 * ticks * self._num + self._den) // (2 * self._den)

    def ticks(self, microseconds: int) -> int:
        return (2 * microseconds * self._den + self._num) // (2 * self._num)

    def advance(self, now: int | None, duration: int | None) -> None:
        """Take a packet into account; `duration` is in ticks."""
        if now is not None:
            self.last = self.expected = now
        if self.expected is not None:
            self.expected += self.microseconds(duration) if duration else self._length


def _packet_length(stream: av.stream.Stream) -> int:
    coder = stream.codec_context
    if coder is None:
        return 0
    if stream.type == "audio" and coder.sample_rate:
        return MICROSECONDS * coder.frame_size // coder.sample_rate
    return round(MICROSECONDS / coder.framerate) if stream.type == "video" and coder.framerate else 0


def timed_packets(container: av.container.InputContainer, *wanted: av.stream.Stream) -> Iterator[av.Packet]:
    """Yield packets in the order of the file, with FFmpeg's times; empty ones too. Raises FFmpegError.

    Args:
        container: the file.
        wanted: the tracks whose packets are needed, default: all. Others come too where the clock may jump.
    """
    timeline = Timeline(container)
    for packet in container.demux() if timeline.jumps else container.demux(*wanted):
        if packet.size or packet.dts is not None:  # others are PyAV's own, at the end
            timeline.correct(packet)
            yield packet
