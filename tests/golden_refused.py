# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Streams that a decoder has to refuse, one for each rule of docs/BITSTREAM.md (tests/golden/README.md)."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from clips import still_clip
from golden_streams import NOTHING, PLAIN, Author, header, random_atoms, scene
from gvc._native import encode_corrections

from gvc.bitstream import GopUnit, SequenceHeader, write_gop, write_sequence_header
from gvc.bitstream.fields import FieldWriter
from gvc.entropy import DeltaModel, RangeEncoder, write_count
from gvc.priors.gp.mean import FADE, FLAT, HOLD, MOTION
from gvc.stills.av1 import encode_still

ENDLESS = b"\xff" * 6  # no length ends like this


@dataclass(frozen=True)
class Case:
    """Packets of which the last one is refused, and the element at fault."""

    rule: str
    element: str
    packets: list[bytes]


def sealed(body: bytes) -> bytes:
    """Return bytes with their checksum."""
    return body + zlib.crc32(body).to_bytes(4, "little")


def key_packet(sequence_header: bytes, rest: bytes) -> bytes:
    """Return the packet of a key GOP with this sequence header, as it is, and all that follows."""
    writer = FieldWriter()
    writer.uint(2, 1)
    writer.sized(sequence_header)
    writer.raw(rest)
    return sealed(bytes(writer))


def plain_gop(atoms: int = 3) -> GopUnit:
    """Return a key GOP of two pictures in t2v."""
    author = Author(header("t2v", 16, 12))
    author.start()
    return author.gop(2, FLAT, PLAIN, random_atoms(atoms), start=400, stop=300, stride=50)


def header_cases() -> Iterator[Case]:
    """Yield headers that break the rules of section 3."""
    unit = plain_gop()
    whole = write_sequence_header(unit.header)
    rest = write_gop(replace(unit, header=None))[1:-4]

    def case(rule: str, element: str, changed: bytes) -> Case:
        return Case(rule, element, [key_packet(changed, rest)])

    def field(offset: int, value: bytes) -> bytes:
        return sealed(whole[:offset] + value + whole[offset + len(value) : -4])

    def tools(bits: int, fields: bytes) -> bytes:
        body = bytearray(whole[:-4] + fields)
        body[6:8], body[37] = (len(body) + 4).to_bytes(2, "little"), bits
        return sealed(bytes(body))

    def named(name: bytes) -> bytes:
        body = bytearray(whole[:46] + bytes([len(name)]) + name)
        body[6:8] = (len(body) + 4).to_bytes(2, "little")
        return sealed(bytes(body))

    yield case("magic", "magic", b"GVC2" + whole[4:])
    yield case("version is known", "version", field(4, b"\2"))
    for code in (0, 7):
        yield case("sample_format is 1..6", "sample_format", field(5, bytes([code])))
    for size in (29, 4097, len(whole) + 1):
        yield case("header_size is 30..4096 and there", "header_size", field(6, size.to_bytes(2, "little")))
    yield case("header_checksum", "header_checksum", whole[:9] + b"\1" + whole[10:])
    for offset, element in ((8, "width"), (10, "height")):
        for side in (0, 16385):
            yield case(f"{element} is 1..16384", element, field(offset, side.to_bytes(2, "little")))
    yield case("reserved is 0", "reserved", field(17, b"\1"))
    yield case("sar_den is not 0", "sar_den", field(20, b"\0\0"))
    yield case("rate_den is not 0", "rate_den", field(26, b"\0\0\0\0"))
    yield case("mode is 0..2", "mode", field(30, b"\3"))
    yield case("transition is 0..1", "transition", field(31, b"\2"))
    yield case("codebook_extra is 0..8", "codebook_extra", field(32, b"\x09"))
    yield case("tools are 0..31", "tools", field(37, b"\x20"))
    yield case("a refresh schedule is for the x0-cache", "tools", tools(8, b"\2\0"))
    yield case("the fields fill the header", "header_size", tools(0, b"\0"))
    for size, element in ((30, "rate_den"), (40, "seed"), (50, "name_size")):
        cut = sealed(whole[:6] + size.to_bytes(2, "little") + whole[8 : size - 4])
        yield case("the fields fit into the header", element, cut + whole)
    for name in (
        b"gp",
        b"/1",
        b"gp/",
        b"Gp/4",
        b"gp/.4",
        b"gp/4\n",
        b"abcdefghijklmnopq/1",
        b"gp/" + 33 * b"4",
        b"\xff/4",
    ):
        yield case("prior_name is FAMILY/VARIANT", "prior_name", named(name))
    yield case("shift is not 0", "shift", tools(2, b"\0\x05"))
    yield case("codebook_limit is 0..24", "codebook_limit", tools(2, b"\3\x19"))
    yield case("a schedule that is flagged says something", "tools", tools(2, b"\3\0"))
    yield case("a prompt that is flagged says something", "tools", tools(4, b"\0"))
    yield case("a prompt is UTF-8", "prompt", tools(4, b"\1\xff"))
    yield case("a length ends", "prompt", tools(4, ENDLESS))
    for skips in (0, 16):
        yield case("x0_skips is 1..15", "x0_skips", tools(9, bytes([skips, 1])))
    yield case("a refresh schedule that is flagged says something", "tools", tools(9, b"\1\0"))
    yield case("lowres_steps is not 0", "lowres_steps", tools(16, b"\0\x32"))
    for size in (0, 100):
        yield case("lowres_size is 1..99", "lowres_size", tools(16, bytes([8, size])))
    yield case("gp has no steps at low resolution", "lowres_steps", tools(16, b"\x08\x32"))
    yield case("a sequence header in a packet has at most 4096 bytes", "sequence_header", whole + bytes(4096))
    yield case("prior_name is known", "prior_name", named(b"gp/999"))
    yield case("weights_hash is the prior's", "weights_hash", field(38, b"\1"))


