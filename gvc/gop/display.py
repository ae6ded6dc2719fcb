# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The pictures that a decoder shows: those of decoded GOPs in their order, and others in place of those that are lost.

A GOP may be decoded while earlier ones are still under way (gvc.gop.decoder). Only here, where pictures are shown in
order, is it known whether the GOPs before it were good.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from ..bitstream import GopUnit, SequenceHeader, shown_position
from ..errors import BitstreamError
from ..media import Packet, Picture, Planes
from ..pictures.fade import fade
from ..pictures.samples import from_coded
from ..stills.av1 import decode_still
from .overlap import Overlap


@dataclass(frozen=True)
class ReadPacket:
    """A packet that was read, and of which at least the serial part is decoded.

    packet: the packet itself.
    unit: GOP in it. Default: none.
    header: sequence header in force. Default: none is known.
    pictures: the GOP's pictures (Clip), or the error that prevents them. Default: none; an earlier GOP is missing.
    error: error in the packet, whatever came before it. Default: none.
    skipped: whether no picture is wanted, and the packet changes nothing. Default: not.
    """

    packet: Packet
    unit: GopUnit | None = None
    header: SequenceHeader | None = None
    pictures: Future | None = None
    error: Exception | None = None
    skipped: bool = False

    @property
    def done(self) -> bool:
        """Whether `Display.show` need not wait."""
        return self.pictures is None or self.pictures.done()


class Display:
    """Shows the packets of a stream one after another.

    header: sequence header of the stream. Default: none is known before the first keyframe.

    Attributes:
        header: sequence header of the picture shown last.
    """

    def __init__(self, header: SequenceHeader | None = None):
        self.header = header
        self._overlap = Overlap()
        self.flush()

    def flush(self) -> None:
        """Forget all pictures, as for a seek. No picture is shown before the next keyframe."""
        self._pictures: list[Callable[[], Planes]] = []  # functions that make the pictures of the current GOP
        self._position = 0  # index of the next picture in this list
        self._broken = True  # whether a GOP of the chain is missing
        self._shown: Planes | None = None
        self._overlap.forget()

    def show(self, read: ReadPacket) -> list[Picture]:
        """Return the packet's picture, or [] before the first keyframe and for a skipped packet; wait for its decoding.

        Raises the errors of the packet; the next packets can be shown after that.
        """
        if read.skipped:
            return []
        packet, unit = read.packet, read.unit
        try:
            if read.error:
                raise read.error
            if unit:
                self._start(unit, read)
        except BaseException:  # After any kind of error this GOP is missing.
            self._break()
            raise
        concealed = not self._move(None if unit else shown_position(packet.data)) or self._broken
        if self._shown is None:
            return []
        planes = from_coded(self._shown, self.header.format)
        return [Picture(planes, packet.pts, packet.duration, unit is not None and unit.key, concealed)]

    def _start(self, unit: GopUnit, read: ReadPacket) -> None:
        if unit.header:
            if self.header and unit.header.format.coded.plane_shapes != self.header.format.coded.plane_shapes:
                self._shown = None
            self.header = read.header
        elif self._broken or read.pictures is None:
            self._break()
            self._conceal(unit)
            return
        self._pictures = []  # The pictures of the GOP before are freed before this one's are waited for.
        shown = zip(*self._overlap.join(read.pictures.result(), unit.shown, unit.key), strict=True)
        self._pictures, self._position = [partial(tuple, planes) for planes in shown], 0
        self._broken = False

    def _break(self) -> None:
        """Forget the GOP, so that pictures are concealed until the next keyframe."""
        self._pictures, self._position, self._broken = [], 0, True
        self._overlap.forget()

    def _conceal(self, unit: GopUnit) -> None:
        """Conceal a GOP that cannot be decoded by a fade from the picture shown last to the GOP's last still.

        Most stills need earlier ones as references. If the still cannot be decoded, the picture shown last remains.
        """
        if self._shown is None or not unit.last:
            return
        try:
            last = decode_still(unit.last, self.header.format.coded)
        except BitstreamError:
            return
        self._pictures = [partial(_faded, self._shown, last, i, unit.shown) for i in range(1, unit.shown + 1)]

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


def _faded(first: Planes, last: Planes, index: int, span: int) -> Planes:
    """Return the blend of two pictures in which `last` has the weight index / span."""
    return tuple(fade(a, b, [index], span)[0] for a, b in zip(first, last, strict=True))
