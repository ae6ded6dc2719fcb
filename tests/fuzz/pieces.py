# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Inputs that consist of pieces with length prefixes, and random changes to them."""

import struct
from random import Random

LENGTH = struct.Struct("<I")
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF)


def join(pieces: list[bytes]) -> bytes:
    """Join pieces to one input, each after its length."""
    return b"".join(LENGTH.pack(len(piece)) + piece for piece in pieces)


def split(data: bytes) -> list[bytes]:
    """Split any bytes into pieces; the last one may be incomplete."""
    pieces = []
    while len(data) >= LENGTH.size:
        (size,) = LENGTH.unpack_from(data)
        pieces.append(data[LENGTH.size :][:size])
        data = data[LENGTH.size + size :]
    return pieces


def rearranged(pieces: list[bytes], chance: Random) -> list[bytes]:
    """Return the pieces after one of them was removed, repeated, moved or truncated."""
    if not pieces:
        return pieces
    pieces, place, other = list(pieces), chance.randrange(len(pieces)), chance.randrange(len(pieces))
    piece = pieces[place]
    change = chance.randrange(4)
    if change == 0:
        del pieces[place]
    elif change == 1:
        pieces.insert(other, piece)
    elif change == 2:
        pieces[place], pieces[other] = pieces[other], piece
    else:
        pieces[place] = piece[: chance.randrange(len(piece) + 1)]
    return pieces


def scrambled(data: bytes, chance: Random) -> bytes:
    """Return the bytes after a few of them were changed, removed or added."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        value = chance.choice((chance.choice(EDGES), chance.randrange(256)))
        changed[place : place + chance.randrange(3)] = bytes([value] * chance.randrange(3))
    return bytes(changed)
