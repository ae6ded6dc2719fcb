# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Rate control of an encoder: how long its GOPs are, and what each of them aims at."""

import math
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace

from ..bitstream import GopUnit, SequenceHeader
from ..gop.boundary import Anchor, Target
from ..media import Picture, VideoFormat
from ..prior import Prior
from .chains import ChainPlanner, Plan
from .gops import Gop, GopPlanner, Window
from .rate import BitrateControl, RateCap
from .settings import Settings

LOOKAHEAD = 2**27  # luma samples that are held, at most, so that a plan covers a chain

Floor = Callable[[Gop, Anchor | None], tuple[float, float]]


class RateControl:
    """Aims at constant quality, or at a bitrate; either may be capped.

    options: of the encoder, parsed.
    header: of the stream.
    floor: GopEncoder.floor.
    """

    def __init__(
        self, options: SimpleNamespace, settings: Settings, prior: Prior, header: SequenceHeader, floor: Floor
    ):
        self._format: VideoFormat = header.format
        self._level = self._reached = settings.level
        self._floor = floor
        self._bitrate = BitrateControl(options.bitrate) if options.bitrate else None
        self._cap = RateCap(options.maxrate, options.bufsize) if options.maxrate else None
        self._lengths = settings.lengths(prior)
        self._plans: ChainPlanner | None = None
        if self._lengths:  # A cap bounds each GOP, and reordering gives some more bits than others.
            self._plans = ChainPlanner(prior, header, settings.effort, self._lengths, reorders=not self._cap)
        self._plan: Plan | None = None

    def planner(self, settings: Settings) -> GopPlanner:
        """Return what cuts the stream into GOPs."""
        if not self._plans:
            return settings.planner(None, 0)
        held = min(settings.keyint, LOOKAHEAD // (self._format.width * self._format.height))
        wanted = self._bitrate or (self._plans.reorders and held == settings.keyint)
        return settings.planner(self._choose, held - settings.gop if wanted else 0)

    def target(self, gop: Gop, anchor: Anchor | None) -> Target:
        """Return what a GOP aims at. Raises RateError when the bitrate cannot be met by any means."""
        terms = self._duration(gop.pictures), len(gop.pictures), gop.key
        show_next = 8.0 * (len(gop.pictures) - 1)
        cap = self._cap.limit(*terms) - show_next if self._cap else math.inf
        chain = self._plan.chain if self._plan else None
        if not self._bitrate:
            return Target(self._level, chain, cap=cap)
        if not self._bitrate.begun:
            self._bitrate.check_floor(self._floor(gop, anchor), *terms, gop.following)
        planned = bool(self._plan and self._plan.lengths)
        whole = gop.last or (planned and self._plan.exact)
        bits, share = self._bitrate.window(*terms, gop.following, whole)
        if not planned:
            return Target(None, bits=bits - show_next / share, share=share, cap=cap)
        expected = self._plans.of_gops(self._plan)
        share = expected[0] / sum(expected)
        level = 0 if gop.last else self._plans.finest_level(self._plan, max(1.0, bits - self._plan.first))
        return Target(level, chain, bits - show_next / share, share, cap)

    def book(self, gop: Gop, unit: GopUnit, bits: float) -> None:
        """Say what became of a GOP, and the bits that its packets took."""
        self._reached = unit.stop
        if self._plan and self._plan.lengths:
            if self._bitrate:
                self._plans.book(self._plan, 8.0 * len(unit.last))
            self._plan = self._plan.following()
        terms = self._duration(gop.pictures), len(gop.pictures), gop.key
        if self._bitrate:
            self._bitrate.spend(bits, *terms)
        if self._cap:
            self._cap.spend(bits, *terms)

    def _choose(self, window: Window) -> list[int]:
        """Return how many of a window's pictures each GOP should have; with a bitrate a window is all that is known."""
        if not self._bitrate:
            self._plan = self._plans.at_level(window, self._reached)
            return list(self._plan.lengths)
        pictures = [window.before] * window.key + window.pictures
        left, _ = self._bitrate.window(self._duration(pictures), len(pictures), window.key, 0, window.last)
        bits = max(1.0, left)
        if window.key or not self._plan:
            self._plan = self._plans.start(window, bits, self._plan.level if self._plan else self._level)
        else:
            self._plan = self._plans.go_on(window, bits, self._plan)
        return list(self._plan.lengths)

    def _duration(self, pictures: list[Picture]) -> Fraction:
        """Return how many seconds pictures last, by their timestamps where there are any."""
        nominal = 1 / self._format.frame_rate if self._format.frame_rate else Fraction(1, 25)
        known = [p.duration * self._format.time_base if p.duration > 0 else nominal for p in pictures]
        first, last = pictures[0], pictures[-1]
        if first.pts is not None and last.pts is not None and last.pts > first.pts:
            return (last.pts - first.pts) * self._format.time_base + known[-1]
        return sum(known)
