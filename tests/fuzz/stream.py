# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bitstream and the decoder. An input is settings, extradata and packets; both checksums are repaired."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random

from clips import encode, moving_clip
from make_golden import FOLDER, read_stream

from gvc.bitstream import (
    MAX_SHOWN,
    GopUnit,
    SequenceHeader,
    parse_sequence_header,
    read_packet,
    write_gop,
    write_sequence_header,
)
from gvc.bitstream.head import COMPACT_GOP, KEY_GOP, checksum_size
from gvc.bitstream.levels import MAX_LEVEL
from gvc.bitstream.repair import CRC16_SIZE, CRC32_SIZE, with_checksum
from gvc.bitstream.sequence import MAX_CODEBOOK_EXTRA, MAX_CODEBOOK_LIMIT, MAX_SKIPS, MODES, TRANSITIONS
from gvc.decoder import Decoder
from gvc.errors import BitstreamError, PriorError
from gvc.media import SAMPLE_FORMATS, Packet, VideoFormat
from gvc.priors import open_prior

from .pieces import join, rearranged, split

PRIOR = "gp"
FRAMES, WIDTH, HEIGHT = 9, 32, 24
KINDS = [{"mode": mode, "transition": transition} for mode in MODES for transition in TRANSITIONS]
KINDS += [{"mode": "t2v", "overlap": 2, "x0_cache": 1}, {"mode": "i2v", "preset": "gvcc"}]
# Limits beyond which an input is skipped. Decoding such streams may rightly take long, but inputs should be quick.
MOST_SAMPLES, MOST_WORK = 3e5, 4e7
PAYLOADS = ("first", "last", "side", "atoms", "tail")
SIZES = (1, 2, 7, 8, 16, 24, 31, 32, 48, 63, 64, 65, 200)


@cache
def opened(*arguments):
    """Return the prior, which is opened only once."""
    return open_prior(*arguments)


def _pieces(data: bytes) -> list[bytes]:
    """Return settings, extradata and packets: at least two pieces."""
    pieces = split(data)
    return [*pieces, b"", b""][: max(2, len(pieces))]


def seeds() -> dict[str, bytes]:
    return made(PRIOR, KINDS) | golden(PRIOR)


def made(prior: str, kinds: list[dict]) -> dict[str, bytes]:
    common = {"prior": prior, "preset": "fast", "gop": 5, "atoms": 8}
    found = {}
    for number, options in enumerate(kinds):
        extradata, packets, _ = encode(moving_clip(FRAMES, WIDTH, HEIGHT), **{**common, **options})
        found[f"made-{number}"] = join([bytes([number % 4]), extradata, *(packet.data for packet in packets)])
    return found


def golden(prior: str) -> dict[str, bytes]:
    """Return the golden streams of all versions of a prior, which use all tools."""
    found = {}
    for path in sorted(FOLDER.rglob("*.gvc")):
        extradata, packets = read_stream(path)
        if parse_sequence_header(extradata).prior.startswith(prior):
            found[f"golden-{path.parent.name}-{path.stem}"] = join([b"\2", extradata, *(p.data for p in packets)])
    return found


def run(data: bytes, most: float = MOST_SAMPLES) -> None:
    """Decode like a player, which continues after errors. Settings: bit 0 = no extradata, bits 1 and 2 = 2 x realism.

    most: luma samples in a GOP above which an input is skipped, default MOST_SAMPLES.
    """
    settings, extradata, *packets = _pieces(data)
    flags = settings[0] if settings else 0
    if not all(work < MOST_WORK for work in _works(extradata, packets, most)):
        return
    try:
        decoder = Decoder(None if flags & 1 else extradata, {"realism": min((flags >> 1 & 3) / 2, 1)}, opened)
    except BitstreamError as error:
        assert str(error)
        return
    for pts, packet in enumerate(packets):
        try:
            pictures = decoder.decode(Packet(packet, pts, 1))
        except (BitstreamError, PriorError) as error:
            assert str(error)
            continue
        assert len(pictures) <= 1
        for picture in pictures:
            assert tuple(plane.shape for plane in picture.planes) == decoder.format.plane_shapes
    assert decoder.decode(None) == []


def _works(extradata: bytes, packets: list[bytes], most: float) -> Iterator[float]:
    """Yield an estimate of a decoder's work for each GOP."""
    header = _parsed(parse_sequence_header, extradata)
    for packet in packets:
        if unit := _parsed(read_packet, packet):
            header = unit.header or header
            yield _work(header, unit, most) if header else 0


