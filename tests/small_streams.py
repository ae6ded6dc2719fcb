# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Small streams that are damaged by tests, and a player that goes on after errors."""

from dataclasses import replace
from functools import cache

from clips import encode, facts, moving_clip

from gvc.bitstream import GopUnit, is_show, write_gop
from gvc.decoder import Decoder
from gvc.errors import GvcError
from gvc.media import Packet

FRAMES = 13
KINDS = [(mode, transition) for mode in ("t2v", "i2v", "flf2v") for transition in ("ancestral", "sde")]
KINDS.append(("t2v", "ancestral", 2))


@cache
def stream(mode: str, transition: str, overlap: int = 0):
    """Return three GOPs in one chain (in t2v three keyframes), small enough to be decoded a thousand times."""
    options = {"mode": mode, "transition": transition, "gop": 5, "preset": "fast", "atoms": 8, "overlap": overlap}
    return encode(moving_clip(FRAMES, 32, 24), **options)


def gop_starts(packets) -> list[int]:
    return [i for i, packet in enumerate(packets) if not is_show(packet.data)]


def with_unit(packets, index: int, unit: GopUnit | bytes) -> list[Packet]:
    data = unit if isinstance(unit, bytes) else write_gop(unit)
    return [*packets[:index], replace(packets[index], data=data), *packets[index + 1 :]]


def watch(extradata, packets, **options):
    """Decode like a player, which continues after errors; return (pictures, errors). Only GVC's errors may occur."""
    decoder, pictures, errors = Decoder(extradata, options), [], []
    for packet in packets:
        try:
            shown = decoder.decode(packet)
            pictures += shown
            errors += [picture.error for picture in shown if picture.error]
        except GvcError as error:
            assert str(error)
            errors.append(error)
    assert decoder.decode(None) == []
    return pictures, errors


def looks(pictures) -> list:
    """Return the contents of pictures without their times, in a form that can be compared."""
    return [facts(picture)[3:] for picture in pictures]
