# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Reading of packets in their order: which GOP each carries, and which GOPs are missing."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..bitstream import (
    MAX_SHOWN,
    GopUnit,
    SequenceHeader,
    is_key,
    parse_sequence_header,
    read_packet,
    salvage_first,
    shown_position,
)
from ..errors import BitstreamError
from ..media import Clip, Packet, Planes
from ..stills.av1 import decode_still
from .concealment import Substitute, makeshift
from .decoder import check_unit


@dataclass(frozen=True)
class Outcome:
    """What has become of a GOP.

    clip: its pictures. Default: none, since the GOP itself or one that it needs is missing, or because of an error.
    concealed: whether these are not quite the right ones. Default: not.
    error: error that prevents them. Default: none.
    substitute: pictures in their place. Default: none; the picture shown last remains.
    """

    clip: Clip | None = None
    concealed: bool = False
    error: BitstreamError | None = None
    substitute: Substitute | None = None


NOTHING = Outcome()


@dataclass(frozen=True)
class ReadPacket:
    """A packet that was read, and of which at least the serial part is decoded.

    packet: the packet itself.
    unit: GOP in it. Default: none.
    header: sequence header in force. Default: none is known.
    outcome: future of what becomes of the GOP (Outcome), or the error that prevents it, if that is no fault of the
        stream. Default: none; the packet shows a picture of a GOP before it, or has an error.
    error: error in the packet, whatever came before it. Default: none.
    damage: damage in the packet in spite of which it could be read. Default: none.
    makeshift: picture in the place of the first one, where none was shown yet. Default: none.
    skipped: whether no picture is wanted, and the packet changes nothing. Default: not.
    """

    packet: Packet
    unit: GopUnit | None = None
    header: SequenceHeader | None = None
    outcome: Future | None = None
    error: Exception | None = None
    damage: BitstreamError | None = None
    makeshift: Planes | None = None
    skipped: bool = False

    @property
    def done(self) -> bool:
        """Whether `Display.show` need not wait."""
        return self.outcome is None or self.outcome.done()

    @property
    def position(self) -> int | None:
        """Number of its picture in the GOP; None = the next one."""
        return 0 if self.carries else shown_position(self.packet.data)

    @property
    def landmark(self) -> tuple[int, Planes] | None:
        """A picture of its GOP that is known, and its time; None if there is none, or none was decoded yet."""
        time = self.packet.pts
        if time is None or self.outcome is None or not self.outcome.done() or self.outcome.exception():
            return None
        outcome = self.outcome.result()
        if outcome.clip is not None:
            return time, tuple(plane[0] for plane in outcome.clip)
        substitute = outcome.substitute
        if substitute is None:
            return None
        left = substitute.span - substitute.start - (self.position or 0)
        return time + max(left, 0) * self.packet.duration, substitute.last

    @property
    def carries(self) -> bool:
        """Whether the packet is the first one of a GOP, as far as it can be told."""
        return self.unit is not None or self.error is not None


class PacketReader:
    """Reads the packets of a stream in their order: which GOP each carries, and which GOPs are missing.

    A derived class says in `_begin` and `_pass_gap` what becomes of a GOP.

    extradata: bytes of the sequence header. Default: the first keyframe has it.
    keyframes: whether all packets but keyframes are skipped, and keyframes are read as if `Packet.alone` were set.
        Default: not.
    Raises BitstreamError if `extradata` is damaged.

    Attributes:
        header: sequence header in force, None before the first one.
    """

    def __init__(self, extradata: bytes | None = None, keyframes: bool = False):
        self.header: SequenceHeader | None = parse_sequence_header(extradata) if extradata else None
        self._keyframes = keyframes
        self.flush()

    def flush(self) -> None:
        """Forget all GOPs, as for a seek."""
        self._places = range(1, 1)  # positions in the GOP of the pictures that may be shown next
        self._missing: Future | None = None  # outcome of the GOP, if its packet is missing
        self._until: int | None = None  # end of the last packet's time, None if it is not known

    def read(self, packet: Packet) -> ReadPacket:
        """Read the next packet. Errors are in the result, since they belong to the picture that it shows."""
        if self._keyframes and not is_key(packet.data):
            return ReadPacket(packet, header=self.header, skipped=True)
        unit = None
        try:
            unit = read_packet(packet.data)
            return self._read_gop(packet, unit) if unit else self._read_show(packet)
        except Exception as error:
            return self._read_damaged(packet, unit, error)
        finally:
            self._until = packet.pts + packet.duration if packet.pts is not None and packet.duration else None

    def _read_gop(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP. Raises errors that do not depend on earlier GOPs."""
        self._places, self._missing = range(1, unit.shown), None
        header = unit.header or self.header
        if header:
            check_unit(header, unit)
        if unit.header and header.mode.has_first and (packet.alone or self._keyframes):
            still = decode_still(unit.first, header.format.coded)
            self.header = header
            outcome = done(Outcome(tuple(plane[None] for plane in still)))
        else:
            if unit.header:
                self._use(unit.header)
            outcome = self._begin(packet, unit)
        return ReadPacket(packet, unit, self.header, outcome, damage=_damage_of(unit))

    def _read_show(self, packet: Packet) -> ReadPacket:
        """Read a packet that shows a picture, of the GOP before or of one whose packet is missing.

        A position that does not come next belongs to another GOP, if packets are missing before it. Otherwise it is
        damaged, or came twice.
        """
        position = shown_position(packet.data)
        if position is None:
            position = self._places.start
        if position not in self._places and (packet.pts is None or self._until is None or packet.pts > self._until):
            self._miss()
        self._places = range(max(position + 1, self._places.start), self._places.stop)
        return ReadPacket(packet, header=self.header, outcome=self._missing)

    def _read_damaged(self, packet: Packet, unit: GopUnit | None, error: Exception) -> ReadPacket:
        if unit is not None:
            return ReadPacket(packet, unit, self.header, error=error)
        self._miss()
        known = is_key(packet.data) and self.header
        still = makeshift(salvage_first(packet.data), self.header.format.coded) if known else None
        return ReadPacket(packet, None, self.header, self._missing, error, makeshift=still)

    def _miss(self) -> None:
        """Note that the packet of the next GOP is missing."""
        self._places, self._missing = range(1, MAX_SHOWN), self._pass_gap()

    def _use(self, header: SequenceHeader) -> None:
        """Use the sequence header of a keyframe, which may be a different one where streams were joined."""
        self.header = header

    def _begin(self, packet: Packet, unit: GopUnit) -> Future:
        """Begin with a GOP, and return the future of its Outcome."""
        raise NotImplementedError

    def _pass_gap(self) -> Future:
        """Pass over a GOP whose packet is missing, and return the future of its Outcome."""
        raise NotImplementedError


def done(outcome: Any) -> Future:
    """Return a future that has a result."""
    future = Future()
    future.set_result(outcome)
    return future


def _damage_of(unit: GopUnit) -> BitstreamError | None:
    """Return the error that a GOP was read in spite of."""
    if unit.damage:
        return BitstreamError("atoms", 0, unit.damage)
    return BitstreamError("packet_checksum", 0, "wrong bits were put right") if unit.repaired else None
