# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder: packets in, pictures out."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from .bitstream import GopUnit, SequenceHeader, parse_sequence_header, read_packet, shown_position
from .errors import BitstreamError
from .gop.decoder import check_unit, decode_gop
from .gop.overlap import Overlap
from .gop.rule import CurrentGop, rule_of
from .loop.denoise import OnStep
from .machine.parallel import limited
from .media import Packet, Picture, Planes, VideoFormat
from .options import DECODER_OPTIONS, parse_options
from .pictures.fade import fade
from .pictures.samples import from_coded
from .prior import Anchor, ModelOptions, Prior
from .priors import Opener, open_prior, prior_for
from .stills.av1 import StillDecoder, decode_still

PRIORS = 8  # number of priors that stay open, since each keyframe may name another one


class Decoder:
    """Turns packets into pictures. A GOP is decoded with its first packet.

    Args:
        extradata: bytes of the sequence header (Encoder.extradata), default: those in the first keyframe.
        options: values by name (gvc.options.DECODER_OPTIONS), text or numbers. Pictures always come with their packets,
            whatever low_delay and frame_delay say; these are for gvc.ahead.AheadDecoder.
        opener: a function that gives the prior for a name, such as one that shares it, default: gvc.open_prior.
        on_step: a function that is called at each step of each GOP (gvc.loop.denoise.OnStep), default: none.

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
        self.options = parse_options(DECODER_OPTIONS, options or {})
        self.header: SequenceHeader | None = parse_sequence_header(extradata) if extradata else None
        self._opener = lru_cache(maxsize=PRIORS)(opener or open_prior)
        self._prior: Prior | None = None
        self._on_step = on_step
        self.gop = CurrentGop()
        self._overlap = Overlap()
        self.flush()

    @property
    def format(self) -> VideoFormat | None:
        """Geometry and colour, None while no sequence header is known."""
        return self.header.format if self.header else None

    def flush(self) -> None:
        """Forget all state, as for a seek. No picture is returned before the next keyframe."""
        self._pictures: list[Callable[[], Planes]] = []  # functions that make the pictures of the current GOP
        self._position = 0  # index of the next picture in this list
        self._overlap.forget()
        self._anchor: Anchor | None = None
        self._stills: StillDecoder | None = None  # decoder of the chain's stills
        self._next_index: int | None = None  # index of the chain's next GOP; None if a GOP is missing
        self._shown: Planes | None = None

    def decode(self, packet: Packet | None) -> list[Picture]:
        """Decode one packet, or None at the end. Return the packet's picture, or [] before the first keyframe.

        If a GOP is lost or damaged, its packets show the last picture again. Until the next keyframe, later GOPs fade
        to their last still if it can be decoded, and otherwise repeat the last picture. Such pictures are marked as
        concealed. Raises BitstreamError for the damaged packet itself; decoding may continue after it.
        """
        if packet is None:
            return []
        try:
            unit = read_packet(packet.data)
            if unit is not None:
                self._pictures, self._position = [], 0
                with limited(self.options.threads):
                    self._start_gop(unit)
        except BaseException:  # After any kind of error this GOP is missing.
            self._break_chain()
            self._pictures = []
            raise
        concealed = not self._show(None if unit else shown_position(packet.data)) or self._next_index is None
        if self._shown is None:
            return []
        planes = from_coded(self._shown, self.header.format)
        return [Picture(planes, packet.pts, packet.duration, unit is not None and unit.key, concealed)]

    def _show(self, position: int | None) -> bool:
        """Show a picture of the current GOP; return False if it is missing or was shown before.

        In that case the picture shown last remains: the packet belongs to a lost GOP, or came twice.

        position: number of the picture in the GOP; None = the next one.
        """
        if position is None:
            position = self._position
        found = self._position <= position < len(self._pictures)
        if found:
            self._shown, self._position = self._pictures[position](), position + 1
        return found

    def _start_gop(self, unit: GopUnit) -> None:
        header = unit.header or self.header
        if header:
            check_unit(header, unit)
        if unit.header:
            self._use(unit.header)
        elif self._next_index is None or unit.index != self._next_index:
            self._break_chain()
            self._conceal(unit)
            return
        anchor = None if unit.key else self._anchor
        if anchor is None:
            self._stills = StillDecoder(self.header.format.coded)
        self.gop = CurrentGop(self.gop.number + 1, len(rule_of(self.header, unit).times))
        reconstruction = decode_gop(self._prior, self.header, unit, anchor, self._stills, on_step=self._on_step)
        pictures = reconstruction.pictures(self.options.realism) if self.options.realism else reconstruction.plain
        shown = zip(*self._overlap.join(pictures, unit.shown, unit.key), strict=True)
        self._pictures = [partial(tuple, planes) for planes in shown]
        # With realism > 0 an anchor costs a second reconstruction, so it is made only in modes that use it.
        self._anchor = reconstruction.anchor() if self.header.mode.has_first else None
        self._next_index = (unit.index + 1) % 2**32

    def _break_chain(self) -> None:
        """Forget the state of the chain, so that GOPs are concealed until the next keyframe."""
        self._next_index, self._anchor = None, None
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

    def _use(self, header: SequenceHeader) -> None:
        """Use the sequence header of a keyframe, which may be a different one where streams were joined."""
        if self.header and header.format.coded.plane_shapes != self.header.format.coded.plane_shapes:
            self._shown = None
        if self._prior is None or (header.prior, header.weights_hash) != (self.header.prior, self.header.weights_hash):
            self._prior = prior_for(header, self.options.prior, ModelOptions.of(self.options), self._opener)
        self.header = header


def _faded(first: Planes, last: Planes, index: int, span: int) -> Planes:
    """Return the blend of two pictures in which `last` has the weight index / span."""
    return tuple(fade(a, b, [index], span)[0] for a, b in zip(first, last, strict=True))
