"""GOP plan: which pictures are coded together, and where a chain of GOPs starts anew.

In I2V and FLF2V a GOP also spans the last picture of the GOP before it in the chain, its *anchor*, which both sides
have already. The first GOP of a chain is a keyframe: self-contained.
"""

from dataclasses import dataclass, field

import numpy as np

from .gop_lengths import GopLengths
from .media import Picture

SCENE_SAMPLE = 2  # every other luma sample a side is enough to see a cut


@dataclass
class Gop:
    """Pictures that are coded together.

    pictures: new ones.
    key: it starts a chain.
    ahead: pictures of the next GOP that this one codes too.
    ends: it ends a chain.
    last: the video ends.
    following: pictures known to come after it.
    """

    pictures: list[Picture]
    key: bool
    ahead: list[Picture]
    ends: bool
    last: bool = False
    following: int = 0


@dataclass
class GopPlanner:
    """Cuts a stream of pictures into GOPs.

    length: pictures a GOP spans at most, anchor and overlap included; 4k + 1.
    keyint, keyint_min: most pictures of a chain, and the least that a new scene ends.
    scenecut: threshold 0..1 of the scene score, 0 = off.
    anchored: whether a GOP spans the last picture of the one before (I2V, FLF2V).
    overlap: pictures of the next GOP that a GOP spans. With neither, each GOP is a keyframe.
    lengths: makes GOPs shorter by what they show; None: all are as long as they may be.

    It looks one GOP ahead: where a scene or the video ends, its last two GOPs are made about equally long, since the
    boundaries of a very short one would cost as much as those of a long one.
    """

    length: int
    keyint: int
    scenecut: float
    anchored: bool
    overlap: int = 0
    keyint_min: int = 1
    lengths: GopLengths | None = None
    _pending: list[Picture] = field(default_factory=list, init=False)
    _planned: list[int] = field(default_factory=list, init=False)  # pictures of the next GOPs
    _last: Picture | None = field(default=None, init=False)  # of the GOP before
    _key: bool = field(default=True, init=False)
    _in_chain: int = field(default=0, init=False)
    _previous: np.ndarray | None = field(default=None, init=False)
    _difference: float = field(default=0.0, init=False)

    def push(self, picture: Picture) -> list[Gop]:
        """Add a picture; return the GOPs that are now settled."""
        new_scene = self._starts_scene(picture) and self._in_chain + len(self._pending) >= self.keyint_min
        gops = self._end_chain() if picture.key or new_scene else []
        self._pending.append(picture)
        if len(self._pending) > self._room + self.length:
            gops.append(self._take(self._room))
        return gops

    def finish(self) -> list[Gop]:
        """Return the last GOPs, if there are any."""
        gops = self._end_chain()
        if gops:
            gops[-1].last = True
        return gops

    @property
    def _room(self) -> int:
        """Pictures that the current GOP may have."""
        return min(max(self.length - self._shared, 1), self.keyint - self._in_chain)

    @property
    def _shared(self) -> int:
        """Pictures that the current GOP spans beside its own."""
        return int(self.anchored and not self._key) + self.overlap

    def _end_chain(self) -> list[Gop]:
        """Return all that is pending as GOPs; what comes next starts a chain."""
        gops = []
        while self._pending:
            gops.append(self._take(min(self._room, self._fair_share(len(self._pending)))))
        if gops:
            gops[-1].ends = True
        self._key, self._in_chain = True, 0
        return gops

    def _fair_share(self, left: int) -> int:
        """Return how many of the last `left` pictures the current GOP should have: all, or half with 4k + 1 spanned."""
        if left <= self._room:
            return left
        spanned = left // 2 + self._shared
        return spanned + (1 - spanned) % 4 - self._shared

    def _take(self, limit: int) -> Gop:
        """Return the next GOP, of so many pictures at most."""
        count = self._chosen(limit) if self.lengths else limit
        pictures, self._pending = self._pending[:count], self._pending[count:]
        started, self._in_chain = self._key, self._in_chain + count
        self._last = pictures[-1]
        self._key = not (self.anchored or self.overlap) or self._in_chain >= self.keyint
        if self._key:
            self._in_chain = 0
        shared = min(self.overlap, self.keyint - self._in_chain)
        return Gop(
            pictures, started, [] if self._key else self._pending[:shared], ends=self._key, following=len(self._pending)
        )

    def _chosen(self, limit: int) -> int:
        """Return how many pictures the next GOP should have by what they show."""
        if not self._planned:
            window = self._pending[:limit]
            before = window.pop(0) if self._key else self._last
            self._planned = self.lengths.choose(before, window) if window else [0]
            self._planned[0] += self._key
        return self._planned.pop(0)

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
