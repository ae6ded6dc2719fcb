# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a decoder has of a chain of GOPs, some of which may be missing, and what that allows for the next one.

GOPs of a chain are numbered from 0. In flf2v a GOP depends on its last still, on the one before, and on what the prior
remembers of an earlier GOP. So one that is missing costs itself and the next one, whose first picture is its last
still, unless later stills refer to this one (gvc.stills.references), or the AV1 decoder has got it with another one.

In i2v a GOP depends on the last picture of the one before. Where that is missing, the chain goes on from the last one
that is there. Its pictures are similar to the right ones from there on.
"""

from typing import Any

from ..bitstream import INDEXES, GopUnit, SequenceHeader
from ..errors import BitstreamError
from ..media import Planes
from ..prior import Anchor
from ..priors import has_memory
from ..stills.recovery import RecoveringStills
from .concealment import MOST_SPANNED, Substitute


class ChainState:
    """The state of a decoder in a chain.

    header: sequence header.
    unit: a GOP of the chain, the key GOP unless that is missing.
    before: state in the chain before, if the key GOP is missing. Default: none.

    Attributes:
        stills: decoder of the chain's stills.
        exact: whether GOPs that can be decoded are what they should be.
    """

    def __init__(self, header: SequenceHeader, unit: GopUnit, before: "ChainState | None" = None):
        self.stills = RecoveringStills(header.format.coded)
        self.exact = True
        self._closed = header.mode.has_last  # whether GOPs end with stills
        self._index = (unit.index - unit.number) % INDEXES
        self._key_last = int(bool(unit.last)) if unit.key else 1
        self._remembers = has_memory(header.prior)
        self._number = -1  # number of the latest GOP that came or is known to be missing
        self._came = 0  # number of the latest GOP that came
        self._length = max(unit.shown - self._key_last, 1) if unit.key else unit.shown  # pictures of a GOP
        # Latest GOP whose last picture is right, and this picture
        self._end: tuple[int, Planes] | None = (-1, before._end[1]) if before and before._end else None
        self._before = self._end  # the same before the latest GOP
        self._first_memory: Any = None  # memory of the key GOP
        self._memory: tuple[int, Any] | None = None  # latest GOP whose memory is known, and this memory

    def has(self, unit: GopUnit) -> bool:
        """Return whether a GOP is one of this chain, as far as it says so."""
        return not unit.checked or (unit.index - unit.number) % INDEXES == self._index

    def is_late(self, unit: GopUnit) -> bool:
        """Return whether a GOP comes after later ones, or a second time."""
        return not self._came < self._number_of(unit) < INDEXES // 2

    def enter(self, unit: GopUnit) -> None:
        """Note that a GOP of the chain has come, which is not late."""
        self._number = self._came = self._number_of(unit)
        self._before = self._end
        if self._number:
            self._length = unit.shown
        self.stills.expect(self._unit(self._number) if self._number else 0)

    def miss(self) -> None:
        """Note that the next GOP is missing."""
        self._number, self._before = self._number + 1, self._end

    def anchor(self, unit: GopUnit) -> Anchor | None:
        """Return the anchor of the GOP that has come last; None if it is missing, or what the prior remembers is."""
        before = self._number - 1
        if self._end is None or self._end[0] != before:
            picture = self.stills.recover(self._unit(before)) if self._closed else self._end and self._end[1]
            if picture is None:
                return None
            self.exact &= self._closed
            self._end = self._before = before, picture
        if unit.checked:
            memory = self._first_memory
        else:
            memory = self._memory[1] if self._memory and self._memory[0] == before else None
        return Anchor(self._end[1], memory) if memory is not None or not self._remembers else None

    def leave(self, anchor: Anchor) -> None:
        """Note what the GOP that has come last hands to the next one."""
        self._end, self._memory = (self._number, anchor.planes), (self._number, anchor.memory)
        if not self._number:
            self._first_memory = anchor.memory

    def pass_over(self, unit: GopUnit) -> None:
        """Take no more than the still of the GOP that has come last, since it cannot be decoded."""
        try:
            self._end = self._number, self.stills.decode(unit.last, "last", unit.last_check if unit.checked else None)
        except BitstreamError:
            return

    def substitute(self, count: int = 0) -> Substitute | None:
        """Return pictures in place of the latest GOP; None if no stills are near, before and after them.

        count: number of pictures of the GOP. Default: not known.
        """
        if self._before is None:
            return None
        number, first = self._before
        passed = (self._number - 1 - number) * self._length
        if self._end[0] == self._number:
            after, last = 0, self._end[1]
        else:
            found = self.stills.later(self._unit(self._number) - 1)
            if found is None:
                return None
            after, last = found[0] - self._unit(self._number), found[1]
        span = passed + (count or self._length) + after * self._length
        return Substitute(first, last, passed + 1, span) if span <= MOST_SPANNED else None

    def _number_of(self, unit: GopUnit) -> int:
        return (unit.index - self._index) % INDEXES

    def _unit(self, number: int) -> int:
        """Return the number of the AV1 unit that ends a GOP."""
        return number + self._key_last
