"""GOP plan: which pictures are coded together, and where a chain of GOPs starts anew.

In I2V and FLF2V a GOP also spans the last picture of the GOP before it in the chain, its *anchor*, which both sides
have already. The first GOP of a chain is a keyframe: self-contained.
"""

from dataclasses import dataclass, field

import numpy as np

from .media import Picture

SCENE_SAMPLE = 2  # every other luma sample a side is enough to see a cut


@dataclass
class Gop:
    """Pictures that are coded together. `pictures` are new ones; `key`: it starts a chain; `last`: the video ends."""

    pictures: list[Picture]
    key: bool
    last: bool = False


@dataclass
class GopPlanner:
    """Cuts a stream of pictures into GOPs.

    length: pictures a GOP spans, anchor included.
    keyint: most pictures of a chain.
    scenecut: threshold 0..1 of the scene score, 0 = off.
    chained: whether GOPs share boundaries (I2V, FLF2V); otherwise each is a keyframe.
    """

    length: int
    keyint: int
    scenecut: float
    chained: bool
    _pending: list[Picture] = field(default_factory=list)
    _key: bool = True
    _in_chain: int = 0
    _previous: np.ndarray | None = None
    _difference: float = 0.0

    def push(self, picture: Picture) -> list[Gop]:
        """Add a picture; return the GOPs that are now complete. One picture of look-ahead tells the last GOP."""
        done = []
        if self._pending:
            cut = picture.key or self._scene_starts(picture)
            full = len(self._pending) >= self._room
            if cut or full:
                done.append(self._close(new_chain=cut))
        else:
            self._scene_starts(picture)
        self._pending.append(picture)
        return done

    def finish(self) -> list[Gop]:
        """Return the last GOP, if there is one."""
        if not self._pending:
            return []
        gop = self._close(new_chain=True)
        gop.last = True
        return [gop]

    @property
    def _room(self) -> int:
        """Pictures that the current GOP may have."""
        anchored = self.chained and not self._key
        return min(max(self.length - anchored, 1), self.keyint - self._in_chain)

    def _close(self, new_chain: bool) -> Gop:
        gop = Gop(self._pending, self._key)
        self._in_chain += len(self._pending)
        self._pending = []
        self._key = new_chain or not self.chained or self._in_chain >= self.keyint
        if self._key:
            self._in_chain = 0
        return gop

    def _scene_starts(self, picture: Picture) -> bool:
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
