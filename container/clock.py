# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Timing for file formats that store no times of pictures, only a constant frame rate."""

from fractions import Fraction

import av
from av.format import Flags

from gvc.media import VideoFormat

NOMINAL_RATE = Fraction(25)  # Frames a second that are assumed if a video gives no rate


class FrameClock:
    """Assigns each picture to a frame of its own in a video of constant rate.

    Args:
        rate: frames a second.
        tick: resolution of the pictures' times in seconds.
        gaps: whether frames without a picture are allowed.
    """

    def __init__(self, rate: Fraction, tick: Fraction, gaps: bool):
        self._rate, self._tolerance, self._gaps = rate, 2 * tick, gaps
        self._next = self._pictures = self._moved = 0
        self._most = Fraction(0)
        self._origin: Fraction | None = None if not gaps else Fraction(0)

    def place(self, seconds: Fraction | None) -> int:
        """Return the number of the frame for the next picture.

        seconds: time of the picture; None = just after the previous one.
        """
        if self._origin is None:
            self._origin = seconds
        exact = self._next if seconds is None else (seconds - self._origin) * self._rate
        frame = max(self._next, round(exact)) if self._gaps else self._next
        moved = abs(frame - exact) / self._rate
        self._moved += moved > self._tolerance
        self._most = max(self._most, moved)
        self._pictures += 1
        self._next = frame + 1
        return frame

    def warning(self, name: str) -> str | None:
        """Return a sentence if the time of a picture had to change, else None.

        name: name of the file format.
        """
        if not self._moved:
            return None
        return (
            f"{name} stores only a constant frame rate, and the pictures are not evenly spaced: {self._moved} of "
            f"{self._pictures} are shown up to {float(self._most):.3f} s earlier or later; .mkv keeps their times"
        )


def has_times(output: av.container.OutputContainer) -> bool:
    """Return whether a format stores the times of pictures instead of a constant rate."""
    return bool(Flags(output.format.flags) & Flags.variable_fps)


def frame_clock(output: av.container.OutputContainer, video: VideoFormat, gaps: bool = True) -> FrameClock | None:
    """Return a clock for a format that stores no times, None for other formats.

    output: file of that format.
    video: format of the pictures.
    gaps: whether frames without a picture are allowed. Default: they are.
    """
    return None if has_times(output) else FrameClock(video.frame_rate or NOMINAL_RATE, video.time_base, gaps)
