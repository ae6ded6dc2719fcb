# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decode the video of any file as FFmpeg's own program does, and report damage."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import Flags

from gvc.errors import MediaError
from gvc.machine.parallel import PROCESSORS

from .reading import CorruptPackets, Timeline, main_video, open_input, timed_packets


def ignore(text: str) -> None:
    """Ignore a warning."""


class VideoReader:
    """Decoder of the main video track of a file, which is the one that FFmpeg's program chooses.

    Packets that cannot be decoded are skipped and counted; the rest of the file is still read.

    Args:
        path: file to read; "-" = standard input.
        warn: function called with a sentence for each thing that is lost. Default: no warnings.
        threads: largest number of threads of the decoder. Default: 0, as many as there are processors.

    Attributes:
        track: PyAV's stream.
        components: names of the demuxer and the decoder, as FFmpeg's messages give them.
        other_tracks: number of tracks in the file beside this one.
        damage: number of errors found after the first frame. Earlier ones are normal, because a recording may start
            between two keyframes.

    Raises MediaError if there is no video with a known codec.
    """

    def __init__(self, path: str | Path, warn: Callable[[str], None] = ignore, threads: int = 0):
        self.path, self._warn = path, warn
        self.damage = self._packets = self._undecodable = self._end = 0
        self._whole = True  # Whether the file is read from its beginning to its end
        self._container = open_input(path)
        try:
            self._container.flags &= ~Flags.gen_pts.value  # PyAV sets this flag and FFmpeg's program does not
            track = main_video(self._container)
            if track is None:
                raise MediaError(f"{path} holds no video")
            if track.codec_context is None:
                raise MediaError(f"{path} holds video in an unknown format")
        except BaseException:
            self._container.close()
            raise
        self.track, self._corrupt = track, CorruptPackets(self._container)
        self.track.thread_type = "AUTO"
        self.track.codec_context.thread_count = min(threads, PROCESSORS)
        self.components = {self._container.format.name, track.codec_context.name}
        self.other_tracks = len(self._container.streams) - 1

    @property
    def seconds(self) -> float:
        """Duration that the file gives, in seconds; 0 = unknown."""
        return (self._container.duration or 0) / av.time_base

    def seek(self, pts: int) -> None:
        """Continue near a time, as a rule at a keyframe before it; call `frames` again. Raises FFmpegError.

        pts: time in ticks of the track, as `frames` gives it where the clock of the file does not jump.
        """
        self._whole = False
        shift = Timeline(self._container).shift(self.track)
        self._container.seek(pts - shift, stream=self.track)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield all frames, after `seek` those from there on; call this only once, and once more after each `seek`.

        Their pts are FFmpeg's best estimates, None = unknown.
        """
        times, begun = _BestEffort(), False
        for packet in self._packets_and_end():
            try:
                frames = self.track.decode(packet)
            except av.error.FFmpegError:
                self._undecodable += begun
                continue
            begun = begun or bool(frames)
            for frame in frames:
                self.damage += frame.is_corrupt
                frame.pts = times.of(frame)
                yield frame
        if self._corrupt.count:
            self.damage += self._corrupt.certain
            self._warn(f"{self.path}: {self._corrupt.sentence('packets of the video')}")
        if self._undecodable:
            self._complain(f"{self._undecodable} packets cannot be decoded")

    def _packets_and_end(self) -> Iterator[av.Packet | None]:
        """Yield the packets of the track that are not empty, then None for the end."""
        try:
            for packet in timed_packets(self._container, self.track):
                if packet.stream_index == self.track.index:
                    self._packets += 1
                    self._end = packet.dts or 0
                    self._corrupt.add(packet)
                    if packet.size:  # An empty packet repeats the picture before
                        yield packet
            if self._whole and self._ends_early():
                self._complain(f"it ends after {self._packets} of {self.track.frames} frames")
        except av.error.FFmpegError as error:
            self._complain(f"it cannot be read to its end ({error.strerror or error})")
        yield None

    def _ends_early(self) -> bool:
        """Return whether there are fewer frames than the file says. AVI also counts instants without a frame."""
        rate = self.track.average_rate
        instants = self._end * self.track.time_base * rate + 1 if rate else 0
        return max(self._packets, instants) < self.track.frames - 1

    def _complain(self, text: str) -> None:
        self.damage += 1
        self._warn(f"{self.path} is damaged: {text}")

    def close(self) -> None:
        """Close the decoder, whose threads may wait for Python's lock to log messages, then the file."""
        self.track.codec_context.flush_buffers()
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _BestEffort:
    """FFmpeg's estimate of a frame's time: its pts or its dts, whichever has failed to increase less often so far."""

    def __init__(self):
        self._last_pts = self._last_dts = float("-inf")
        self._wrong_pts = self._wrong_dts = 0

    def of(self, frame: av.VideoFrame) -> int | None:
        """Return the estimated time of the next frame in ticks of its track; None = unknown."""
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self._wrong_dts += dts <= self._last_dts
        if pts is not None:
            self._wrong_pts += pts <= self._last_pts
        self._last_dts = self._last_dts if dts is pts is None else pts if dts is None else dts
        self._last_pts = self._last_pts if dts is pts is None else dts if pts is None else pts
        return pts if pts is not None and (dts is None or self._wrong_pts <= self._wrong_dts) else dts
