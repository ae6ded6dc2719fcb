# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Packets: one a frame. The first of a GOP carries the GOP, each later one says which of its pictures to show.

Syntax: docs/BITSTREAM.md, "Packets". What is before the checksum is in gvc.bitstream.head.
"""

import zlib
from dataclasses import replace
from typing import NamedTuple

from ..errors import BitstreamError
from .fields import FieldReader
from .head import (
    COMPACT_GOP,
    GOP,
    KEY_GOP,
    Head,
    LenientReader,
    checksum_size,
    is_key_type,
    is_type,
    read_head,
    write_head,
)
from .repair import CRC16_SIZE, CRC32_SIZE, has_checksum, repaired, segment_checks, with_checksum
from .sequence import SequenceHeader, parse_sequence_header
from .similarity import unabridged
from .unit import MAX_SHOWN, GopUnit

FIRST_SHOW = 3  # the byte that shows the picture at position 1
ATOMS_CHECK_SIZE = 1
# About how many bytes of a GOP packet are neither stills, side information nor atoms.
GOP_BYTES, HEADER_BYTES = 16, 20  # in every GOP packet, and the sequence header of a keyframe
BARE_BYTES = 9  # in the packet of a GOP without atoms


def write_gop(unit: GopUnit) -> bytes:
    """Return the packet that carries a GOP."""
    head = write_head(unit)
    if not unit.checked:
        return with_checksum(head)
    covered = with_checksum(head + segment_checks(head), checksum_size(unit.compact, len(head)))
    return covered if unit.bare else covered + unit.atoms + _atoms_check(unit.atoms)


def _atoms_check(atoms: bytes) -> bytes:
    return zlib.crc32(atoms).to_bytes(CRC32_SIZE, "little")[:ATOMS_CHECK_SIZE]


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
    return bool(data) and is_key_type(data[0]) and not is_show(data)


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
    extent = _extent(data)
    if damaged := not has_checksum(data[: extent.size], extent.checksum):
        data = _repaired(data, extent)
        extent = _extent(data)
    _check_type(data)
    head = read_head(FieldReader(data[: extent.size]))
    unit = replace(head.unit, header=_header_of(head) if head.key else None, repaired=damaged)
    if head.atoms_size is None:
        return unit
    atoms, damage = _read_atoms(data[extent.size :], head.atoms_size)
    return replace(unit, atoms=atoms, damage=damage)


def _header_of(head: Head) -> SequenceHeader:
    """Return the sequence header of a key GOP. Raises BitstreamError."""
    return parse_sequence_header(unabridged(head.sequence_header) if head.unit.compact else head.sequence_header)


def salvage_first(data: bytes) -> bytes:
    """Return what may be the first still of a damaged packet, b"" if its lengths make no sense."""
    try:
        return read_head(LenientReader(data)).unit.first
    except BitstreamError:
        return b""


class _Extent(NamedTuple):
    """Numbers of bytes: what a packet's checksum covers and the checksum, checks of segments in it, the checksum."""

    size: int
    checks: int
    checksum: int


def _extent(data: bytes) -> _Extent:
    """Return the sizes of a packet's parts, by lengths that may be damaged."""
    try:
        head = read_head(LenientReader(data))
    except BitstreamError:  # The lengths do not fit, which only matters if there are atoms.
        compact = bool(data) and data[0] >= COMPACT_GOP
        return _Extent(len(data), 0, checksum_size(compact, len(data) - CRC16_SIZE))
    return _Extent(head.size if head.unit.checked else len(data), head.checks, head.checksum)


def _repaired(data: bytes, extent: _Extent) -> bytes:
    """Return a damaged packet without its wrong bits. Raises BitstreamError if that fails."""
    covered = repaired(data[: extent.size], extent.checks, extent.checksum)
    if covered is not None and _extent(whole := covered + data[extent.size :]) == extent:
        return whole
    for bit in range(8 * bool(data)):  # A type and flags that are wrong tell wrong sizes.
        other = bytes([data[0] ^ 1 << bit]) + data[1:]
        extent = _extent(other)
        if is_type(other[0]) and has_checksum(other[: extent.size], extent.checksum):
            return other
    _check_type(data)
    raise BitstreamError("packet_checksum", len(data), "the packet is damaged or cut off")


def _check_type(data: bytes) -> None:
    if not data:
        raise BitstreamError("packet_type", 0, "the packet is empty")
    if not is_type(data[0]):
        raise BitstreamError("packet_type", 1, f"value {data[0]} is no type of packets with GOPs")


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
