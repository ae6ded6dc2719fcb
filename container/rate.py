# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Duration and bitrate of a video, computed by one rule for all commands that report them."""

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from gvc.errors import MediaError

from .reading import beginning, main_video, open_input, timed_packets


@dataclass(frozen=True)
class Rate:
    """Size and duration of one video track, from the packets of its file.

    file_bytes: bytes of the file.
    video_bytes: bytes of the file without the payload of other tracks.
    frames: number of frames.
    start: time of the first frame in seconds.
    duration: duration in seconds; 0 = unknown.
    """

    file_bytes: int
    video_bytes: int
    frames: int
    start: Fraction
    duration: Fraction

    @property
    def kbps(self) -> float | None:
        """Kilobits a second of the video, with all container overhead; None if the duration is unknown."""
        return float(8 * self.video_bytes / self.duration / 1000) if self.duration else None

    def bpp(self, width: int, height: int) -> float:
        """Return the bits a pixel, with all container overhead."""
        return 8 * self.video_bytes / (width * height * self.frames)


class Tally:
    """Adds up the packets of one video track and the payload of the others."""

    def __init__(self):
        self.frames = self.payload = self.other_bytes = 0
        self._spans: list[tuple[int, int]] = []

    def add(self, size: int, pts: int | None, duration: int | None) -> None:
        """Count a packet of the video, with its size in bytes and its times in ticks."""
        self.frames += 1
        self.payload += size
        if pts is not None:
            self._spans.append((pts, duration or 0))

    def rate(self, path: str | Path, time_base: Fraction, frame_rate: Fraction | None) -> Rate:
        """Return the result.

        Args:
            path: file that holds the video.
            time_base: seconds a tick.
            frame_rate: nominal frames a second, used if the last frame has no duration; None or 0 = unknown.
        """
        (start, _), (last, length) = min(self._spans, default=(0, 0)), max(self._spans, default=(0, 0))
        ending = length * time_base or (1 / frame_rate if frame_rate else Fraction(0))
        # A numbered series of images is no single file; its images hold nothing but payload.
        size = os.path.getsize(path) if os.path.exists(path) else self.payload + self.other_bytes
        duration = (last - start) * time_base + ending if self._spans else Fraction(0)
        return Rate(size, size - self.other_bytes, self.frames, start * time_base, duration)


def scan(path: str | Path, track: int | None = None) -> Rate:
    """Read all packets of a file and return the rate of one video track. Raises MediaError.

    path: file to read.
    track: index of the video track. Default: the main video.
    """
    with open_input(path) as container:
        video = main_video(container) if track is None else container.streams[track]
        if video is None:
            raise MediaError(f"{path} holds no video")
        tally = Tally()
        try:
            for packet in timed_packets(container):
                if packet.stream_index != video.index:
                    tally.other_bytes += packet.size
                elif packet.size:
                    tally.add(packet.size, packet.pts, packet.duration)
        except av.error.FFmpegError as error:
            raise MediaError(f"{path} cannot be read to its end: {error.strerror or error}") from None
        if not tally.frames:
            raise MediaError(f"{path} holds no video frame")
        found = tally.rate(path, video.time_base, video.average_rate)
        return replace(found, start=found.start + beginning(container))
