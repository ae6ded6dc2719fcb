# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Rate control of an encoder: it chooses the lengths of GOPs, and the target of each."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from ..bitstream import GopUnit, SequenceHeader
from ..media import Picture, VideoFormat
from ..prior import Anchor, Prior
from .bitrate import BitrateControl, RateCap
from .chains import ChainPlanner
from .gops import Gop, GopPlanner
from .settings import Settings
from .target import Target
from .window import Plan, Window

LOOKAHEAD = 2**27  # largest number of luma samples that wait in memory so that a plan can cover a whole chain

Floor = Callable[[Gop, Anchor | None], tuple[float, float]]  # signature of GopEncoder.floor


class RateControl:
    """Rate control for constant quality or for a bitrate; both may have a cap.

    settings: settings of the encoder.
    prior: prior of the stream.
    header: sequence header of the stream.
    floor: function that estimates the smallest number of bits of a GOP (GopEncoder.floor).
    first: number of the first picture in the stream, for a single chain that is coded apart. Default: none.
    """

    def __init__(
        self, settings: Settings, prior: Prior, header: SequenceHeader, floor: Floor, first: int | None = None
    ):
        self._settings, self._format, self._floor, self._first = settings, header.format, floor, first
        self._reached = settings.level
        self._bitrate = BitrateControl(settings.bitrate, first is None) if settings.bitrate else None
        self._cap = RateCap(settings.maxrate, settings.bufsize) if settings.maxrate else None
        self._plans: ChainPlanner | None = None
        self._before: Plan | None = None  # plan of the window before
        if lengths := settings.lengths(prior):
            # With a cap stills are not reordered, since reordering distributes bits unevenly among GOPs.
            self._plans = ChainPlanner(
                prior, header, settings.effort, lengths, reorders=not self._cap, resilience=settings.resilience
            )

    @property
    def follows_bits(self) -> bool:
        """Whether the target of a GOP depends on the bits of those before it."""
        return bool(self._bitrate or self._cap)

    def planner(self) -> GopPlanner:
        """Return the planner that divides the stream into GOPs.

        It asks for a plan when it yields the first GOP of a window. If the stream `follows_bits`, every GOP must be
        reported by `book` before that.
        """
        if not self._plans:
            return self._settings.planner(None, 0, self._first)
        held = most_held(self._settings, self._format)
        wanted = self._bitrate or (self._plans.reorders and held == self._settings.keyint)
        return self._settings.planner(self._choose, held - self._settings.gop if wanted else 0, self._first)

    def target(self, gop: Gop, anchor: Anchor | None) -> Target:
        """Return the target of a GOP. Raises RateError if the bitrate is too low for the material."""
        terms = duration(gop.pictures, self._format, gop.until), len(gop.pictures), gop.key
        show_next = 8.0 * (len(gop.pictures) - 1)
        cap = self._cap.limit(*terms) - show_next if self._cap else math.inf
        plan = gop.plan
        chain = plan.chain if plan else None
        if not self._bitrate:
            return Target(self._settings.level, chain, cap=cap)
        if not self._bitrate.begun:
            self._bitrate.check_floor(self._floor(gop, anchor), *terms, gop.following)
        bits, share = self._bitrate.window(*terms, gop.following, gop.last or bool(plan and plan.exact))
        if not plan:
            return Target(None, bits=bits - show_next / share, share=share, cap=cap)
        expected = self._plans.of_gops(plan)
        share = expected[0] / sum(expected)
        level = 0 if gop.last else self._plans.finest_level(plan, max(1.0, bits - plan.first))
        return Target(level, chain, bits - show_next / share, share, cap)

    def book(self, gop: Gop, unit: GopUnit, bits: float) -> None:
        """Record a coded GOP. bits: bits of its packets."""
        terms = duration(gop.pictures, self._format, gop.until), len(gop.pictures), gop.key
        if self._bitrate:
            self._bitrate.spend(bits, *terms)
            if gop.plan:
                self._plans.book(gop.plan, 8.0 * len(unit.last))
        if self._cap:
            self._reached = unit.stop
            self._cap.spend(bits, *terms)

    def _choose(self, window: Window) -> Plan:
        """Return the plan for a window. With a bitrate, the window holds all pictures that are known."""
        if not self._bitrate:
            return self._plans.at_level(window, self._reached)
        pictures = [window.before] * window.key + window.pictures
        left, _ = self._bitrate.window(
            duration(pictures, self._format, window.until), len(pictures), window.key, 0, window.last
        )
        bits, before = max(1.0, left), self._before
        if window.key or not before:
            self._before = self._plans.start(window, bits, before.level if before else self._settings.level)
        else:
            self._before = self._plans.go_on(window, bits, before)
        return self._before


def most_held(settings: Settings, video: VideoFormat) -> int:
    """Return the largest number of pictures that wait in memory so that they are planned together."""
    return min(settings.keyint, LOOKAHEAD // (video.width * video.height))


def duration(pictures: Sequence[Picture], video: VideoFormat, until: int | None = None) -> Fraction:
    """Return the duration of pictures in seconds, by their timestamps if there are any.

    until: timestamp of the picture after them, which is surer than the last one's duration. Default: unknown.
    """
    first, last = pictures[0], pictures[-1]
    if until is not None and first.pts is not None and until > first.pts:
        return (until - first.pts) * video.time_base
    nominal = 1 / video.frame_rate if video.frame_rate else Fraction(1, 25)
    known = [p.duration * video.time_base if p.duration > 0 else nominal for p in pictures]
    if first.pts is not None and last.pts is not None and last.pts > first.pts:
        return (last.pts - first.pts) * video.time_base + known[-1]
    return sum(known)
