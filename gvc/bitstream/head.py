# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The head of a GOP packet: all of its elements before the checksum, in the full and in the compact syntax.

Syntax: docs/BITSTREAM.md, "Packets". The payload of stills and side information is opaque here.
"""

from typing import NamedTuple

from .fields import FieldReader, FieldWriter
from .levels import MAX_LEVEL
from .repair import CRC16_SIZE, CRC32_SIZE, SEGMENT, SEGMENT_CHECK, segment_checks_size
from .sequence import MAX_SIZE, write_sequence_header
from .similarity import abridged
from .unit import INDEXES, MAX_SHOWN, GopUnit

GOP, KEY_GOP = 1, 2
COMPACT_GOP, COMPACT_KEY_GOP = 64, 128  # types of compact packets, to which their flags are added
HAS_FIRST, HAS_LAST, HAS_TAIL, HAS_AHEAD, IS_BARE = 1, 2, 4, 8, 16
IS_CHECKED = 32  # in the full syntax; compact packets are checked always
IS_REPEAT = 32  # in the compact syntax: `last` shows an earlier AV1 frame
ALL_PARTS = 63
REPEAT = b"\x18"  # first of the two bytes of such a still: an OBU_FRAME_HEADER without its size
SMALL = 256  # number of bytes from which on the checksum of a compact head is a CRC-32


class Head(NamedTuple):
    """What the checksum of a packet covers.

    unit: GOP without its sequence header and, in a checked packet, without its atoms.
    key: whether it is a key GOP.
    sequence_header: bytes of its sequence header, abridged in the compact syntax.
    atoms_size: number of bytes of atoms after the checksum; None = there are none.
    size: number of bytes with the checksum.
    checks: number of bytes of checks of segments.
    checksum: number of bytes of the checksum.
    """

    unit: GopUnit
    key: bool
    sequence_header: bytes
    atoms_size: int | None
    size: int
    checks: int
    checksum: int


class LenientReader(FieldReader):
    """Reads fields whatever they say, to find out how long they are."""

    def uint(self, element: str, size: int, low: int = 0, high: int | None = None) -> int:
        return super().uint(element, size)

    def part(self, element: str) -> bytes:
        return self.sized(element)

    def require(self, element: str, valid: bool, reason: str) -> None:
        pass

    def finish(self, element: str) -> None:
        pass


def is_type(byte: int) -> bool:
    """Return whether a byte is the first one of packets with GOPs."""
    return byte in (GOP, KEY_GOP) or byte // 64 in (COMPACT_GOP // 64, COMPACT_KEY_GOP // 64)


def is_key_type(byte: int) -> bool:
    """Return whether a byte is the first one of packets with key GOPs."""
    return byte == KEY_GOP or byte // 64 == COMPACT_KEY_GOP // 64


def checksum_size(compact: bool, size: int) -> int:
    """Return the number of bytes of a packet's checksum. size: number of bytes before the checks of segments."""
    return CRC16_SIZE if compact and size < SMALL else CRC32_SIZE


def write_head(unit: GopUnit) -> bytes:
    """Return the elements of a packet before the checks of segments; without `checked`, with the atoms."""
    w = FieldWriter()
    (_write_compact_start if unit.compact else _write_start)(w, unit)
    if unit.checked and not unit.header:
        w.varint(unit.number)
    if unit.ahead:
        w.uint(unit.ahead, 1)
    if unit.first:
        w.sized(unit.first)
    if unit.compact and _is_repeat(unit.last):
        w.raw(unit.last.removeprefix(REPEAT))
    elif unit.last:
        w.sized(unit.last)
    if unit.checked and unit.last:
        w.uint(unit.last_check, 1)
    if unit.tail:
        w.sized(unit.tail)
    if unit.compact and unit.bare:
        w.raw(unit.side)
    else:
        w.sized(unit.side)
    if not unit.bare:
        w.uint(unit.start, 2)
        w.uint(unit.stop, 2)
        w.uint(unit.stride, 1)
        w.varint(len(unit.atoms))
        w.raw(b"" if unit.checked else unit.atoms)
    return bytes(w)


