# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder: packets in, pictures out."""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import lru_cache

from .bitstream import INDEXES, GopUnit, SequenceHeader
from .errors import BitstreamError
from .gop.concealment import Substitute
from .gop.decoder import ParsedGop, Reconstruction, condition_of, open_gop
from .gop.display import Display
from .gop.reader import NOTHING, Outcome, PacketReader, ReadPacket, done
from .gop.rule import CurrentGop, gop_here, in_loop, rule_of
from .gop.survival import ChainState
from .loop.denoise import OnStep
from .machine.parallel import Team
from .media import Packet, Picture, VideoFormat
from .options import DECODER_OPTIONS, parse_options
from .prior import Anchor, ModelOptions, Prior
from .priors import Opener, has_memory, open_prior, prior_for

PRIORS = 8  # number of priors that stay open, since each keyframe may name another one


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
        self._next_index: int | None = None  # index of the chain's next GOP; None if a GOP is missing

    def read(self, packet: Packet) -> ReadPacket:
        with self.team.leading():
            return super().read(packet)

    def pass_over(self, packet: Packet) -> None:
        """Read a packet whose pictures nobody wants, with no more work than the GOPs after it need."""
        self._wanted = False
        try:
            self.read(packet)
        finally:
            self._wanted = True

    def _begin(self, packet: Packet, unit: GopUnit) -> Future:
        if unit.key:
            self._chain = ChainState(self.header, unit)
        if self._chain is None:
            return done(NOTHING)
        next_one = unit.key or unit.index == self._next_index
        self._next_index = None
        if not next_one and not self._resume(unit):
            return self._replaced(unit.shown)
        try:
            outcome = self._decoded(unit, bool(unit.damage) or (not next_one and not self.header.mode.has_first))
        except BitstreamError as error:
            # Where something of the chain is missing, it is no error that this GOP needs it.
            return self._replaced(unit.shown, error if unit.key or self._chain.stills.whole else None)
        except Exception as error:
            outcome = Future()
            outcome.set_exception(error)
            return outcome
        self._next_index = (unit.index + 1) % INDEXES
        return outcome

    def _resume(self, unit: GopUnit) -> bool:
        """Return whether a GOP may be decoded before which others of its chain are missing.

        In t2v it needs none of them but for the pictures that both code. In flf2v it needs stills, of which some may be
        there. In i2v it needs the picture before it, in whose place another one of the chain may be taken.
        """
        mode = self.header.mode
        if not mode.has_first:
            return True
        if mode.has_last and not self._chain.has(unit):
            self._chain = ChainState(self.header, unit, self._chain)
        known = mode.has_last or (unit.checked and self._chain.has(unit))
        if not known or self._chain.is_late(unit):
            return False
        self._chain.stills.whole = False
        return True

    def _pass_gap(self) -> Future:
        if self._chain is None:
            return done(NOTHING)
        self._chain.miss()
        return self._replaced()

    def _replaced(self, count: int = 0, error: BitstreamError | None = None) -> Future:
        """Return the outcome of a GOP that cannot be decoded. count: number of its pictures. Default: not known."""
        return done(Outcome(error=error, substitute=self._chain.substitute(count)))

    def _decoded(self, unit: GopUnit, concealed: bool) -> Future:
        """Return the outcome of a GOP. concealed: whether its pictures are not quite the right ones.

        Raises what `open_gop` and `ParsedGop.reconstruct` do.
        """
        chain, needed = self._chain, self.header.mode.has_first
        chain.enter(unit)
        anchor = None
        if needed and not unit.key:
            anchor = chain.anchor(unit)
            if anchor is None:
                chain.pass_over(unit)
                raise BitstreamError("gop_index", 0, "the GOP before is missing")
        concealed |= not chain.exact
        if concealed and needed and not self.header.mode.has_last:  # What it leaves is taken on
            chain.exact = False
        current = self._latest = CurrentGop(self._latest.number + 1, len(rule_of(self.header, unit).times))
        if not self._wanted:
            if needed:
                chain.leave(self._anchor_alone(unit, anchor, current))
            return done(NOTHING)
        gop = open_gop(self._prior, self.header, unit, anchor, chain.stills)
        if self._prior.concurrent and (gop.condition.ending or not needed):
            if needed:
                chain.leave(Anchor(gop.condition.ending, gop.conditioned.memory))
            substitute = chain.substitute(unit.shown)
            return self.team.submit(lambda: self._outcome(gop, current, concealed, substitute))
        reconstruction = self._reconstruct(gop, current)
        pictures = reconstruction.shown(self.options.realism)
        # With realism > 0 an anchor costs a second reconstruction, so it is made only in modes that use it.
        if needed:
            chain.leave(reconstruction.anchor())
        return done(Outcome(pictures, concealed))

    def _outcome(self, gop: ParsedGop, current: CurrentGop, concealed: bool, substitute: Substitute | None) -> Outcome:
        try:
            return Outcome(self._reconstruct(gop, current).shown(self.options.realism), concealed)
        except BitstreamError as error:
            return Outcome(error=error, substitute=substitute)

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
