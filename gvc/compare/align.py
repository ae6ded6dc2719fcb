# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Alignment of several films: which of their frames show the same moment."""

from collections.abc import Iterator
from fractions import Fraction

from .film import Film, Frame

RATE_TOLERANCE = Fraction(1, 500)  # relative difference below which rates count as equal, such as 23.976 and 24


def moments(
    reference: Iterator[Frame], others: list[Iterator[Frame]], interval: Fraction
) -> Iterator[tuple[Frame, list[Frame | None]]]:
    """Yield each frame of the reference with the frames of the other films at the same moment, None for a missing one.

    interval: seconds between two frames; frames less than half of it apart show the same moment.
    """
    followers = [_Follower(frames, interval / 2) for frames in others]
    for frame in reference:
        yield frame, [follower.at(frame.seconds) for follower in followers]


class _Follower:
    """Finds the frame nearest to a time; each call's time must be later than the one before."""

    def __init__(self, frames: Iterator[Frame], reach: Fraction):
        self._frames, self._reach = frames, reach
        self._now, self._next = next(frames, None), next(frames, None)

    def at(self, seconds: Fraction) -> Frame | None:
        while self._next and abs(self._next.seconds - seconds) <= abs(self._now.seconds - seconds):
            self._now, self._next = self._next, next(self._frames, None)
        found = self._now is not None and abs(self._now.seconds - seconds) < self._reach
        return self._now if found else None


def misfits(films: list[Film]) -> list[str]:
    """Return sentences on how films differ from the first one in size, frame rate, number of frames and start time."""
    reference, *others = films
    return [sentence for film in others for sentence in _misfits(reference, film)]


def _misfits(reference: Film, film: Film) -> Iterator[str]:
    name, a, b = film.path.name, reference.track, film.track
    if film.size != reference.size:
        wide, high = film.size
        yield f"{name} is {wide}x{high} and is scaled to the reference's {reference.size[0]}x{reference.size[1]}"
    if abs(film.rate / reference.rate - 1) > RATE_TOLERANCE:
        yield (
            f"{name} runs at {float(film.rate):g} frames/s and the reference at {float(reference.rate):g}, "
            "so few frames may show the same moment"
        )
    if b.frames != a.frames:
        yield f"{name} has {plural(b.frames)} and the reference {a.frames}; frames that only one has are left out"
    if abs(late := b.start - a.start) > 1 / reference.rate / 2:
        yield (
            f"{name} starts {abs(float(late)):.3f} s {'later' if late > 0 else 'earlier'} than the reference; "
            "both are compared from their first frames"
        )


def plural(frames: int) -> str:
    """Return a number of frames as text, such as "1 frame" or "2 frames"."""
    return f"{frames} frame{'s' * (frames != 1)}"
