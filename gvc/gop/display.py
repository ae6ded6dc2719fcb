# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The pictures that a decoder shows: those of decoded GOPs in their order, and others in place of those that are lost.

A GOP may be decoded while earlier ones are still under way (gvc.gop.decoder). Only here, where pictures are shown in
order, is it known whether the GOPs before it were good.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice, pairwise, repeat

import numpy as np

from ..bitstream import MAX_SHOWN, SequenceHeader
from ..errors import BitstreamError
from ..media import Packet, Picture, Planes
from ..pictures.samples import from_coded
from .concealment import Bridge, Substitute
from .overlap import Overlap
from .reader import NOTHING, ReadPacket

Missing = tuple[Picture | None, tuple[int, int]]  # a picture, None = nothing is known of it; its time, and its end
LOOK_AHEAD = 64  # largest number of packets among which the next picture is looked for where one is missing


class Display:
    """Shows the packets of a stream one after another.

    header: sequence header of the stream. Default: none is known before the first keyframe.
    fills: whether pictures whose packets are missing are shown with the next packet. Default: they are not, for
        programs to which a decoder gives one picture a packet.

    Attributes:
        header: sequence header of the picture shown last.
    """

    def __init__(self, header: SequenceHeader | None = None, *, fills: bool = False):
        self.header, self._fills = header, fills
        self._overlap = Overlap()
        self.flush()

    def flush(self) -> None:
        """Forget all pictures, as for a seek. No picture is shown before the next keyframe."""
        self._pictures: list[Callable[[], Planes]] = []  # functions that make the pictures of the current GOP
        self._position = 0  # index of the next picture in this list
        self._concealed = True  # whether they are not the right ones
        self._endless = True  # whether it is not known how many there are
        self._shown: Planes | None = None
        self._last: Packet | None = None  # the packet shown last
        self._bridge: Bridge | None = None  # what leads to the next picture that is known, where nothing else does
        self._overlap.forget()

    def foresee(self, reads: Iterable[ReadPacket | None], most: int, ended: bool) -> list[ReadPacket] | None:
        """Return the packets that are needed to show the next one; None if some are not there or not done yet.

        reads: the next packet and those after it; None = one that is not done.
        most: largest number of packets to return.
        ended: whether no further packets come.
        """
        reads, following = iter(reads), []
        read = next(reads)
        if read is None or not self._stands_still(read):
            return None if read is None else following
        for later in islice(reads, most):
            if later is None:
                return None
            following.append(later)
            if later.landmark:
                return following
        return following if ended or len(following) == most else None

    @property
    def _still(self) -> bool:
        """Whether nothing is known of the current GOP."""
        return self._endless and not self._pictures

    def _stands_still(self, read: ReadPacket) -> bool:
        """Return whether the next packet would show the last picture again, unless a later one leads to another."""
        time = read.packet.pts
        if self._shown is None or self._last is None or self._last.pts is None or time is None or read.skipped:
            return False
        if self._bridge and self._bridge.covers(time):
            return False
        return read.landmark is None if read.carries or read.outcome else self._still

    def show(self, read: ReadPacket, following: Iterable[ReadPacket] = ()) -> list[Picture]:
        """Return the packet's picture, or [] before the first keyframe and for a skipped packet; wait for its decoding.

        Pictures before it whose packets are missing come first, each with its own time, if they are to be filled in.

        following: packets after it that `foresee` has returned. Default: none are known.
        The picture of a damaged packet has the error. Without a picture the error is raised, and so are errors of
        other kinds; the next packets can be shown after that.
        """
        if read.skipped:
            return []
        packet, unit, left, error = read.packet, read.unit, [], None
        try:
            if read.error and not isinstance(read.error, BitstreamError):
                raise read.error
            if read.carries or read.outcome:
                left = self._left(read) if self._fills else []
                error = self._start(read)
        except BaseException:  # After such an error this GOP is missing, too.
            self._replace(None)
            raise
        error = read.error or error or read.damage
        gap = self._gap(read, left) if self._fills else []
        found = self._move(read.position)
        if found:
            self._bridge = None
        elif self._still:
            self._cross(read, following)
        missing = [*self._filled(gap)]
        self._last = packet
        if self._shown is None:
            self._shown = read.makeshift
        if self._shown is None:
            if error:
                raise error
            return []
        planes = from_coded(self._shown, self.header.format)
        concealed = not found or self._concealed
        key = unit is not None and unit.key
        return [*missing, Picture(planes, packet.pts, packet.duration, key, concealed, error)]

    def _start(self, read: ReadPacket) -> BitstreamError | None:
        """Take the pictures of a packet's GOP, or substitutes; return the error that prevents them, None without one.

        Raises errors of other kinds.
        """
        unit = read.unit
        if unit and unit.header and not read.error:
            if self.header and unit.header.format.coded.plane_shapes != self.header.format.coded.plane_shapes:
                self._shown = None
            self.header = read.header
        self._pictures = []  # The pictures of the GOP before are freed before this one's are waited for.
        outcome = read.outcome.result() if read.outcome else NOTHING
        if outcome.clip is None:
            self._replace(outcome.substitute)
        else:
            shown = zip(*self._overlap.join(outcome.clip, unit.shown, unit.key), strict=True)
            self._pictures, self._position = [partial(tuple, planes) for planes in shown], 0
            self._concealed, self._endless = outcome.concealed, False
        return outcome.error

    def _replace(self, substitute: Substitute | None) -> None:
        """Show substitutes until the next GOP; without any, the picture shown last."""
        count = MAX_SHOWN if substitute else 0
        self._pictures = [partial(substitute.picture, position) for position in range(count)]
        self._position, self._concealed, self._endless = 0, True, True
        self._overlap.forget()

    def _left(self, read: ReadPacket) -> list[Picture | None]:
        """Return the pictures of the current GOP that were not shown, None for those of which nothing is known.

        If their number is not known, there are as many as there was time for before a packet. More than these are not
        made, only counted.
        """
        pictures, count = self._pictures[self._position :], self._time_for(read.packet) - (read.position or 0)
        if self._endless:
            return [*islice(chain(self._made(pictures), repeat(None)), min(max(count, 0), MAX_SHOWN))]
        return [*self._made(pictures)] if len(pictures) <= count else [*repeat(None, len(pictures))]

    def _gap(self, read: ReadPacket, left: list[Picture | None]) -> list[Missing]:
        """Return what is missing between the last packet and the next one, with its times.

        It is known by its number, for which there must be just enough time; a gap in time alone may be meant.

        left: pictures of the GOP before that were not shown.
        """
        last, position = self._last, read.position or 0
        skipped = [*self._made(self._pictures[self._position : position])]
        unknown = max(position - self._position, 0) - len(skipped)
        pictures = [*left, *skipped, *repeat(None, unknown)]
        count = self._time_for(read.packet)
        if not count or count != len(pictures):
            return []
        start = last.pts + last.duration
        times = [start + i * (read.packet.pts - start) // count for i in range(count + 1)]
        return [*zip(pictures, pairwise(times), strict=True)]

    def _time_for(self, packet: Packet) -> int:
        """Return the number of pictures for which there is time between the last packet and the next one."""
        last = self._last
        if last is None or last.pts is None or packet.pts is None or last.duration <= 0:
            return 0
        return max(0, round((packet.pts - last.pts) / last.duration) - 1)

    def _made(self, pictures: Iterable[Callable[[], Planes]]) -> Iterator[Picture]:
        return (Picture(from_coded(make(), self.header.format), concealed=self._concealed) for make in pictures)

    def _filled(self, gap: Iterable[Missing]) -> Iterator[Picture]:
        """Yield the pictures of a gap. Those of which nothing is known lie on the way to the next known one, if any."""
        for picture, (time, end) in gap:
            if picture:
                yield replace(picture, pts=time, duration=end - time)
            elif self._bridge and self._bridge.covers(time):
                planes = from_coded(self._bridge.picture(time), self.header.format)
                yield Picture(planes, time, end - time, concealed=True)

    def _move(self, position: int | None) -> bool:
        """Go to a picture of the current GOP; return False if it is missing or was shown before.

        In that case the picture shown last remains: the packet belongs to a lost GOP, or came twice.

        position: number of the picture in the GOP; None = the next one.
        """
        if position is None:
            position = self._position
        found = self._position <= position < len(self._pictures)
        if found:
            self._shown, self._position = self._pictures[position](), position + 1
        return found

    def _cross(self, read: ReadPacket, following: Iterable[ReadPacket]) -> None:
        """Go on from the picture shown last to the next one that is known; without one it remains."""
        if self._stands_still(read):
            last = next(filter(None, (later.landmark for later in following)), None)
            alike = last and [*map(np.shape, last[1])] == [*map(np.shape, self._shown)]
            self._bridge = Bridge(self._shown, last[1], self._last.pts, last[0]) if alike else None
        if self._bridge and self._bridge.covers(read.packet.pts):
            self._shown = self._bridge.picture(read.packet.pts)
