# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A part of a film's time: what of each track and of the chapters lies in it."""

from dataclasses import dataclass
from fractions import Fraction

import av


@dataclass(frozen=True)
class Span:
    """A part of a film, whose own clock begins at 0.

    start: first instant of the part, in seconds on the film's clock. Default: 0, the film's beginning.
    end: first instant after the part. Default: None, the part ends with the film.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __bool__(self) -> bool:
        """Whether this is less than the whole film."""
        return self != WHOLE

    def take(self, packet: av.Packet, shown: bool) -> bool:
        """Return whether a packet belongs to the part; if it does, move its times to the part's clock.

        shown: whether what the packet holds stays until its end, as a subtitle does. It is then shortened where the
            part begins and ends; other packets belong to the part if they begin in it.
        """
        if not self:
            return True
        begins = packet.dts if packet.pts is None else packet.pts
        if begins is None:
            return False
        base = packet.time_base
        ends = begins + (packet.duration or 0)
        first, last = begins * base, ends * base
        if (self.end is not None and first >= self.end) or (first < self.start and not (shown and last > self.start)):
            return False
        shift = round(self.start / base)
        if shown and packet.duration:
            begins = max(begins, shift)
            ends = ends if self.end is None else min(ends, round(self.end / base))
            packet.pts = packet.dts = begins
            packet.duration = ends - begins
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        return True

    def chapters(self, chapters: list[dict]) -> list[dict]:
        """Return the chapters that belong to the part, on its clock. chapters: PyAV's, on the film's clock."""
        taken = []
        for chapter in chapters:
            base = chapter["time_base"]
            start = round(self.start / base)
            end = chapter["end"] if self.end is None else min(chapter["end"], round(self.end / base))
            if end > start or not self:
                taken.append({**chapter, "start": max(0, chapter["start"] - start), "end": end - start})
        return taken


WHOLE = Span()
