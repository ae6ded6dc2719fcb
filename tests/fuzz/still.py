# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder of stills. An input is the video's size and AV1 pictures; mutations keep the lengths of OBUs valid."""

import struct
from random import Random

from clips import moving_clip

from gvc.errors import BitstreamError
from gvc.media import VideoFormat
from gvc.stills.av1 import ADAPTED, StillDecoder, StillEncoder

from .pieces import join, rearranged, split

SIZE = struct.Struct("<HH")
MOST = 512  # longest side of a picture in samples
SHAPES = ((24, 32), (64, 64), (65, 97))
HAS_SIZE, HAS_EXTENSION = 2, 4  # flag bits in the first byte of an OBU


def seeds() -> dict[str, bytes]:
    found = {}
    for height, width in SHAPES:
        pictures = [picture.planes for picture in moving_clip(4, width, height)]
        chain = StillEncoder((height, width), 50, 8, threads=1)
        reordered = StillEncoder((height, width), 40, 8, structure=ADAPTED, threads=1)
        stills = {"chain": map(chain.encode, pictures[:3]), "reordered": reordered.encode_all(pictures)}
        for name, coded in stills.items():
            found[f"{name}-{width}x{height}"] = join([SIZE.pack(width - 1, height - 1), *coded])
        chain.abandon()
    return found


def run(data: bytes) -> None:
    size, *stills = split(data) or [b""]
    if len(size) != SIZE.size:
        return
    width, height = (1 + side % MOST for side in SIZE.unpack(size))
    video = VideoFormat(width, height)
    decoder = StillDecoder(video)
    for still in stills:
        try:
            planes = decoder.decode(still)
        except BitstreamError as error:
            assert str(error)
            continue
        assert tuple(plane.shape for plane in planes) == video.plane_shapes


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    size, *stills = split(data) or [b""]
    change = chance.randrange(6)
    if change == 0:
        size = SIZE.pack(chance.randrange(MOST), chance.randrange(MOST))
    elif change == 1 or not stills:
        stills = rearranged(stills, chance)
    else:
        place = chance.randrange(len(stills))
        units = list(_units(stills[place]))
        if change == 2 or not units:
            stills[place] = scramble(stills[place])
        else:
            stills[place] = b"".join(_other_units(units, chance, scramble))
    return join([size, *stills])


def _other_units(units: list[tuple[bytes, bytes]], chance: Random, scramble):
    """Yield the OBUs after one of them has changed; those without a length are not changed."""
    if chance.random() < 0.2:
        chance.shuffle(units)
    changed = chance.randrange(len(units))
    for place, (head, payload) in enumerate(units):
        payload = scramble(payload) if place == changed else payload  # noqa: PLW2901
        yield head + (_leb128(len(payload)) if head[0] & HAS_SIZE else b"") + payload


def _units(still: bytes):
    """Yield (head, payload) of each OBU up to the first one without a length."""
    while still:
        size = 2 if still[0] & HAS_EXTENSION else 1
        head, still = still[:size], still[size:]
        length = len(still)
        if head[0] & HAS_SIZE:
            length, still = _read_leb128(still)
        yield head, still[:length]
        still = still[length:]


def _leb128(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _read_leb128(data: bytes) -> tuple[int, bytes]:
    value = 0
    for place, byte in enumerate(data[:8]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, data[place + 1 :]
    return value, b""
