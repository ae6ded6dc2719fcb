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

from ..bitstream import MAX_SHOWN, GopUnit, SequenceHeader, shown_position
from ..errors import BitstreamError
from ..media import Packet, Picture, Planes
from ..pictures.samples import from_coded
from .concealment import Substitute
from .overlap import Overlap


@dataclass(frozen=True)
class ReadPacket:
    """A packet that was read, and of which at least the serial part is decoded.

    packet: the packet itself.
    unit: GOP in it. Default: none.
    header: sequence header in force. Default: none is known.
    pictures: the GOP's pictures (Clip), None where an earlier GOP is missing, or the error that prevents them. Default:
        none; an earlier GOP is missing.
    error: error in the packet, whatever came before it. Default: none.
    damage: damage in the packet in spite of which there are pictures. Default: none.
    concealed: whether these pictures are not quite the right ones. Default: not.
    substitute: pictures in the place of those of the packet's GOP where there are none. Default: the one shown last.
    makeshift: picture in the place of the first one, where none was shown yet. Default: none.
    lost: whether the packet shows a picture of a GOP whose own packet is missing. Default: not.
    skipped: whether no picture is wanted, and the packet changes nothing. Default: not.
    """

    packet: Packet
    unit: GopUnit | None = None
    header: SequenceHeader | None = None
    pictures: Future | None = None
    error: Exception | None = None
    damage: BitstreamError | None = None
    concealed: bool = False
    substitute: Substitute | None = None
    makeshift: Planes | None = None
    lost: bool = False
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
        self._concealed = True  # whether they are not the right ones
        self._shown: Planes | None = None
        self._overlap.forget()

    def show(self, read: ReadPacket) -> list[Picture]:
        """Return the packet's picture, or [] before the first keyframe and for a skipped packet; wait for its decoding.

        The picture of a damaged packet has the error. Without a picture the error is raised, and so are errors of
        other kinds; the next packets can be shown after that.
        """
        if read.skipped:
            return []
        packet, unit, error = read.packet, read.unit, read.error or read.damage
        try:
            if read.error and not isinstance(read.error, BitstreamError):
                raise read.error
            if unit or read.error:
                self._start(read)
            elif read.lost:
                self._replace(read.substitute)
        except BitstreamError as found:
            error = found
            self._replace(read.substitute)
        except BaseException:  # After any other error this GOP is missing, too.
            self._replace(None)
            raise
        carried = unit is not None or read.error is not None
        found = self._move(0 if carried else shown_position(packet.data))
        if self._shown is None:
            self._shown = read.makeshift
        if self._shown is None:
            if error:
                raise error
            return []
        planes = from_coded(self._shown, self.header.format)
        concealed = not found or self._concealed
        key = unit is not None and unit.key
        return [Picture(planes, packet.pts, packet.duration, key, concealed, error)]

    def _start(self, read: ReadPacket) -> None:
        """Take the pictures of the GOP in a packet, or substitutes. Raises the error that prevents them."""
        unit = read.unit
        if unit and unit.header and not read.error:
            if self.header and unit.header.format.coded.plane_shapes != self.header.format.coded.plane_shapes:
                self._shown = None
            self.header = read.header
        if read.error or read.pictures is None:
            self._replace(read.substitute)
            return
        self._pictures = []  # The pictures of the GOP before are freed before this one's are waited for.
        clip = read.pictures.result()
        if clip is None:
            self._replace(read.substitute)
            return
        shown = zip(*self._overlap.join(clip, unit.shown, unit.key), strict=True)
        self._pictures, self._position = [partial(tuple, planes) for planes in shown], 0
        self._concealed = read.concealed

    def _replace(self, substitute: Substitute | None) -> None:
        """Show substitutes until the next GOP; without any, the picture shown last."""
        count = MAX_SHOWN if substitute else 0
        self._pictures = [partial(substitute.picture, position) for position in range(count)]
        self._position, self._concealed = 0, True
        self._overlap.forget()

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
