# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sequence headers as differences from a usual one, for packets.

Syntax: docs/BITSTREAM.md, "Compact packets".
"""

from ..errors import BitstreamError
from .fields import FieldReader, FieldWriter
from .repair import CRC32_SIZE, with_checksum
from .sequence import FIXED_SIZE, MAGIC, MAX_SIZE

GROUP = 8  # number of bytes that one byte of flags is for
SIZE_PLACE = slice(2, 4)  # of `header_size`, counted from the end of `magic`
# What is between `magic` and `header_checksum` in the header of gp/4, flf2v, 25 frames a second, with no size.
USUAL = bytes.fromhex(
    "01 01 3700 0000 0000 00 02 02 02 00 00 0000 0100 19000000 01000000"
    "02 00 02 2a000000 00 0000000000000000 04 67702f34"
)


def abridged(header: bytes) -> bytes:
    """Return the differences of the bytes of a sequence header from a usual one."""
    w = FieldWriter()
    body = header[len(MAGIC) : -CRC32_SIZE]
    for place in range(0, len(body), GROUP):
        group, usual = body[place : place + GROUP], _usual(place)
        different = [i for i, byte in enumerate(group) if byte != usual[i]]
        w.uint(sum(1 << i for i in different), 1)
        w.raw(bytes(group[i] for i in different))
    return bytes(w)


def unabridged(data: bytes) -> bytes:
    """Return the sequence header whose differences are given, of at most MAX_SIZE bytes. Raises BitstreamError."""
    r, body, size = FieldReader(data), b"", GROUP
    while len(body) < size:
        group = bytearray(_usual(len(body)))
        flags = r.uint("sequence_header", 1)
        for i in range(GROUP):
            if flags >> i & 1:
                group[i] = r.uint("sequence_header", 1)
        body += group
        if len(body) == GROUP:
            whole = int.from_bytes(body[SIZE_PLACE], "little")
            if not FIXED_SIZE <= whole <= MAX_SIZE:
                raise BitstreamError("header_size", r.offset, f"no sequence header has {whole} bytes")
            size = whole - len(MAGIC) - CRC32_SIZE
    r.finish("sequence_header")
    return with_checksum(MAGIC + body[:size])


def _usual(place: int) -> bytes:
    """Return a group of the usual header, followed by zeros."""
    return USUAL[place : place + GROUP].ljust(GROUP, b"\0")
