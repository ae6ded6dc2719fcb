# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Division of the video into GOPs (pictures that are coded together) and of GOPs into chains.

In I2V and FLF2V a GOP also spans the last picture of the GOP before it in the chain, its *anchor*, which encoder and
decoder have already. The first GOP of a chain is a self-contained keyframe.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..bitstream import INDEXES
from ..media import Picture
from .window import Plan, Window

Choose = Callable[[Window], Plan]  # function that divides a window into GOPs and plans their coding

SCENE_SAMPLE = 2  # step between the luma samples that scene detection reads, in both directions


@dataclass
class Gop:
    """Pictures that are coded together.

    pictures: pictures that are shown by this GOP, without the anchor.
    key: whether the GOP starts a chain.
    ahead: pictures of the next GOP that this one codes too (overlap).
    ends: whether the GOP ends a chain.
    index: number of the chain's first picture in the stream, plus the number of the GOP in the chain. No two GOPs of a
        stream have the same index, and a chain that is coded apart from the others gets the same ones.
    number: number of the GOP among those that were planned, counted from 1.
    until: timestamp of the picture after it; default None, unknown.
    last: whether the video ends with the GOP; default False.
    following: number of pictures known to come after it, with a plan only those of the same window; default 0.
    plan: plan for this GOP and for the rest of its window; default None, lengths are not planned.
    """

    pictures: list[Picture]
    key: bool
    ahead: list[Picture]
    ends: bool
    index: int
    number: int
    until: int | None = None
    last: bool = False
    following: int = 0
    plan: Plan | None = None