def packet_cases() -> Iterator[Case]:
    """Yield packets that break the rules of section 4."""
    unit = plain_gop()
    key, plain = write_gop(unit), write_gop(replace(unit, header=None, index=1))

    def field(rule: str, element: str, offset: int, value: bytes, dropped: int | None = None) -> Case:
        """Change a packet that follows the key GOP. dropped: how many bytes the value takes the place of."""
        end = offset + (len(value) if dropped is None else dropped)
        return Case(rule, element, [key, sealed(plain[:offset] + value + plain[end:-4])])

    yield Case("a packet is not empty", "packet_type", [key, b""])
    yield Case("longer packets are of type 1 or 2", "packet_type", [key, b"\xf0" + plain[1:]])
    yield Case("a packet of type 1 has more than a byte", "packet_checksum", [key, b"\1"])
    yield Case("packet_checksum", "packet_checksum", [key, plain[:-1] + bytes([plain[-1] ^ 1])])
    yield Case("packet_checksum", "packet_checksum", [key, plain[:20] + bytes([plain[20] ^ 64]) + plain[21:]])
    yield field("packet_checksum is the last element", "packet_checksum", len(plain) - 4, b"\0", 0)
    for shown in (0, 130):
        yield field("shown is 1..129", "shown", 5, bytes([shown]))
    yield field("boundary_flags are 0..63", "boundary_flags", 6, b"\x40")
    for ahead in (0, 130):
        yield field("ahead that is flagged is 1..129", "ahead", 6, bytes([8, ahead]), 1)
    for bit, element in ((1, "first"), (2, "last"), (4, "tail")):
        yield field(f"{element} that is flagged is not empty", element, 6, bytes([bit, 0]), 1)
    yield field("a length ends", "side", 7, ENDLESS)
    yield field("a length is there", "side", 7, b"\xff\xff\xff\xff\x07")
    start = 8 + len(unit.side)
    yield field("start is 0..767", "start", start, (768).to_bytes(2, "little"))
    yield field("stop is 0..start", "stop", start + 2, (401).to_bytes(2, "little"))