def _write_start(w: FieldWriter, unit: GopUnit) -> None:
    w.uint(KEY_GOP if unit.header else GOP, 1)
    if unit.header:
        w.sized(write_sequence_header(unit.header))
    w.uint(unit.index, 4)
    w.uint(unit.shown, 1)
    w.uint(_flags(unit) + IS_CHECKED * unit.checked, 1)


def _write_compact_start(w: FieldWriter, unit: GopUnit) -> None:
    kind = COMPACT_KEY_GOP if unit.header else COMPACT_GOP
    w.uint(kind + _flags(unit) + IS_REPEAT * _is_repeat(unit.last), 1)
    if unit.header:
        w.sized(abridged(write_sequence_header(unit.header)))
    w.varint(unit.index)
    w.uint(unit.shown, 1)


def _flags(unit: GopUnit) -> int:
    parts = {
        HAS_FIRST: unit.first,
        HAS_LAST: unit.last,
        HAS_TAIL: unit.tail,
        HAS_AHEAD: unit.ahead,
        IS_BARE: unit.bare,
    }
    return sum(flag for flag, part in parts.items() if part)


def _is_repeat(still: bytes) -> bool:
    return len(still) == len(REPEAT) + 1 and still.startswith(REPEAT)


def read_head(r: FieldReader) -> Head:
    """Read what a packet's checksum covers. Raises BitstreamError."""
    kind = r.uint("packet_type", 1)
    key, compact = is_key_type(kind), kind >= COMPACT_GOP
    sequence_header = r.sized("sequence_header") if key else b""
    r.require("sequence_header", len(sequence_header) <= MAX_SIZE, f"more than {MAX_SIZE} bytes are not allowed")
    index = r.varint("gop_index") if compact else r.uint("gop_index", 4)
    r.require("gop_index", index < INDEXES, f"{index} is not below 2^32")
    shown = r.uint("shown", 1, 1, MAX_SHOWN)
    parts = kind & ALL_PARTS if compact else r.uint("boundary_flags", 1, 0, ALL_PARTS)
    checked, bare, repeat = compact or bool(parts & IS_CHECKED), bool(parts & IS_BARE), compact and parts & IS_REPEAT
    r.require(
        "boundary_flags", parts & HAS_LAST or not repeat, "a still that shows a frame is flagged and there is none"
    )
    number = r.varint("gop_number") if checked and not key else 0
    r.require("gop_number", bool(number) != key or not checked, "only a key GOP has the number 0")
    ahead = r.uint("ahead", 1, 1, MAX_SHOWN) if parts & HAS_AHEAD else 0
    first = r.part("first") if parts & HAS_FIRST else b""
    last = b""
    if parts & HAS_LAST:
        last = REPEAT + r.raw("last", 1) if repeat else r.part("last")
    last_check = r.uint("last_check", 1) if checked and last else 0
    tail = r.part("tail") if parts & HAS_TAIL else b""
    side = r.raw("side", _rest_before_checks(r)) if compact and bare else r.sized("side")
    start, stop, stride, atoms, atoms_size, checks = 0, 0, 1, b"", None, 0
    if not bare:
        start = r.uint("start", 2, 0, MAX_LEVEL)
        stop = r.uint("stop", 2, 0, start)
        stride = r.uint("stride", 1)
        if checked:
            atoms_size = r.varint("atoms_size")
        else:
            atoms = r.sized("atoms")
    checksum = checksum_size(compact, r.offset)
    if checked:
        checks = segment_checks_size(r.offset)
        r.raw("segment_checks", checks)
    r.uint("packet_checksum", checksum)
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
        compact=compact,
        number=number,
    )
    return Head(unit, key, sequence_header, atoms_size, r.offset, checks, checksum)


def _rest_before_checks(r: FieldReader) -> int:
    """Return the number of bytes left before the checks, which are the last ones of a bare packet."""
    size = r.end - CRC16_SIZE
    if size >= SMALL:
        size = r.end - CRC32_SIZE
        size -= size // (SEGMENT + SEGMENT_CHECK) * SEGMENT_CHECK
    return max(0, size - r.offset)