@dataclass
class ChainSplitter:
    """Divides a stream of pictures into chains. Where a chain starts depends only on the pictures before.

    keyint, keyint_min: largest number of pictures in a chain, and smallest number in a chain that a new scene ends;
        keyint_min is 1 by default.
    scenecut: threshold 0..1 of the scene score, 0 = off.
    """

    keyint: int
    scenecut: float
    keyint_min: int = 1
    _count: int = field(default=0, init=False)  # pictures of the chain so far
    _previous: np.ndarray | None = field(default=None, init=False)  # luma of the picture before, for scene detection
    _difference: float = field(default=0.0, init=False)  # difference of the last two pictures, for scene detection

    def starts_chain(self, picture: Picture) -> bool:
        """Return whether the next picture starts a chain, which the first one does."""
        new_scene = self._starts_scene(picture) and self._count >= self.keyint_min
        starts = picture.key or new_scene or self._count in (0, self.keyint)
        self._count = 1 if starts else self._count + 1
        return starts

    def _starts_scene(self, picture: Picture) -> bool:
        """Return whether the picture suddenly differs from the one before.

        The score is that of FFmpeg's scene detection: the mean absolute difference of luma, or the change of that
        difference since the last picture, whichever is smaller.
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


@dataclass
class GopPlanner:
    """Divides a stream of pictures into GOPs. The GOPs of a chain depend on the pictures of the chain alone.

    splitter: divider of the stream into chains.
    length: largest number of pictures that a GOP spans, including anchor and overlap; 4k + 1.
    anchored: whether a GOP spans the last picture of the one before (I2V, FLF2V).
    overlap: number of pictures of the next GOP that a GOP spans, default 0. Without anchor and overlap each GOP is a
        keyframe.
    choose: function that plans a window by its content; default None, all GOPs have the largest permitted length.
    lookahead: number of pictures beyond the current GOP to wait for, default 0; a value below `length` counts as that.
    first: number of the first picture in the stream, default 0.

    The planner looks one GOP ahead. At the end of a chain it makes the last two GOPs about equally long, since the
    boundaries of a very short GOP would cost as much as those of a long one.
    """

    splitter: ChainSplitter
    length: int
    anchored: bool
    overlap: int = 0
    choose: Choose | None = None
    lookahead: int = 0
    first: int = 0
    _pending: list[Picture] = field(default_factory=list, init=False)
    _plan: Plan | None = field(default=None, init=False)  # plan for the rest of the window
    _last: Picture | None = field(default=None, init=False)  # last picture of the GOP before
    _key: bool = field(default=True, init=False)  # whether the next GOP is a keyframe
    _ending: bool = field(default=False, init=False)  # whether the chain ends with the pending pictures
    _next: Picture | None = field(default=None, init=False)  # picture after the pending ones, if they end a chain
    _finishing: bool = field(default=False, init=False)  # whether the video ends with the pending pictures
    _index: int = field(default=0, init=False)  # index of the next GOP
    _number: int = field(default=0, init=False)  # number of GOPs so far

    def push(self, picture: Picture) -> Iterator[Gop]:
        """Add a picture; yield the GOPs that are now complete. A GOP's length is chosen only when it is requested."""
        if self.splitter.starts_chain(picture):
            self._next = picture
            yield from self._end_chain()
            self._index, self._next = self.first, None
        self.first += 1
        self._pending.append(picture)
        if len(self._pending) > self._room + max(self.length, self.lookahead):
            yield self._take(self._room)
            while self._plan and self._plan.lengths:  # The sooner planned pictures are coded, the fewer wait.
                yield self._take(self._room)

    def finish(self) -> Iterator[Gop]:
        """Yield the remaining GOPs at the end of the video."""
        return self._end_chain(last=True)

    @property
    def _room(self) -> int:
        """Largest number of pictures for the current GOP."""
        return max(self.length - self._shared, 1)

    @property
    def _shared(self) -> int:
        """Number of pictures that the current GOP spans in addition to its own (anchor and overlap)."""
        return int(self.anchored and not self._key) + self.overlap

    def _end_chain(self, last: bool = False) -> Iterator[Gop]:
        """Yield all pending pictures as GOPs; the next picture starts a chain."""
        self._ending, self._finishing = True, last
        while self._pending:
            gop = self._take(min(self._room, self._fair_share(len(self._pending))))
            gop.ends, gop.last = gop.ends or not self._pending, last and not self._pending
            yield gop
        self._key, self._ending = True, False

    def _fair_share(self, left: int) -> int:
        """Return how many of the last `left` pictures of a chain the current GOP should have.

        It is all of them if they fit, otherwise about half, so that the GOP spans 4k + 1 pictures.
        """
        if left <= self._room:
            return left
        spanned = left // 2 + self._shared
        return spanned + (1 - spanned) % 4 - self._shared

    def _take(self, limit: int) -> Gop:
        """Return the next GOP, of at most `limit` pictures."""
        count, plan = self._chosen(limit) if self.choose else (limit, None)
        pictures, self._pending = self._pending[:count], self._pending[count:]
        started, index = self._key, self._index
        self._last = pictures[-1]
        self._index, self._number = (index + 1) % INDEXES, self._number + 1
        self._key = not (self.anchored or self.overlap)
        ahead = self._pending[: self.overlap]
        planned = sum(self._plan.lengths) if self._plan else 0
        following = planned if self.choose else len(self._pending)
        until = self._until(self._pending)
        return Gop(pictures, started, ahead, self._key, index, self._number, until, following=following, plan=plan)

    def _until(self, later: list[Picture]) -> int | None:
        """Return the timestamp of the next one of later pictures of the chain, or of the one after them."""
        after = later[0] if later else self._next
        return after and after.pts

    def _chosen(self, limit: int) -> tuple[int, Plan | None]:
        """Return (number of pictures of the next GOP, plan for it and for the rest of its window)."""
        first = int(self._key)  # The first picture of a chain belongs to the first GOP; a plan does not count it.
        if not (self._plan and self._plan.lengths):
            self._plan = self._next_plan(limit)
        if not self._plan:
            return first, None
        plan, self._plan = self._plan, self._plan.following()
        return plan.lengths[0] + first, plan

    def _next_plan(self, limit: int) -> Plan | None:
        """Return the plan for the next window; None if only the first picture of a chain is left."""
        pictures = list(self._pending)
        before = pictures.pop(0) if self._key else self._last
        window = Window(before, pictures, limit - self._key, self._key, self._ending, self._finishing, self._until([]))
        return self.choose(window) if pictures else None
