# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The pictures that a decoder shows: those of decoded GOPs in their order, and others in place of those that are lost.

A GOP may be decoded while earlier ones are still under way (gvc.gop.decoder). Only here, where pictures are shown in
order, is it known whether the GOPs before it were good.
"""

from collections.abc import Callable
from functools import partial

from ..bitstream import MAX_SHOWN, SequenceHeader, shown_position
from ..errors import BitstreamError
from ..media import Picture, Planes
from ..pictures.samples import from_coded
from .concealment import Substitute
from .overlap import Overlap
from .reader import NOTHING, ReadPacket


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
        packet, unit = read.packet, read.unit
        try:
            if read.error and not isinstance(read.error, BitstreamError):
                raise read.error
            error = self._start(read) if read.carries or read.outcome else None
        except BaseException:  # After such an error this GOP is missing, too.
            self._replace(None)
            raise
        error = read.error or error or read.damage
        found = self._move(0 if read.carries else shown_position(packet.data))
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
            self._concealed = outcome.concealed
        return outcome.error

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
