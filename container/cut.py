# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Take a part out of a film. Packets are copied, and only an exact beginning needs a chain that is coded anew.

The end is always exact: a packet shows one picture, so those after the end are left out, and what remains decodes to
the same pictures as before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain, takewhile

from gvc.bitstream import SequenceHeader, is_key, read_packet
from gvc.errors import BitstreamError, MediaError
from gvc.media import Packet

from .span import Span

ROUNDING = Fraction(1, 2000)  # Half of the last digit, in seconds, of times that are given with three decimals

# Function that codes a chain anew without its first pictures: (packets of the chain, number of pictures) -> packets
Recode = Callable[[Sequence[Packet], int], Iterator[Packet]]


class VideoCut:
    """The packets of a part of a film, on the clock of the part: an iterator.

    Args:
        packets: packets of the film in their order, on a clock that begins at 0.
        time_base: seconds in a tick of their times.
        wanted: part that is wanted.
        recode: function that codes the rest of a chain. The part then begins with the picture that is shown at the
            wanted time. Default: none, it begins with the keyframe at or before that.

    Attributes:
        header: sequence header of the part's first chain in the film; None if its keyframe is damaged.
        span: part that is taken, with its actual beginning.
        recoded: number of pictures that are coded anew.

    Raises MediaError if the film ends before the part.
    """

    def __init__(self, packets: Iterator[Packet], time_base: Fraction, wanted: Span, recode: Recode | None = None):
        begun, later = _chain_at(packets, (wanted.start + ROUNDING) / time_base)
        if not begun:
            raise MediaError("the film has no keyframe to begin with")
        last = begun[-1]
        if (wanted.start - ROUNDING) / time_base >= last.pts + max(last.duration, 1):
            raise MediaError(f"the film ends {float((last.pts + last.duration) * time_base):.3f} s after its beginning")
        self.header = _header(begun[0])
        skipped = len(begun) - 1 if recode else 0
        self._first = begun[skipped].pts
        end = None if wanted.end is None else (wanted.end - ROUNDING) / time_base
        self.span, self.recoded = Span(self._first * time_base, wanted.end), 0
        if skipped:
            rest, later = _chain_and_later(later)
            begun = [packet for packet in chain(begun, rest) if end is None or packet.pts < end]
            self.recoded = len(begun) - skipped
            begun = recode(begun, skipped)
        self._packets = takewhile(lambda packet: end is None or packet.pts < end, chain(begun, later))

    def __iter__(self) -> "VideoCut":
        return self

    def __next__(self) -> Packet:
        packet = next(self._packets)
        return replace(packet, pts=packet.pts - self._first)


def _header(packet: Packet) -> SequenceHeader | None:
    with suppress(BitstreamError):
        return read_packet(packet.data).header


def _chain_at(packets: Iterator[Packet], tick: Fraction) -> tuple[list[Packet], Iterator[Packet]]:
    """Return (packets of a chain up to the one that is shown at a time, all later packets).

    It is the first chain if the film begins later.
    """
    begun = []
    for packet in packets:
        if begun and packet.pts > tick:
            return begun, chain([packet], packets)
        if is_key(packet.data):
            begun = []
        if begun or is_key(packet.data):
            begun.append(packet)
    return begun, iter(())


def _chain_and_later(packets: Iterator[Packet]) -> tuple[list[Packet], Iterator[Packet]]:
    """Return (packets up to the next keyframe, all from there on)."""
    rest = []
    for packet in packets:
        if is_key(packet.data):
            return rest, chain([packet], packets)
        rest.append(packet)
    return rest, iter(())
