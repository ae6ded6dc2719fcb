# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read media files as FFmpeg's own program does: its choice of a video track and its corrections of times."""

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
MICROSECONDS = 10**6  # One second in the unit of FFmpeg's corrections
JUMP = 10 * MICROSECONDS  # Smallest forward step that counts as a jump of the clock (-dts_delta_threshold)
STEP_BACK = MICROSECONDS // 10  # Smallest backward step that counts as a jump of the clock
IMPOSSIBLE = 30 * 3600 * MICROSECONDS  # Step from which on a time is taken as wrong (-dts_error_threshold)
TIMED = ("audio", "video")  # Kinds of tracks whose times can show a jump of the clock
# Bonus, in pixels, of a film over a still and of a default track, in FFmpeg's choice of the largest video track.
FILM_BONUS, DEFAULT_BONUS = 100_000_000, 5_000_000


def _as_latin1(error: UnicodeDecodeError) -> tuple[str, int]:
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("gvc_latin1", _as_latin1)


def open_input(path: str | Path) -> av.container.InputContainer:
    """Open a media file for reading, or standard input if `path` is "-". Raises MediaError.

    Bytes of tags that are not valid UTF-8 are read as Latin-1, so that old files can be read without loss.
    """
    name = str(path)
    if name == STDIN:
        name = "pipe:0"
    elif os.path.exists(name):
        name = os.path.abspath(name)  # FFmpeg would take a relative name with a colon for a protocol
    try:
        return av.open(name, metadata_errors="gvc_latin1")
    except av.error.FFmpegError as error:
        raise MediaError(f"{path} cannot be read as a media file: {error.strerror or error}") from None


def is_cover(stream: av.VideoStream) -> bool:
    """Return whether a video track is a cover or a set of thumbnails."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def main_video(container: av.container.InputContainer) -> av.VideoStream | None:
    """Return the video track that FFmpeg's program chooses, covers aside; None if there is none."""
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    return max(films, key=_merit, default=None)


def _merit(stream: av.VideoStream) -> int:
    coder = stream.codec_context
    area = coder.width * coder.height if coder else 0
    return area + FILM_BONUS * (stream.frames != 1) + DEFAULT_BONUS * bool(stream.disposition & Disposition.default)


def beginning(container: av.container.InputContainer) -> Fraction:
    """Return the time in seconds at which a file begins by its own clock. Timeline shifts it to zero."""
    return Fraction(container.start_time or 0, MICROSECONDS)


def _may_jump(container: av.container.InputContainer) -> bool:
    """Return whether the clock of a file's format may jump, as it does where recordings are joined."""
    return bool(FormatFlags(container.format.flags) & FormatFlags.ts_discont)


class CorruptPackets:
    """Counts packets that the demuxer marks as incomplete.

    Attributes:
        count: number of such packets.
        certain: whether they mean damage. In some formats they also occur where recordings are joined.
    """

    def __init__(self, container: av.container.InputContainer):
        self.count, self.certain = 0, not _may_jump(container)

    def add(self, packet: av.Packet) -> None:
        """Count a packet if it is marked."""
        self.count += packet.is_corrupt

    def sentence(self, name: str) -> str:
        """Return a warning about the packets, which it calls `name`."""
        return f"{self.count} {name} are corrupt" + ("" if self.certain else ", or recordings are joined there")


class Timeline:
    """The corrections that FFmpeg's program makes to the times of a file, the same for all its tracks.

    The file begins at zero. In formats whose clock may jump (MPEG-TS and PS, Ogg), as where files were joined, jumps
    are removed. In other formats impossible times are dropped.

    Attributes:
        jumps: whether the clock may jump; then the packets of all tracks must be passed to `correct`.
    """

    def __init__(self, container: av.container.InputContainer):
        self.jumps = _may_jump(container)
        self._offset = -(container.start_time or 0)  # Microseconds to add to all times
        self._latest: int | None = None  # dts of the previous packet of any track, in microseconds
        self._clocks = {stream.index: _Clock(stream) for stream in container.streams}

    def shift(self, stream: av.stream.Stream) -> int:
        """Return the number of ticks of a track that are added to its times now."""
        return self._clocks[stream.index].ticks(self._offset)

    def correct(self, packet: av.Packet) -> None:
        """Correct pts and dts of a packet. Packets must come in the order of the file."""
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
        """Remove a jump of the clock and return its size in microseconds; 0 = no jump."""
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
    """The state of one track's clock, in microseconds."""

    def __init__(self, stream: av.stream.Stream):
        self.timed = stream.type in TIMED
        self.last: int | None = None  # dts of the previous packet
        self.expected: int | None = None  # Expected dts of the next packet
        self._num, self._den = stream.time_base.numerator * MICROSECONDS, stream.time_base.denominator
        self._length = _packet_length(stream)  # Duration of packets that give none

    def microseconds(self, ticks: int) -> int:
        return (2 * ticks * self._num + self._den) // (2 * self._den)

    def ticks(self, microseconds: int) -> int:
        return (2 * microseconds * self._den + self._num) // (2 * self._num)

    def advance(self, now: int | None, duration: int | None) -> None:
        """Advance past a packet.

        now: dts in microseconds; None = unknown.
        duration: duration in ticks; None or 0 = unknown.
        """
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
    """Yield packets in the order of the file, empty ones included, with FFmpeg's corrected times. Raises FFmpegError.

    Args:
        container: file to read.
        wanted: tracks whose packets are needed. Default: all. If the clock may jump, packets of all tracks come.
    """
    timeline = Timeline(container)
    for packet in container.demux() if timeline.jumps else container.demux(*wanted):
        if packet.size or packet.dts is not None:  # PyAV adds empty packets without times at the end
            timeline.correct(packet)
            yield packet