def gop_cases() -> Iterator[Case]:
    """Yield GOPs that are more, or of another kind, than header and chain allow (5.2, 5.6, 8, 9)."""
    unit = plain_gop()

    def case(rule: str, element: str, changed: GopUnit, *before: GopUnit) -> Case:
        return Case(rule, element, [*map(write_gop, before), write_gop(changed)])

    def in_mode(mode: str, **fields) -> SequenceHeader:
        return replace(unit.header, mode=mode, **fields)

    yield case("a tail is for i2v", "tail", replace(unit, tail=b"\1x"))
    yield case("ahead is for t2v", "ahead", replace(unit, header=in_mode("flf2v"), ahead=1))
    large = replace(unit.header, format=replace(unit.header.format, width=16384, height=8192))
    yield case("T * width * height is at most 2^27", "budget", replace(unit, header=large))
    passed = GopUnit(index=9, shown=129, side=b"", stride=1)
    tall = replace(unit.header, format=replace(unit.header.format, width=1024, height=1040), prior="gp/4")
    first = replace(unit, header=tall, shown=1, bare=True, side=plain_side(tall), atoms=b"")
    yield case("the same of GOPs that are passed over", "budget", passed, first)
    yield case("stride is 1 or more with ancestral", "stride", replace(unit, stride=0))
    sde = replace(unit.header, transition="sde")
    yield case("stride is 0 with sde", "stride", replace(unit, header=sde, stride=1))
    yield case("a bare GOP is not sde", "stride", replace(unit, header=sde, stride=1, bare=True))
    for mode, wrong in (("i2v", {}), ("flf2v", {}), ("t2v", {"first": b"x"}), ("t2v", {"last": b"x"})):
        yield case(
            f"stills are those of the mode: {mode}", "boundary_flags", replace(unit, header=in_mode(mode), **wrong)
        )
    yield case(
        "stills are those of the mode: i2v",
        "boundary_flags",
        replace(unit, header=in_mode("i2v"), first=b"x", last=b"x"),
    )
    yield case("a bare GOP has no latent", "boundary_flags", replace(unit, bare=True))
    many = replace(unit, header=replace(unit.header, codebook_extra=8), start=767, stop=0, stride=1)
    small = replace(unit.header.format, width=512, height=512)
    many = replace(many, header=replace(many.header, format=small), side=side_of(many.header, small), atoms=b"")
    yield case("atoms of codebooks are within the budget", "budget", many)
    yield case("all bytes of atoms are used", "atoms", replace(unit, atoms=unit.atoms + b"\1\1"))
    yield case("atoms do not end early", "atoms", replace(unit, atoms=plain_gop(64).atoms[:3]))
    yield case("code is less than range", "atoms", replace(unit, atoms=b"\xff" * 8))
    encoder = RangeEncoder()
    write_count(encoder, 2**20, 0)
    yield case("no more atoms than there are", "count", replace(unit, atoms=encoder.finish()))
    yield case("count is at most 2^20", "count", replace(unit, atoms=too_long_count()))
    yield case("a tail with sde is for priors with latent frames", "tail", latent_tail())


def side_of(sequence_header: SequenceHeader, video) -> bytes:
    """Return side information of a t2v GOP that carries all bands of pictures of a format."""
    author = Author(replace(sequence_header, format=video, codebook_extra=0))
    author.start()
    return author.gop(2, FLAT, np.full(51, 20), start=300, stop=300, stride=1).side


def plain_side(sequence_header: SequenceHeader) -> bytes:
    """Return side information of a t2v GOP without a latent."""
    author = Author(sequence_header)
    author.start()
    return author.gop(1, FLAT, NOTHING).side


def too_long_count() -> bytes:
    """Code a count of 2^20 + 1, which has as many bits as the largest one."""
    encoder = RangeEncoder()
    weights = [128, 40, 12, 4, *18 * [1]]
    encoder.encode(sum(weights[:21]), weights[21], sum(weights))
    encoder.encode_bits(1, 20)
    return encoder.finish()


def latent_tail() -> GopUnit:
    """Return an sde GOP of gp with a tail."""
    author = Author(header("i2v", 16, 12, transition="sde"))
    author.start()
    unit = author.gop(2, HOLD, NOTHING, first=author.still(scene(1, 16, 12)[0]))
    return replace(unit, tail=b"\0\0\0\0")


