# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Packets: one a frame. The first of a GOP carries the GOP, each later one says which of its pictures to show.

Syntax: docs/BITSTREAM.md, "Packets". The payload of stills, side information and atoms is opaque here.
"""

import zlib
from dataclasses import dataclass

from ..errors import BitstreamError
from .fields import FieldReader, FieldWriter
from .levels import MAX_LEVEL
from .sequence import MAX_SIZE, SequenceHeader, parse_sequence_header, write_sequence_header

GOP, KEY_GOP = 1, 2
MAX_SHOWN = 129
FIRST_SHOW = 3  # the byte that shows the picture at position 1
HAS_FIRST, HAS_LAST, HAS_TAIL, HAS_AHEAD, IS_BARE = 1, 2, 4, 8, 16
ALL_PARTS = HAS_FIRST | HAS_LAST | HAS_TAIL | HAS_AHEAD | IS_BARE
CHECKSUM_SIZE = 4
# About how many bytes of a GOP packet are neither stills, side information nor atoms.
GOP_BYTES, HEADER_BYTES = 20, 65  # in every GOP packet, and the sequence header of a keyframe
BARE_BYTES = 14  # in the packet of a GOP without atoms


@dataclass(frozen=True, kw_only=True)
class GopUnit:
    """One coded GOP: the elements of its packet, in their order.

    header: of a key GOP; None elsewhere.
    index: number of the GOP in the stream, keys the codebooks.
    shown: pictures that this GOP adds to the video, 1..MAX_SHOWN (a shared first boundary is not among them).
    first, last: boundary stills, b"" where the GOP has none of its own.
    ahead: pictures after those that the GOP codes too, to be blended with the next GOP's, 0..MAX_SHOWN.
    tail: correction of the last pictures (gvc.gop.tail), b"" where there is none.
    start, stop, stride: noise levels of the ancestral transition (gvc.bitstream.levels); all 0 with the sde transition.
    bare: the latent is empty, so the packet has no levels and no atoms; read back, they are 0, 0, 1 and b"".
    """

    header: SequenceHeader | None = None
    index: int
    shown: int
    bare: bool = False
    ahead: int = 0
    first: bytes = b""
    last: bytes = b""
    tail: bytes = b""
    side: bytes = b""  # of the prior
    start: int = 0
    stop: int = 0
    stride: int = 0
    atoms: bytes = b""

    @property
    def key(self) -> bool:
        """Whether decoding can start here."""
        return self.header is not None


def write_gop(unit: GopUnit) -> bytes:
    """Return the packet that carries a GOP."""
    w = FieldWriter()
    w.uint(KEY_GOP if unit.header else GOP, 1)
    if unit.header:
        w.sized(write_sequence_header(unit.header))
    w.uint(unit.index, 4)
    w.uint(unit.shown, 1)
    stills = ((unit.first, HAS_FIRST), (unit.last, HAS_LAST), (unit.tail, HAS_TAIL))
    parts = (*stills, (unit.ahead, HAS_AHEAD), (unit.bare, IS_BARE))
    w.uint(sum(flag for part, flag in parts if part), 1)
    if unit.ahead:
        w.uint(unit.ahead, 1)
    for still in filter(None, (still for still, _ in stills)):
        w.sized(still)
    w.sized(unit.side)
    if not unit.bare:
        w.uint(unit.start, 2)
        w.uint(unit.stop, 2)
        w.uint(unit.stride, 1)
        w.sized(unit.atoms)
    w.uint(zlib.crc32(bytes(w)), CHECKSUM_SIZE)
    return bytes(w)


def gop_overhead(key: bool) -> int:
    """Return about how many bytes of a GOP packet are neither stills, side information nor atoms."""
    return GOP_BYTES + HEADER_BYTES * key


def write_show(position: int) -> bytes:
    """Return the packet that shows the picture at `position` of a GOP, 1..MAX_SHOWN - 1; the GOP's own shows 0."""
    return bytes([FIRST_SHOW - 1 + position])


def is_show(data: bytes) -> bool:
    """Whether a packet shows a picture of the GOP before it. It does so whatever a damaged byte says."""
    return len(data) == 1 and data[0] not in (GOP, KEY_GOP)


def is_key(data: bytes) -> bool:
    """Whether a packet carries a key GOP, with which decoding can start."""
    return data[:1] == bytes([KEY_GOP])


def shown_position(data: bytes) -> int | None:
    """Return which picture of its GOP a show packet is for, 1..MAX_SHOWN - 1, or None where it is just the next."""
    position = data[0] - FIRST_SHOW + 1
    return position if 1 <= position < MAX_SHOWN else None


def pictures_in(data: bytes) -> int:
    """Return the number of pictures in the GOP that a packet carries; 0 for any other packet."""
    try:
        unit = read_packet(data)
    except BitstreamError:
        return 0
    return unit.shown + unit.ahead if unit else 0


def read_packet(data: bytes) -> GopUnit | None:
    """Parse a packet; None is a show packet. Raises BitstreamError for anything else but a whole GOP."""
    if is_show(data):
        return None
    r = FieldReader(data)
    kind = r.uint("packet_type", 1, GOP, KEY_GOP)
    if len(data) <= CHECKSUM_SIZE or zlib.crc32(data[:-CHECKSUM_SIZE]) != int.from_bytes(
        data[-CHECKSUM_SIZE:], "little"
    ):
        raise BitstreamError("packet_checksum", len(data), "the packet is damaged or cut off")
    header = None
    if kind == KEY_GOP:
        blob = r.sized("sequence_header")
        if len(blob) > MAX_SIZE:
            raise r.fail("sequence_header", f"it has {len(blob)} bytes and {MAX_SIZE} are allowed")
        header = parse_sequence_header(blob)
    index = r.uint("gop_index", 4)
    shown = r.uint("shown", 1, 1, MAX_SHOWN)
    parts = r.uint("boundary_flags", 1, 0, ALL_PARTS)
    ahead = r.uint("ahead", 1, 1, MAX_SHOWN) if parts & HAS_AHEAD else 0
    first = r.part("first") if parts & HAS_FIRST else b""
    last = r.part("last") if parts & HAS_LAST else b""
    tail = r.part("tail") if parts & HAS_TAIL else b""
    side = r.sized("side")
    start, stop, stride, atoms = 0, 0, 1, b""
    if not (bare := bool(parts & IS_BARE)):
        start = r.uint("start", 2, 0, MAX_LEVEL)
        stop = r.uint("stop", 2, 0, start)
        stride = r.uint("stride", 1)
        atoms = r.sized("atoms")
    r.uint("packet_checksum", CHECKSUM_SIZE)
    r.finish("packet_checksum")
    return GopUnit(
        header=header,
        index=index,
        shown=shown,
        bare=bare,
        ahead=ahead,
        first=first,
        last=last,
        tail=tail,
        side=side,
        start=start,
        stop=stop,
        stride=stride,
        atoms=atoms,
    )