def _work(header: SequenceHeader, unit: GopUnit, most: float) -> float:
    samples = (unit.shown + unit.ahead + 1) * header.format.width * header.format.height
    steps = (unit.start - unit.stop) // max(unit.stride, 1) + 20
    return float("inf") if samples > most else max(samples, 64) * steps * 2.0**header.codebook_extra


def _parsed(parse, data: bytes):
    try:
        return parse(data)
    except BitstreamError:
        return None


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    settings, extradata, *packets = _pieces(data)
    change = chance.randrange(13)
    if change == 0:
        settings = bytes([chance.randrange(8)])
    elif change == 1:
        packets = rearranged(packets, chance)
    elif change == 2:
        extradata = _with_header_checksum(scramble(extradata))
    elif change == 3 and packets:
        # A packet that shows a picture at a random position.
        packets[chance.randrange(len(packets))] = bytes([chance.randrange(256)])
    else:
        places = [place for place, packet in enumerate(packets) if len(packet) > 1]
        if places:
            place = chance.choice(places)
            other = _parsed(read_packet, packets[chance.choice(places)])
            packets[place] = _other_packet(packets[place], other, chance, scramble)
    return join([settings, extradata, *packets])


def _other_packet(packet: bytes, other: GopUnit | None, chance: Random, scramble) -> bytes:
    unit = _parsed(read_packet, packet)
    kind = chance.randrange(4)
    if unit is None or kind == 0:
        return _with_checksums(scramble(packet), unit)
    try:
        if kind == 1 and unit.header:
            return write_gop(replace(unit, header=_other_header(unit.header, chance)))
        return write_gop(_other_unit(unit, other or unit, chance, scramble))
    except (ValueError, OverflowError):  # The changed values cannot be written.
        return scramble(packet)


def _other_unit(unit: GopUnit, other: GopUnit, chance: Random, scramble) -> GopUnit:
    name = chance.choice([*PAYLOADS * 2, "index", "shown", "ahead", "levels", "bare", "compact"])
    if name in PAYLOADS:
        return replace(unit, **{name: scramble(getattr(chance.choice((unit, unit, other)), name))})
    if name == "levels":
        start = chance.randint(0, MAX_LEVEL)
        return replace(unit, start=start, stop=chance.randint(0, start), stride=chance.choice((0, 1, 5, 32, 64, 255)))
    values = {
        "index": chance.choice((0, 1, unit.index + 1, 2**32 - 1)),
        "shown": chance.randint(1, MAX_SHOWN if chance.random() < 0.2 else 8),
        "ahead": chance.randint(0, 4),
        "bare": not unit.bare,
        "compact": not unit.compact,
    }
    return replace(unit, **{name: values[name]})


def _other_header(header: SequenceHeader, chance: Random) -> SequenceHeader:
    changes = {
        "mode": chance.choice(MODES),
        "transition": chance.choice(TRANSITIONS),
        "seed": chance.randrange(2**32),
        "codebook_extra": chance.choice((0, 1, MAX_CODEBOOK_EXTRA)),
        "codebook_limit": chance.randint(0, MAX_CODEBOOK_LIMIT),
        "shift": chance.randint(1, 255),
        "x0_cache": chance.choice((int(not header.x0_cache), chance.randint(0, MAX_SKIPS))),
        "x0_warmup": chance.randrange(256),
        "lowres_steps": chance.randrange(256),
        "prompt": chance.choice(("", "a", "%n[/x]\x1b")),
        "weights_hash": chance.randbytes(8),
        "prior": f"{header.prior.partition('/')[0]}/{chance.randint(0, 9)}",
        "format": VideoFormat(chance.choice(SIZES), chance.choice(SIZES), samples=chance.choice(SAMPLE_FORMATS)),
    }
    return replace(header, **{name: changes[name] for name in chance.sample(sorted(changes), chance.randint(1, 2))})


def _with_checksums(packet: bytes, was: GopUnit | None) -> bytes:
    """Return a packet with valid checksums; that of its header is repaired if it is still at its old position."""
    if packet and packet[0] >= COMPACT_GOP:
        body = packet[:-CRC16_SIZE]
        return with_checksum(body, checksum_size(True, len(body)))
    body = packet[:-CRC32_SIZE]
    if was and was.header and packet[:1] == bytes([KEY_GOP]):
        size = len(write_sequence_header(was.header))
        start = 1 + (1 if size < 0x80 else 2)
        body = body[:start] + _with_header_checksum(body[start : start + size]) + body[start + size :]
    return with_checksum(body)


def _with_header_checksum(header: bytes) -> bytes:
    return header[:-4] + zlib.crc32(header[:-4]).to_bytes(4, "little") if len(header) > 4 else header