def still_cases() -> Iterator[Case]:
    """Yield stills that are none (section 6), and tails (5.4)."""
    author = Author(header("i2v", 16, 12))
    author.start()
    still = author.still(scene(1, 16, 12)[0])
    unit = author.gop(1, HOLD, NOTHING, first=still)
    key = write_gop(unit)
    following = author.gop(2, HOLD, NOTHING)

    def case(rule: str, first: bytes) -> Case:
        return Case(rule, "first", [write_gop(replace(unit, first=first))])

    yield case("a still is AV1", b"\x0a\x01\0")
    yield case("an OBU has a size", bytes([still[0] & ~2]) + still[2:])
    yield case("a still is whole", still[:-1])
    yield case("a still is one picture", still + still)
    yield case("a still has at most 8 frame headers", still + 8 * b"\x1a\x01\0")
    video = replace(unit.header.format, width=80)
    yield Case(
        "a still is as large as the video",
        "first",
        [write_gop(replace(unit, header=replace(unit.header, format=video)))],
    )
    large = encode_still(still_clip(1, 128, 64)[0].planes, 50, "fast")
    yield case("a still is not much larger than the video", large)
    for rule, element, tail in (
        ("ramp is not 0", "ramp", b"\0" + still),
        ("the still of a tail is AV1", "still", b"\1\x0a\x01\0"),
    ):
        yield Case(rule, element, [key, write_gop(replace(following, tail=tail))])
    needs_chain = replace(following, tail=b"\1" + author.still(scene(2, 16, 12)[1]))
    yield Case("the still of a tail stands by itself", "still", [key, write_gop(needs_chain)])
    author = Author(header("flf2v", 16, 12))
    author.start()
    pictures = scene(2, 16, 12)
    unit = author.gop(2, FADE, NOTHING, first=author.still(pictures[0]), last=author.still(pictures[1]))
    yield Case("a still is AV1", "last", [write_gop(replace(unit, last=b"\x0a\x01\0"))])


def side_cases() -> Iterator[Case]:
    """Yield side information that says what it cannot (11.2, 11.7)."""
    unit = plain_gop()

    def case(rule: str, element: str, side: bytes, of: GopUnit = unit) -> Case:
        return Case(rule, element, [write_gop(replace(of, side=side))])

    yield case("all bytes of side are used", "side", unit.side + b"\1\1")
    yield case("side does not end early", "side", b"")
    yield case("code is less than range", "side", b"\xff" * 8)
    for kind in (HOLD, FADE, MOTION):
        yield case("mean is flat with no known picture", "mean", side_with(kind))
    for delta in (-41, 24):
        yield case("levels are 0..63", "level", side_with(FLAT, delta))
    author = Author(header("flf2v", 16, 12))
    author.start()
    pictures = scene(2, 16, 12)
    unit = author.gop(3, FADE, NOTHING, first=author.still(pictures[0]), last=author.still(pictures[1]))
    for kind in (FLAT, HOLD):
        yield case("mean is fade or motion with two known pictures", "mean", side_with(kind), unit)
    encoder = RangeEncoder()
    encoder.encode_bits(MOTION, 2)
    encoder.encode_bits(0, 10)
    encode_corrections(encoder, 12, 16, [[np.full((1, 1, 3), 4096)]])
    yield case("steps are -4095..4095", "step", encoder.finish(), unit)


def side_with(kind: int, delta: int = 0) -> bytes:
    """Code a mean, and a first level."""
    encoder = RangeEncoder()
    encoder.encode_bits(kind, 2)
    encoder.encode_bits(0, 10)
    if kind == FLAT:
        encoder.encode_bits(0, 24)
    DeltaModel().write_delta(encoder, delta)
    return encoder.finish()


def write_refused(path: Path) -> None:
    """Write all cases."""
    groups = (header_cases, packet_cases, gop_cases, still_cases, side_cases)
    cases = [
        {"rule": case.rule, "element": case.element, "packets": [packet.hex() for packet in case.packets]}
        for group in groups
        for case in group()
    ]
    path.write_text("[\n" + ",\n".join(f" {json.dumps(case)}" for case in cases) + "\n]\n")
