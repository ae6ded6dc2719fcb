# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GOP plan: which pictures are coded together, and where a chain of GOPs starts anew.

In I2V and FLF2V a GOP also spans the last picture of the GOP before it in the chain, its *anchor*, which both sides
have already. The first GOP of a chain is a keyframe: self-contained.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..media import Picture
from .window import Plan, Window

Choose = Callable[[Window], Plan]  # says how to cut a window, and how to code the parts

SCENE_SAMPLE = 2  # every other luma sample a side is enough to see a cut


@dataclass
class Gop:
    """Pictures that are coded together.

    pictures: new ones.
    key: it starts a chain.
    ahead: pictures of the next GOP that this one codes too.
    ends: it ends a chain.
    last: the video ends.
    following: pictures known to come after it; where lengths are chosen, in the same window.
    plan: the plan for it and for what follows in its window, None where lengths are not chosen.
    """

    pictures: list[Picture]
    key: bool
    ahead: list[Picture]
    ends: bool
    last: bool = False
    following: int = 0
    plan: Plan | None = None


@dataclass
class GopPlanner:
    """Cuts a stream of pictures into GOPs.

    length: pictures a GOP spans at most, anchor and overlap included; 4k + 1.
    keyint, keyint_min: most pictures of a chain, and the least that a new scene ends.
    scenecut: threshold 0..1 of the scene score, 0 = off.
    anchored: whether a GOP spans the last picture of the one before (I2V, FLF2V).
    overlap: pictures of the next GOP that a GOP spans. With neither, each GOP is a keyframe.
    choose: plans a window by what it shows; None: all GOPs are as long as they may be.
    lookahead: pictures beyond the present GOP that it waits for; at least those of one GOP.

    It looks one GOP ahead: where a scene or the video ends, its last two GOPs are made about equally long, since the
    boundaries of a very short one would cost as much as those of a long one.
    """

    length: int
    keyint: int
    scenecut: float
    anchored: bool
    overlap: int = 0
    keyint_min: int = 1
    choose: Choose | None = None
    lookahead: int = 0
    _pending: list[Picture] = field(default_factory=list, init=False)
    _plan: Plan | None = field(default=None, init=False)  # of what is left of the window
    _last: Picture | None = field(default=None, init=False)  # of the GOP before
    _key: bool = field(default=True, init=False)
    _in_chain: int = field(default=0, init=False)
    _ending: bool = field(default=False, init=False)  # nothing of the chain comes after what is pending
    _finishing: bool = field(default=False, init=False)
    _previous: np.ndarray | None = field(default=None, init=False)
    _difference: float = field(default=0.0, init=False)

    def push(self, picture: Picture) -> Iterator[Gop]:
        """Add a picture; yield the GOPs that are now settled. The next one is chosen when it is asked for."""
        new_scene = self._starts_scene(picture) and self._in_chain + len(self._pending) >= self.keyint_min
        if picture.key or new_scene:
            yield from self._end_chain()
        self._pending.append(picture)
        if len(self._pending) > self._room + max(self.length, self.lookahead):
            yield self._take(self._room)

    def finish(self) -> Iterator[Gop]:
        """Yield the last GOPs, if there are any."""
        return self._end_chain(last=True)

    @property
    def _room(self) -> int:
        """Pictures that the current GOP may have."""
        return min(max(self.length - self._shared, 1), self.keyint - self._in_chain)

    @property
    def _shared(self) -> int:
        """Pictures that the current GOP spans beside its own."""
        return int(self.anchored and not self._key) + self.overlap

    def _end_chain(self, last: bool = False) -> Iterator[Gop]:
        """Yield all that is pending as GOPs; what comes next starts a chain."""
        self._ending, self._finishing = True, last
        while self._pending:
            gop = self._take(min(self._room, self._fair_share(len(self._pending))))
            gop.ends, gop.last = gop.ends or not self._pending, last and not self._pending
            yield gop
        self._key, self._in_chain, self._ending = True, 0, False

    def _fair_share(self, left: int) -> int:
        """Return how many of the last `left` pictures the current GOP should have: all, or half with 4k + 1 spanned."""
        if left <= self._room:
            return left
        spanned = left // 2 + self._shared
        return spanned + (1 - spanned) % 4 - self._shared

    def _take(self, limit: int) -> Gop:
        """Return the next GOP, of so many pictures at most."""
        count, plan = self._chosen(limit) if self.choose else (limit, None)
        pictures, self._pending = self._pending[:count], self._pending[count:]
        started, self._in_chain = self._key, self._in_chain + count
        self._last = pictures[-1]
        self._key = not (self.anchored or self.overlap) or self._in_chain >= self.keyint
        if self._key:
            self._in_chain = 0
        shared = min(self.overlap, self.keyint - self._in_chain)
        ahead = [] if self._key else self._pending[:shared]
        planned = sum(self._plan.lengths) if self._plan else 0
        following = planned if self.choose else len(self._pending)
        return Gop(pictures, started, ahead, ends=self._key, following=following, plan=plan)

    def _chosen(self, limit: int) -> tuple[int, Plan | None]:
        """Return (how many pictures the next GOP has by what they show, the plan for it and for what follows)."""
        first = int(self._key)  # The first picture of a chain belongs to the first GOP; a plan does not count it.
        if not (self._plan and self._plan.lengths):
            self._plan = self._next_plan(limit)
        if not self._plan:
            return first, None
        plan, self._plan = self._plan, self._plan.following()
        return plan.lengths[0] + first, plan

    def _next_plan(self, limit: int) -> Plan | None:
        """Return the plan for the next window; None where all that is left is the first picture of a chain."""
        left = self.keyint - self._in_chain
        pictures = self._pending[:left]
        ends = len(pictures) == left or self._ending
        last = self._finishing and len(pictures) == len(self._pending)
        before = pictures.pop(0) if self._key else self._last
        return self.choose(Window(before, pictures, limit - self._key, self._key, ends, last)) if pictures else None

    def _starts_scene(self, picture: Picture) -> bool:
        """Tell whether the picture is unlike the one before, and suddenly so.

        The score is that of FFmpeg's scene detection: the mean absolute luma difference, or its jump if that is less.
        """
        if self.scenecut == 0:
            return False
        luma = picture.planes[0][::SCENE_SAMPLE, ::SCENE_SAMPLE].astype(np.int16)
        before, self._previous = self._previous, luma
        if before is None:
            return False
        difference = float(np.abs(luma - before).mean()) / 100
        score = min(difference, abs(difference - self._difference))
        self._difference = difference
        return score > self.scenecut
