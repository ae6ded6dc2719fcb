# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoding of GOPs one after another or side by side, as far as they depend on each other.

Stills are coded for one GOP after another, since they refer to earlier ones. What follows depends on how the stream is
coded:

- At constant quality each GOP goes to a thread of the team as soon as its stills are there.
- With a bitrate the bits of a GOP decide on the target of the next one. Only the analysis of GOPs, which is most of the
  work, goes to the team, and only for GOPs whose lengths are planned and whose stills are all coded.
- In I2V a GOP begins with the last decoded picture of the GOP before. It is coded when that one is, as it is with
  priors that are not `concurrent`. Then only parts of a GOP are done side by side (gvc.machine.parallel.each).

The number of threads changes only the time that this takes; the stream is always the same.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..bitstream import GopUnit
from ..machine.parallel import Team
from ..modes import Mode
from ..plan.control import RateControl
from ..plan.gops import Gop
from ..plan.target import Target
from ..prior import Anchor
from .decoder import Reconstruction
from .encoder import GopEncoder, OpenGop
from .rule import CurrentGop

OPEN_GOPS = 2  # largest number of open GOPs for each thread; a GOP that waits is little more than its source


class CodedGop(NamedTuple):
    """A GOP, its coded form, and what a decoder will make of it."""

    gop: Gop
    unit: GopUnit
    reconstruction: Reconstruction


@dataclass
class _Open:
    """An open GOP. target: its target, None = not known yet. coded: result of GopEncoder.code, None = not begun."""

    gop: OpenGop
    target: Target | None
    coded: Future | None = None


class GopPipeline:
    """Codes the GOPs of a stream.

    All methods return the GOPs that are coded, in order. The caller reports each one to the rate control (`book`)
    before it takes the next one.

    coder: encoder of single GOPs.
    rate: rate control.
    team: threads that work for this encoder.
    mode: mode of the stream.
    concurrent: whether the prior is (gvc.prior.Prior).
    """

    def __init__(self, coder: GopEncoder, rate: RateControl, team: Team, mode: Mode, concurrent: bool):
        self._coder, self._rate, self._team = coder, rate, team
        self._anchored, self._side_by_side = mode.has_first, concurrent and (mode.has_last or not mode.has_first)
        self._open: deque[_Open] = deque()
        self._anchor: Anchor | None = None

    @property
    def current(self) -> CurrentGop:
        """The GOP that is being coded, or one of them."""
        return self._coder.current

    def close(self) -> None:
        """Give up the GOPs that were begun, which the team does when it is dismissed."""

    def push(self, gop: Gop) -> Iterator[CodedGop]:
        """Begin with the next GOP."""
        free = self._side_by_side and not self._rate.follows_bits
        ahead = self._side_by_side and self._coder.knows_stills and not gop.key and gop.plan is not None
        yield from self._coded(OPEN_GOPS * self._team.size - 1 if free or ahead else 0)
        anchor = None if gop.key else self._anchor
        target = self._rate.target(gop, anchor) if free or not ahead else None
        opened = _Open(self._coder.open(gop, anchor, target), target)
        self._open.append(opened)
        self._anchor = opened.gop.anchor
        if free:
            opened.coded = self._team.submit(self._coder.code, opened.gop, target)
        elif ahead:
            opened.gop.analyses = self._team.submit(self._coder.analyse, opened.gop, gop.plan.level)
        if not free and not (self._side_by_side and gop.plan and gop.plan.lengths[1:]):
            yield from self._coded(0)  # The length of the next GOP may depend on the bits of this one.
        else:
            yield from self._coded(OPEN_GOPS * self._team.size)

    def ready(self) -> Iterator[CodedGop]:
        """Return the GOPs that have been coded meanwhile, without waiting for any."""
        return self._coded(len(self._open))

    def finish(self) -> Iterator[CodedGop]:
        """Finish the GOPs that are open."""
        return self._coded(0)

    def _coded(self, most: int) -> Iterator[CodedGop]:
        """Yield the GOPs that are coded, and wait while more than `most` are open."""
        while self._open and (len(self._open) > most or (self._open[0].coded and self._open[0].coded.done())):
            opened = self._open.popleft()
            gop = opened.gop.gop
            if opened.coded:
                unit, reconstruction = opened.coded.result()
            else:
                target = opened.target or self._rate.target(gop, None)
                unit, reconstruction = self._coder.code(opened.gop, target)
            if self._anchored and not self._side_by_side:
                anchor = reconstruction.anchor()
                self._anchor = replace(anchor, memory=reconstruction.condition.handed_on(anchor.memory))
            yield CodedGop(gop, unit, reconstruction)
