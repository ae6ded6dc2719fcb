# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder: packets in, pictures out."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache

from .bitstream import (
    INDEXES,
    MAX_SHOWN,
    GopUnit,
    SequenceHeader,
    is_key,
    parse_sequence_header,
    read_packet,
    salvage_first,
    shown_position,
)
from .errors import BitstreamError
from .gop.concealment import makeshift
from .gop.decoder import ParsedGop, Reconstruction, check_unit, condition_of, open_gop
from .gop.display import Display, ReadPacket
from .gop.rule import CurrentGop, gop_here, in_loop, rule_of
from .gop.survival import ChainState
from .loop.denoise import OnStep
from .machine.parallel import Team
from .media import Clip, Packet, Picture, Planes, VideoFormat
from .options import DECODER_OPTIONS, parse_options
from .prior import Anchor, ModelOptions, Prior
from .priors import Opener, has_memory, open_prior, prior_for
from .stills.av1 import decode_still

PRIORS = 8  # number of priors that stay open, since each keyframe may name another one


class PacketReader:
    """Reads the packets of a stream in their order: which GOP each carries, and whether it can be decoded at all.

    A derived class says in `_decoded` how the pictures of a GOP are made.

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
        self._next_index: int | None = None  # index of the chain's next GOP; None if a GOP is missing

    def read(self, packet: Packet) -> ReadPacket:
        """Read the next packet. Errors are in the result, since they belong to the picture that it shows."""
        if self._keyframes and not is_key(packet.data):
            return ReadPacket(packet, header=self.header, skipped=True)
        unit = None
        try:
            unit = read_packet(packet.data)
            return self._read_gop(packet, unit) if unit else self._read_show(packet)
        except BaseException as error:
            self._next_index = None
            if not isinstance(error, Exception):
                raise
            return self._spoiled(ReadPacket(packet, unit, self.header, error=error))

    def _read_gop(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP. Raises errors that do not depend on earlier GOPs."""
        header = unit.header or self.header
        if header:
            check_unit(header, unit)
        if unit.header and header.mode.has_first and (packet.alone or self._keyframes):
            self.header, self._next_index = header, None
            return ReadPacket(packet, unit, header, _done(_clip_of(decode_still(unit.first, header.format.coded))))
        if unit.header:
            self._use(unit.header)
        elif self._next_index is None or unit.index != self._next_index:
            self._next_index = None
            return self._read_after_gap(packet, unit)
        return self._read_next(packet, unit)

    def _read_next(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP, of which all that it needs is there."""
        try:
            return self._begin(packet, unit)
        except Exception as error:
            return ReadPacket(packet, unit, self.header, _failed(error))

    def _begin(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Begin with the pictures of a GOP. Raises what `_decoded` does."""
        self._next_index = None
        pictures = self._decoded(packet, unit)
        self._next_index = (unit.index + 1) % INDEXES
        return ReadPacket(packet, unit, self.header, pictures, damage=_damage_of(unit), concealed=bool(unit.damage))

    def _read_after_gap(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP before which others of its chain are missing."""
        return ReadPacket(packet, unit, self.header)

    def _read_show(self, packet: Packet) -> ReadPacket:
        """Read a packet that shows a picture of an earlier one's GOP."""
        return ReadPacket(packet, header=self.header)

    def _spoiled(self, read: ReadPacket) -> ReadPacket:
        """Return what was read of a packet with an error, with what conceals it."""
        return read

    def _use(self, header: SequenceHeader) -> None:
        """Use the sequence header of a keyframe, which may be a different one where streams were joined."""
        self.header = header

    def _decoded(self, packet: Packet, unit: GopUnit) -> Future:
        """Return the pictures of a GOP (Clip), whose chain is complete up to it. Raises what `open_gop` does."""
        raise NotImplementedError


class GopReader(PacketReader):
    """Reads the packets of a stream in their order, and has the GOPs decoded in the threads of a team.

    Several GOPs are decoded at a time if their prior is `concurrent` and the next GOP does not need their pictures.
    Otherwise `read` returns when the GOP is decoded.

    It takes the arguments of Decoder and raises the same errors.
    """

    def __init__(
        self,
        extradata: bytes | None = None,
        options: Mapping[str, object] | None = None,
        opener: Opener | None = None,
        on_step: OnStep | None = None,
    ):
        self.options = parse_options(DECODER_OPTIONS, options or {})
        super().__init__(extradata, bool(self.options.keyframes))
        self.team = Team(self.options.threads)
        self._opener = lru_cache(maxsize=PRIORS)(opener or open_prior)
        self._prior: Prior | None = None
        self._opened: SequenceHeader | None = None  # the header for which the prior was opened
        self._on_step = on_step
        self._latest = CurrentGop()  # the GOP that was begun last
        self._wanted = True  # whether pictures are wanted

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that this thread decodes; elsewhere of the one that was begun last."""
        return gop_here(self._latest)

    def flush(self) -> None:
        """Forget all GOPs, as for a seek."""
        super().flush()
        self._chain: ChainState | None = None
        self._places = range(1, 1)  # positions in the GOP of the pictures that may be shown next
        self._lost = False  # whether its packet is missing
        self._until: int | None = None  # end of the last packet's time, None if it is not known

    def read(self, packet: Packet) -> ReadPacket:
        with self.team.leading():
            read = super().read(packet)
        self._until = packet.pts + packet.duration if packet.pts is not None and packet.duration else None
        return read

    def pass_over(self, packet: Packet) -> None:
        """Read a packet whose pictures nobody wants, with no more work than the GOPs after it need."""
        self._wanted = False
        try:
            self.read(packet)
        finally:
            self._wanted = True

    def _read_gop(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        self._places, self._lost = range(1, unit.shown), False
        read = super()._read_gop(packet, unit)
        return self._with_substitute(read, unit.shown)

    def _read_after_gap(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP before which others of its chain are missing.

        In t2v it needs none of them but for the pictures that both code. In flf2v it needs stills, of which some may be
        there. In i2v it needs all GOPs before.
        """
        read = ReadPacket(packet, unit, self.header)
        if self._chain is None:
            return read
        mode = self.header.mode
        if not mode.has_first:
            return replace(self._read_next(packet, unit), concealed=True)
        if mode.has_last and not self._chain.has(unit):
            self._chain = ChainState(self.header, unit, self._chain)
        if not mode.has_last or self._chain.is_late(unit):
            return read
        self._chain.stills.whole = False
        return self._read_next(packet, unit)

    def _read_next(self, packet: Packet, unit: GopUnit) -> ReadPacket:
        """Read a packet with a GOP; where something of the chain is missing, it is no error that this GOP needs it."""
        if unit.key or not self._chain or self._chain.stills.whole:
            return super()._read_next(packet, unit)
        try:
            return self._begin(packet, unit)
        except BitstreamError:
            return ReadPacket(packet, unit, self.header)

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
        read = ReadPacket(packet, header=self.header, lost=self._lost)
        return self._with_substitute(read) if self._lost else read

    def _spoiled(self, read: ReadPacket) -> ReadPacket:
        if read.unit is not None:
            return read
        self._miss()
        if is_key(read.packet.data) and self.header:
            still = makeshift(salvage_first(read.packet.data), self.header.format.coded)
            read = replace(read, makeshift=still)
        return self._with_substitute(read)

    def _miss(self) -> None:
        """Note that the packet of the next GOP is missing."""
        self._places, self._lost = range(1, MAX_SHOWN), True
        if self._chain:
            self._chain.miss()

    def _with_substitute(self, read: ReadPacket, count: int = 0) -> ReadPacket:
        return replace(read, substitute=self._chain.substitute(count)) if self._chain else read

    def _decoded(self, packet: Packet, unit: GopUnit) -> Future:
        if unit.key:
            self._chain = ChainState(self.header, unit)
        chain, needed = self._chain, self.header.mode.has_first
        chain.enter(unit)
        anchor = None
        if needed and not unit.key:
            anchor = chain.anchor(unit)
            if anchor is None:
                chain.pass_over(unit)
                raise BitstreamError("gop_index", 0, "the GOP before is missing")
        current = self._latest = CurrentGop(self._latest.number + 1, len(rule_of(self.header, unit).times))
        if not self._wanted:
            if needed:
                chain.leave(self._anchor_alone(unit, anchor, current))
            return _done(())
        gop = open_gop(self._prior, self.header, unit, anchor, chain.stills)
        if self._prior.concurrent and (gop.condition.ending or not needed):
            if needed:
                chain.leave(Anchor(gop.condition.ending, gop.conditioned.memory))
            return self.team.submit(lambda: self._reconstruct(gop, current).shown(self.options.realism))
        reconstruction = self._reconstruct(gop, current)
        pictures = reconstruction.shown(self.options.realism)
        # With realism > 0 an anchor costs a second reconstruction, so it is made only in modes that use it.
        if needed:
            chain.leave(reconstruction.anchor())
        return _done(pictures)

    def _anchor_alone(self, unit: GopUnit, anchor: Anchor | None, current: CurrentGop) -> Anchor:
        """Return what a GOP passes to the next one, with as little as possible of the work that its pictures need."""
        if self.header.mode.has_last and not has_memory(self.header.prior):
            return Anchor(condition_of(self.header, unit, anchor, self._chain.stills).ending, None)
        gop = open_gop(self._prior, self.header, unit, anchor, self._chain.stills)
        if gop.condition.ending:
            return Anchor(gop.condition.ending, gop.conditioned.memory)
        return self._reconstruct(gop, current).anchor()

    def _reconstruct(self, gop: ParsedGop, current: CurrentGop) -> Reconstruction:
        with in_loop(current):
            return gop.reconstruct(self._on_step)

    def _use(self, header: SequenceHeader) -> None:
        opened = self._opened
        if opened is None or (header.prior, header.weights_hash) != (opened.prior, opened.weights_hash):
            self._prior = prior_for(header, self.options.prior, ModelOptions.of(self.options), self._opener)
        self.header = self._opened = header


class Decoder:
    """Turns packets into pictures. A GOP is decoded with its first packet.

    Args:
        extradata: bytes of the sequence header (Encoder.extradata), default: those in the first keyframe.
        options: values by name (gvc.options.DECODER_OPTIONS), text or numbers. Pictures always come with their packets,
            whatever low_delay and frame_delay say; these are for gvc.ahead.AheadDecoder.
        opener: a function that gives the prior for a name, such as one that shares it, default: gvc.open_prior.
        on_step: a function that is called at each step of each GOP (gvc.loop.denoise.OnStep), in any thread, default:
            none.

    Attributes:
        header: the sequence header, parsed; None while none is known.
        gop: number and steps of the GOP that is being decoded, or was last.
    Raises BitstreamError if `extradata` is damaged, OptionError. The prior is opened with the first GOP, which may
    raise PriorError.
    """

    def __init__(
        self,
        extradata: bytes | None = None,
        options: Mapping[str, object] | None = None,
        opener: Opener | None = None,
        on_step: OnStep | None = None,
    ):
        self._reader = GopReader(extradata, options, opener, on_step)
        self._display = Display(self._reader.header)
        self.options = self._reader.options

    @property
    def header(self) -> SequenceHeader | None:
        """The sequence header, parsed; None while none is known."""
        return self._display.header

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that this thread decodes; elsewhere of the one that was begun last."""
        return self._reader.gop

    @property
    def format(self) -> VideoFormat | None:
        """Geometry and colour, None while no sequence header is known."""
        return self.header.format if self.header else None

    def flush(self) -> None:
        """Forget all state, as for a seek. No picture is returned before the next keyframe."""
        self._reader.flush()
        self._display.flush()

    def decode(self, packet: Packet | None) -> list[Picture]:
        """Decode one packet, or None at the end. Return the packet's picture, or [] before the first keyframe.

        If a GOP is lost or damaged, its packets show pictures between the stills before and after it, or the last
        picture again where no such stills are there. So do GOPs that need what is lost. Such pictures are marked as
        concealed, and that of a damaged packet has the error. Raises BitstreamError for a damaged packet before the
        first picture; decoding may continue after it.

        A keyframe that is decoded alone (Packet.alone, option keyframes) is shown as its AV1 still, without the prior.
        Pictures after it, if their packets come all the same, are concealed. T2v has no stills; there the GOP is
        decoded as ever.
        """
        return self._display.show(self._reader.read(packet)) if packet else []


def _clip_of(planes: Planes) -> Clip:
    """Return a clip of one picture."""
    return tuple(plane[None] for plane in planes)


def _done(pictures: Clip) -> Future:
    future = Future()
    future.set_result(pictures)
    return future


def _damage_of(unit: GopUnit) -> BitstreamError | None:
    """Return the error that a GOP was read in spite of."""
    if unit.damage:
        return BitstreamError("atoms", 0, unit.damage)
    return BitstreamError("packet_checksum", 0, "wrong bits were put right") if unit.repaired else None


def _failed(error: Exception) -> Future:
    future = Future()
    future.set_exception(error)
    return future
