# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Packets: one a frame. The first of a GOP carries the GOP, each later one says which of its pictures to show.

Syntax: docs/BITSTREAM.md, "Packets". The payload of stills, side information and atoms is opaque here.
"""

import zlib
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..errors import BitstreamError
from .fields import FieldReader, FieldWriter
from .levels import MAX_LEVEL
from .repair import CHECKSUM_SIZE, has_checksum, repaired, segment_checks, segment_checks_size, with_checksum
from .sequence import MAX_SIZE, SequenceHeader, parse_sequence_header, write_sequence_header

GOP, KEY_GOP = 1, 2
INDEXES = 2**32  # number of different indexes of GOPs
MAX_SHOWN = 129
FIRST_SHOW = 3  # the byte that shows the picture at position 1
HAS_FIRST, HAS_LAST, HAS_TAIL, HAS_AHEAD, IS_BARE, IS_CHECKED = 1, 2, 4, 8, 16, 32
ALL_PARTS = HAS_FIRST | HAS_LAST | HAS_TAIL | HAS_AHEAD | IS_BARE | IS_CHECKED
ATOMS_CHECK_SIZE = 1
# About how many bytes of a GOP packet are neither stills, side information nor atoms.
GOP_BYTES, HEADER_BYTES = 23, 65  # in every GOP packet, and the sequence header of a keyframe
BARE_BYTES = 16  # in the packet of a GOP without atoms


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
    checked: whether the packet has checks of its parts, and its side information refers to that of the key GOP instead
        of the GOP before.
    number: number of the GOP in its chain, if it is `checked`, else 0; that of a key GOP is 0.
    last_check: check of the decoded `last` (gvc.stills.recovery.check_of) where the packet is `checked`, else 0.
    damage: what is wrong with `atoms` in a packet that was read, "" if nothing is.
    repaired: whether wrong bits were put right in a packet that was read.
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
    checked: bool = False
    number: int = 0
    last_check: int = 0
    damage: str = ""
    repaired: bool = False

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
    parts = (
        (unit.first, HAS_FIRST),
        (unit.last, HAS_LAST),
        (unit.tail, HAS_TAIL),
        (unit.ahead, HAS_AHEAD),
        (unit.bare, IS_BARE),
        (unit.checked, IS_CHECKED),
    )
    w.uint(sum(flag for part, flag in parts if part), 1)
    if unit.checked and not unit.header:
        w.varint(unit.number)
    if unit.ahead:
        w.uint(unit.ahead, 1)
    for still in filter(None, (unit.first, unit.last)):
        w.sized(still)
    if unit.checked and unit.last:
        w.uint(unit.last_check, 1)
    if unit.tail:
        w.sized(unit.tail)
    w.sized(unit.side)
    if not unit.bare:
        w.uint(unit.start, 2)
        w.uint(unit.stop, 2)
        w.uint(unit.stride, 1)
        w.varint(len(unit.atoms))
    atoms = b"" if unit.bare else unit.atoms
    if not unit.checked:
        return with_checksum(bytes(w) + atoms)
    w.raw(segment_checks(bytes(w)))
    return with_checksum(bytes(w)) + (b"" if unit.bare else atoms + _atoms_check(atoms))


def _atoms_check(atoms: bytes) -> bytes:
    return zlib.crc32(atoms).to_bytes(CHECKSUM_SIZE, "little")[:ATOMS_CHECK_SIZE]


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
    """Parse a packet; None is a show packet.

    Single wrong bits are put right. Raises BitstreamError for anything else but a whole GOP, or one whose atoms alone
    are damaged or cut off.
    """
    if is_show(data):
        return None
    end, checks = _extent(data)
    covered, rest = data[:end], data[end:]
    if damaged := not has_checksum(covered):
        covered = repaired(covered, checks)
        if covered is None or _extent(covered + rest) != (end, checks):
            FieldReader(data).uint("packet_type", 1, GOP, KEY_GOP)
            raise BitstreamError("packet_checksum", len(data), "the packet is damaged or cut off")
    head = _read_head(FieldReader(covered))
    header = parse_sequence_header(head.sequence_header) if head.key else None
    atoms, damage = _read_atoms(rest, head.atoms_size) if head.atoms_size is not None else (head.unit.atoms, "")
    return replace(head.unit, header=header, atoms=atoms, damage=damage, repaired=damaged)


def salvage_first(data: bytes) -> bytes:
    """Return what may be the first still of a damaged packet, b"" if its lengths make no sense."""
    try:
        return _read_head(_LenientReader(data)).unit.first
    except BitstreamError:
        return b""


class _LenientReader(FieldReader):
    """Reads fields whatever they say, to find out how long they are."""

    def uint(self, element: str, size: int, low: int = 0, high: int | None = None) -> int:
        return super().uint(element, size)

    def part(self, element: str) -> bytes:
        return self.sized(element)

    def finish(self, element: str) -> None:
        pass


class _Head(NamedTuple):
    """What a packet's checksum covers.

    unit: GOP without its sequence header and, in a checked packet, without its atoms.
    key: whether it is a key GOP.
    sequence_header: bytes of its sequence header.
    atoms_size: number of bytes of atoms after the checksum; None = there are none.
    size: number of bytes with the checksum.
    checks: number of bytes of checks of segments.
    """

    unit: GopUnit
    key: bool
    sequence_header: bytes
    atoms_size: int | None
    size: int
    checks: int


def _extent(data: bytes) -> tuple[int, int]:
    """Return (size of a packet with its checksum, size of the checks of segments), by lengths that may be damaged."""
    try:
        head = _read_head(_LenientReader(data))
    except BitstreamError:  # The lengths do not fit
        return len(data), 0
    return (head.size, head.checks) if head.unit.checked else (len(data), 0)


def _read_head(r: FieldReader) -> _Head:
    """Read what a packet's checksum covers. Raises BitstreamError."""
    key = r.uint("packet_type", 1, GOP, KEY_GOP) == KEY_GOP
    sequence_header = r.sized("sequence_header") if key else b""
    if len(sequence_header) > MAX_SIZE:
        raise r.fail("sequence_header", f"it has {len(sequence_header)} bytes and {MAX_SIZE} are allowed")
    index = r.uint("gop_index", 4)
    shown = r.uint("shown", 1, 1, MAX_SHOWN)
    parts = r.uint("boundary_flags", 1, 0, ALL_PARTS)
    checked, bare = bool(parts & IS_CHECKED), bool(parts & IS_BARE)
    number = r.varint("gop_number") if checked and not key else 0
    if checked and bool(number) == key:
        raise r.fail("gop_number", "only a key GOP has the number 0")
    ahead = r.uint("ahead", 1, 1, MAX_SHOWN) if parts & HAS_AHEAD else 0
    first = r.part("first") if parts & HAS_FIRST else b""
    last = r.part("last") if parts & HAS_LAST else b""
    last_check = r.uint("last_check", 1) if checked and last else 0
    tail = r.part("tail") if parts & HAS_TAIL else b""
    side = r.sized("side")
    start, stop, stride, atoms, atoms_size, checks = 0, 0, 1, b"", None, 0
    if not bare:
        start = r.uint("start", 2, 0, MAX_LEVEL)
        stop = r.uint("stop", 2, 0, start)
        stride = r.uint("stride", 1)
        if checked:
            atoms_size = r.varint("atoms_size")
        else:
            atoms = r.sized("atoms")
    if checked:
        checks = segment_checks_size(r.offset)
        r.raw("segment_checks", checks)
    r.uint("packet_checksum", CHECKSUM_SIZE)
    r.finish("packet_checksum")
    unit = GopUnit(
        index=index,
        shown=shown,
        bare=bare,
        ahead=ahead,
        first=first,
        last=last,
        last_check=last_check,
        tail=tail,
        side=side,
        start=start,
        stop=stop,
        stride=stride,
        atoms=atoms,
        checked=checked,
        number=number,
    )
    return _Head(unit, key, sequence_header, atoms_size, r.offset, checks)


def _read_atoms(data: bytes, size: int) -> tuple[bytes, str]:
    """Return (atoms that can be trusted, what is wrong with the others) of a checked packet.

    data: bytes after the packet's checksum.
    size: number of bytes of its atoms.
    Raises BitstreamError for bytes that nothing explains.
    """
    left = len(data) - size - ATOMS_CHECK_SIZE
    if left > 0:
        raise BitstreamError("atoms_checksum", len(data), f"{left} bytes are left over")
    if left < 0:
        return data[:size], "the atoms are cut off"
    atoms = data[:size]
    return (atoms, "") if data[size:] == _atoms_check(atoms) else (b"", "the atoms are damaged")
