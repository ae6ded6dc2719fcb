# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The clock of file formats that know no times of pictures, only a constant frame rate."""

from fractions import Fraction

import av
from av.format import Flags

from gvc.media import VideoFormat

NOMINAL_RATE = Fraction(25)  # frames a second, where a video does not say it


class FrameClock:
    """Places pictures on the frames of a constant rate, each on one of its own.

    Args:
        rate: frames a second.
        tick: seconds that the pictures' times are exact to.
        gaps: whether frames may stay empty where no picture is.
    """

    def __init__(self, rate: Fraction, tick: Fraction, gaps: bool):
        self._rate, self._tolerance, self._gaps = rate, 2 * tick, gaps
        self._next = self._pictures = self._moved = 0
        self._most = Fraction(0)
        self._origin: Fraction | None = None if not gaps else Fraction(0)

    def place(self, seconds: Fraction | None) -> int:
        """Return the number of the frame that shows the next picture; None: the next frame."""
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
        """Return a sentence if pictures have been moved in time; `name` is the format's."""
        if not self._moved:
            return None
        return (
            f"{name} knows a constant frame rate only, and the pictures are not evenly spaced: {self._moved} of "
            f"{self._pictures} are shown up to {float(self._most):.3f} s earlier or later; .mkv keeps their times"
        )


def has_times(output: av.container.OutputContainer) -> bool:
    """Whether a format keeps the times of pictures, rather than counting frames of a constant rate."""
    return bool(Flags(output.format.flags) & Flags.variable_fps)


def frame_clock(output: av.container.OutputContainer, video: VideoFormat, gaps: bool = True) -> FrameClock | None:
    """Return the clock of a format without times, None for others; `gaps`: whether frames may stay empty."""
    return None if has_times(output) else FrameClock(video.frame_rate or NOMINAL_RATE, video.time_base, gaps)
