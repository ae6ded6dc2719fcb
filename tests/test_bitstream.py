# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Headers and packets: what is written is read again, and any other bytes are refused in an orderly way."""

import tracemalloc
import zlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gvc.bitstream import (
    GopUnit,
    SequenceHeader,
    parse_sequence_header,
    read_packet,
    repair,
    write_gop,
    write_sequence_header,
)
from gvc.bitstream.fields import FieldReader, FieldWriter
from gvc.bitstream.head import write_head
from gvc.bitstream.levels import MAX_LEVEL
from gvc.bitstream.repair import CRC16_SIZE, CRC32_SIZE, segment_checks
from gvc.bitstream.sequence import (
    LOWRES_SIZE,
    MAX_CODEBOOK_EXTRA,
    MAX_CODEBOOK_LIMIT,
    MAX_PROMPT,
    MAX_SKIPS,
    MODES,
    PRIOR_NAME,
    TRANSITIONS,
)
from gvc.bitstream.similarity import abridged, unabridged
from gvc.errors import BitstreamError
from gvc.media import MAX_DIMENSION, VideoFormat


def rates(numerator: int, denominator: int):
    return st.builds(Fraction, st.integers(1, numerator), st.integers(1, denominator))


bytes_8 = st.integers(0, 255)
sides = st.integers(1, MAX_DIMENSION)
formats = st.builds(
    lambda rate, **fields: VideoFormat(frame_rate=rate, time_base=1 / rate, **fields),
    rate=rates(2**20, 2**20),
    width=sides,
    height=sides,
    sample_aspect_ratio=st.just(Fraction(0)) | rates(65535, 65535),
    color_range=bytes_8,
    color_primaries=bytes_8,
    color_trc=bytes_8,
    colorspace=bytes_8,
    chroma_location=bytes_8,
)
headers = st.builds(
    lambda refresh, low, **fields: SequenceHeader(
        x0_cache=refresh[0], x0_warmup=refresh[1], lowres_steps=low[0], lowres_size=low[1], **fields
    ),
    format=formats,
    mode=st.sampled_from(MODES),
    transition=st.sampled_from(TRANSITIONS),
    prior=st.from_regex(PRIOR_NAME, fullmatch=True),
    weights_hash=st.binary(min_size=8, max_size=8),
    seed=st.integers(0, 2**32 - 1),
    codebook_extra=st.integers(0, MAX_CODEBOOK_EXTRA),
    codebook_limit=st.integers(0, MAX_CODEBOOK_LIMIT),
    shift=st.integers(1, 255),
    prompt=st.text(st.characters(codec="utf-8"), max_size=60),
    refresh=st.just((0, 0)) | st.tuples(st.integers(1, MAX_SKIPS), st.integers(0, 255)),
    low=st.just((0, LOWRES_SIZE)) | st.tuples(st.integers(1, 255), st.integers(1, 99)),
)
blobs = st.binary(max_size=300)
units = st.builds(
    lambda levels, **fields: GopUnit(start=max(levels), stop=min(levels), **fields),
    levels=st.tuples(*2 * [st.integers(0, MAX_LEVEL)]),
    index=st.integers(0, 2**32 - 1),
    shown=st.integers(1, 129),
    header=st.none() | headers,
    first=blobs,
    last=blobs,
    side=blobs,
    stride=bytes_8,
    atoms=blobs,
    ahead=st.integers(0, 129),
    tail=blobs,
)
REPEAT = b"\x18\xa8"  # an AV1 frame shown again


def _compact(unit: GopUnit, still: bytes, number: int, bare: bool) -> GopUnit:
    levels = {"start": 0, "stop": 0, "stride": 1, "atoms": b""} if bare else {}
    number, check = 0 if unit.header else number, 7 if still else 0
    checked = {"checked": True, "compact": True, "number": number, "last_check": check}
    return replace(unit, last=still, bare=bare, **checked, **levels)


compact_units = st.builds(
    _compact, units, st.binary(max_size=1) | st.just(REPEAT) | blobs, st.integers(1, 2**32), st.booleans()
)

HEADER = SequenceHeader(
    format=VideoFormat(640, 360, Fraction(30000, 1001)), mode="flf2v", transition="ancestral", seed=7, prior="gp/1"
)
UNIT = GopUnit(
    header=HEADER,
    index=3,
    shown=33,
    first=b"first",
    last=b"last",
    side=b"side",
    start=400,
    stop=200,
    stride=8,
    atoms=b"some atoms",
)


def with_checksum(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "little")


@given(headers)
def test_sequence_header_round_trip(header):
    data = write_sequence_header(header)
    assert parse_sequence_header(data) == header
    assert int.from_bytes(data[6:8], "little") == len(data)


def test_fixed_part_lies_where_the_c_library_reads_it():
    video = VideoFormat(640, 360, Fraction(30000, 1001), Fraction(1001, 30000), Fraction(4, 3), 1, 9, 16, 10, 3)
    data = write_sequence_header(replace(HEADER, format=video))
    assert data[:6] == b"GVC1\x01\x01"
    assert data[8:30].hex() == "800268010109100a03000400030030750000e9030000"


def test_colours_that_only_ffmpeg_has_a_number_for_are_unspecified():
    """Examples are FFmpeg's V-Gamut and V-Log, which have the number 256."""
    video = replace(HEADER.format, color_primaries=256, color_trc=256, colorspace=9, chroma_location=300)
    back = parse_sequence_header(write_sequence_header(replace(HEADER, format=video))).format
    assert (back.color_primaries, back.color_trc, back.colorspace, back.chroma_location) == (2, 2, 9, 0)


@pytest.mark.parametrize("padding", [b"\0", b"\xff" * 200])
def test_containers_may_pad_the_sequence_header(padding):
    assert parse_sequence_header(write_sequence_header(HEADER) + padding) == parse_sequence_header(
        write_sequence_header(HEADER)
    )


@pytest.mark.parametrize(
    "value",
    [Fraction(10**12 + 1, 10**11), Fraction(1000003, 500000), Fraction(1000003, 3 * 10**9), Fraction(1, 10**12)],
)
def test_ratios_that_do_not_fit_are_written_as_their_nearest(value):
    video = replace(HEADER.format, frame_rate=value, sample_aspect_ratio=value)
    back = parse_sequence_header(write_sequence_header(replace(HEADER, format=video))).format
    assert float(back.frame_rate) == pytest.approx(float(value), rel=1e-9, abs=1e-9)
    assert float(back.sample_aspect_ratio) == pytest.approx(float(value), rel=1e-4, abs=1e-5)


def test_ratios_beyond_all_bounds_are_clipped():
    video = replace(HEADER.format, frame_rate=Fraction(10**20), sample_aspect_ratio=Fraction(10**7, 3))
    back = parse_sequence_header(write_sequence_header(replace(HEADER, format=video))).format
    assert (back.frame_rate, back.sample_aspect_ratio) == (2**31 - 1, 65535)


def test_unknown_version_says_so():
    data = bytearray(write_sequence_header(HEADER))
    data[4] = 9
    with pytest.raises(BitstreamError, match=r"version 9.*update"):
        parse_sequence_header(bytes(data))


def set_field(offset: int, value: bytes) -> bytes:
    """Return the sequence header with one field changed and with a valid checksum."""
    data = bytearray(write_sequence_header(HEADER))
    data[offset : offset + len(value)] = value
    return with_checksum(bytes(data[:-4]))


@pytest.mark.parametrize(
    ("offset", "value", "element"),
    [
        (0, b"RIFF", "magic"),
        (5, b"\0", "sample_format"),
        (5, b"\x07", "sample_format"),
        (6, b"\xff\xff", "header_size"),
        (6, b"\x00\x00", "header_size"),
        (6, b"\x1e\x00", "header_checksum"),
        (8, b"\0\0", "width"),
        (8, b"\xff\xff", "width"),
        (10, b"\0\0", "height"),
        (17, b"\1", "reserved"),
        (20, b"\0\0", "sar_den"),
        (26, b"\0\0\0\0", "rate_den"),
        (30, b"\x07", "mode"),
        (31, b"\x02", "transition"),
        (32, b"\x09", "codebook_extra"),
        (37, b"\x08", "tools"),
        (37, b"\x20", "tools"),
        (46, b"\xff", "prior_name"),
        (47, b"\xff\xfe", "prior_name"),
        (46, b"\x03", "header_size"),
        *(
            (47, name, "prior_name")
            for name in (b"gp:1", b"gp//", b"../1", b"GP/1", b"/p/1", b"gp/ ", b"gp1\n", b"gp/\0")
        ),
    ],
)
def test_bad_values_name_their_element(offset, value, element):
    with pytest.raises(BitstreamError) as failure:
        parse_sequence_header(set_field(offset, value))
    assert failure.value.element == element


@given(units | compact_units)
def test_gop_round_trip(unit):
    assert read_packet(write_gop(unit)) == unit


@given(headers)
def test_a_sequence_header_is_its_differences_from_the_usual_one(header):
    whole = write_sequence_header(header)
    assert unabridged(abridged(whole)) == whole
    assert len(abridged(whole)) <= len(whole) * 9 // 8


@pytest.mark.parametrize("size", [*range(240, 262), *range(1020, 1034), *range(2046, 2056)])
def test_a_bare_compact_gop_of_any_size_round_trip(size):
    """Its last element has no size of its own, and the sizes of checks after it depend on that of the packet."""
    unit = _compact(replace(UNIT, header=None, side=bytes(size)), b"last", 2, True)
    header = parse_sequence_header(write_sequence_header(HEADER))
    for whole in (unit, replace(unit, last=REPEAT), replace(unit, header=header, number=0)):
        assert read_packet(write_gop(whole)) == whole


@pytest.mark.parametrize("still", [REPEAT, b"last"])
def test_each_single_wrong_bit_of_a_bare_compact_packet_is_put_right(still):
    """Those of lengths and flags, too, after which everything else is read in another way."""
    unit = _compact(replace(UNIT, header=None), still, 5, True)
    whole = write_gop(unit)
    for place in range(8 * len(whole)):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        assert read_packet(bytes(data)) == replace(unit, repaired=True), place


def test_a_compact_packet_takes_half_of_the_bytes():
    full = GopUnit(index=7, number=7, shown=2, last=REPEAT, side=b"side", checked=True, bare=True, stride=1)
    compact = write_gop(replace(full, compact=True))
    assert len(compact) - 6 <= (len(write_gop(full)) - 6) / 2  # without the still and the side information
    header = {"header": replace(HEADER, prior="gp/4", seed=42), "index": 0, "number": 0}
    assert len(write_gop(replace(full, compact=True, **header))) - len(compact) <= 16


@given(compact_units, st.data())
def test_mutations_of_compact_packets_are_a_value_or_an_error(unit, data):
    body = bytearray(write_head(unit))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = bytes(body[: data.draw(st.integers(0, len(body)))])
    for size in (CRC16_SIZE, CRC32_SIZE):
        check_orderly(read_packet, repair.with_checksum(body, size))
        check_orderly(read_packet, repair.with_checksum(body + segment_checks(body), size))


@pytest.mark.parametrize(
    ("place", "value", "element"),
    [
        (0, b"\xc0", "packet_type"),
        (0, b"\x70", "boundary_flags"),  # a frame to show again, and no still
        (1, b"\xff\xff\xff\xff\x10", "gop_index"),
        (2, b"\0", "shown"),
        (3, b"\0", "gop_number"),
    ],
)
def test_bad_compact_fields_name_their_element(place, value, element):
    unit = replace(_compact(replace(UNIT, header=None), b"", 5, True), first=b"")
    body = bytearray(write_head(unit))
    body[place : place + 1] = value
    with pytest.raises(BitstreamError) as failure:
        read_packet(repair.with_checksum(bytes(body), CRC16_SIZE))
    assert failure.value.element == element


@pytest.mark.parametrize("size", [0, 29, 4097, 65535])
def test_differences_that_claim_another_size_are_refused(size):
    with pytest.raises(BitstreamError, match="header_size"):
        unabridged(b"\x0c" + size.to_bytes(2, "little") + bytes(600))


@pytest.mark.parametrize("part", ["first", "last", "tail"])
def test_a_part_that_is_flagged_is_not_empty(part):
    flags = {"first": 1, "last": 2, "tail": 4}[part]
    whole = replace(UNIT, header=None, first=b"", last=b"", tail=b"")
    body = bytearray(write_gop(whole)[:-4])
    body[6] = flags
    body[7:7] = b"\0"
    with pytest.raises(BitstreamError, match="flagged and empty") as failure:
        read_packet(with_checksum(bytes(body)))
    assert failure.value.element == part
    body[7:8] = b"\1x"
    assert read_packet(with_checksum(bytes(body))) == replace(whole, **{part: b"x"})


def test_key_is_what_has_a_header():
    assert UNIT.key
    assert not replace(UNIT, header=None).key
    assert read_packet(b"\0") is None
    assert read_packet(b"\x80") is None  # A damaged show packet is still a show packet.


def check_orderly(parse, data: bytes) -> None:
    """Check that parsing returns a value or raises BitstreamError."""
    try:
        parse(data)
    except BitstreamError as error:
        assert str(error)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x01")
@example(b"\x02\0\0\0\0")
@example(b"\x00\x00")
def test_any_bytes_are_a_value_or_an_error(data):
    for parse in (parse_sequence_header, read_packet):
        check_orderly(parse, data)
        check_orderly(parse, with_checksum(data))


@given(units, st.data())
def test_mutations_with_a_right_checksum_are_a_value_or_an_error(unit, data):
    body = bytearray(write_gop(unit)[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    check_orderly(read_packet, with_checksum(bytes(body)))
    cut = data.draw(st.integers(0, len(body)))
    check_orderly(read_packet, with_checksum(bytes(body[:cut])))


def test_every_flipped_byte_is_detected():
    for whole, parse in ((write_gop(UNIT), read_packet), (write_sequence_header(HEADER), parse_sequence_header)):
        for place in range(len(whole)):
            for flip in (0x01, 0x80, 0xFF):
                data = bytearray(whole)
                data[place] ^= flip
                try:
                    found = parse(bytes(data))
                except BitstreamError:
                    continue
                assert flip != 0xFF and found == replace(read_packet(whole), repaired=True)


def test_every_truncation_and_extension_is_detected():
    packet, header = write_gop(UNIT), write_sequence_header(HEADER)
    for cut in range(len(packet)):
        with pytest.raises(BitstreamError):
            read_packet(packet[:cut])
        with pytest.raises(BitstreamError):  # A valid checksum does not help.
            read_packet(with_checksum(packet[: max(cut - 4, 0)]))
    for cut in range(len(header)):
        with pytest.raises(BitstreamError):
            parse_sequence_header(header[:cut])
    with pytest.raises(BitstreamError, match="left over"):
        read_packet(with_checksum(packet[:-4] + b"\0"))


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff\xff\x01"])
def test_huge_lengths_allocate_nothing(length):
    """A length field of the side information that claims gigabytes is refused."""
    body = write_gop(replace(UNIT, header=None, first=b"", last=b"", side=b"", atoms=b""))[:7]
    tracemalloc.start()
    try:
        with pytest.raises(BitstreamError, match=r"\(side\)"):
            read_packet(with_checksum(body + length + bytes(20)))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("place", "value", "element"),
    [
        (5, b"\0", "shown"),
        (5, b"\xff", "shown"),
        (6, b"\x40", "boundary_flags"),
        (8, b"\xff\xff", "start"),
        (10, b"\xff\x02", "stop"),  # above the start level
    ],
)
def test_bad_gop_fields_name_their_element(place, value, element):
    body = bytearray(write_gop(replace(UNIT, header=None, first=b"", last=b"", side=b""))[:-4])
    body[place : place + len(value)] = value
    with pytest.raises(BitstreamError) as failure:
        read_packet(with_checksum(bytes(body)))
    assert failure.value.element == element


@given(units)
def test_a_bare_gop_round_trip(unit):
    """A GOP without levels and atoms takes six bytes less."""
    silent = replace(unit, start=0, stop=0, stride=1, atoms=b"")
    bare = replace(silent, bare=True)
    assert read_packet(write_gop(bare)) == bare
    assert read_packet(write_gop(replace(unit, atoms=b"", bare=True))) == bare
    assert len(write_gop(bare)) == len(write_gop(silent)) - 6


def test_an_overlong_sequence_header_in_a_packet_is_refused():
    writer = FieldWriter()
    writer.uint(2, 1)
    writer.sized(write_sequence_header(HEADER) + bytes(5000))
    with pytest.raises(BitstreamError, match="sequence_header"):
        read_packet(with_checksum(bytes(writer) + bytes(20)))


@given(st.integers(0, 2**35 - 1))
@example(127)
@example(128)
@example(2**35 - 1)
def test_varint_round_trip(value):
    writer = FieldWriter()
    writer.varint(value)
    reader = FieldReader(bytes(writer))
    assert reader.varint("number") == value
    reader.finish("end")
    assert len(bytes(writer)) == max(1, -(-value.bit_length() // 7))


def test_a_header_without_tools_has_no_bytes_for_them():
    with_tools = replace(HEADER, shift=5, codebook_limit=14, prompt="a dog", x0_cache=1)
    bare, full = write_sequence_header(HEADER), write_sequence_header(with_tools)
    assert bare[37] == 0 and full[37] == 7
    assert full[bare.index(b"gp/1") : -4] == b"gp/1\x05\x0e\x05a dog" and len(full) == len(bare) + 8
    with_more = replace(HEADER, x0_cache=1, x0_warmup=4, lowres_steps=8, lowres_size=67)
    full = write_sequence_header(with_more)
    assert full[37] == 25 and full[bare.index(b"gp/1") : -4] == b"gp/1\x01\x04\x08\x43"


@pytest.mark.parametrize(
    ("tools", "rest", "element"),
    [
        (32, b"", "tools"),
        (8, b"\2\0", "tools"),  # without the x0-cache
        (9, b"\0\1", "x0_skips"),
        (9, b"\x10\0", "x0_skips"),
        (9, b"\1\0", "tools"),
        (9, b"\2", "x0_warmup"),
        (16, b"\0\x32", "lowres_steps"),
        (16, b"\1\0", "lowres_size"),
        (16, b"\1\x64", "lowres_size"),
        (2, b"\0\x0e", "shift"),
        (2, b"\x03\x19", "codebook_limit"),
        (2, b"\x03\0", "tools"),  # flagged, and as without
        (4, b"\0", "tools"),
        (4, b"\x01\xff", "prompt"),
        (4, b"\xff", "prompt"),
    ],
)
def test_bad_tools_name_their_element(tools, rest, element):
    body = bytearray(write_sequence_header(HEADER)[:-4] + rest)
    body[6:8] = (len(body) + 4).to_bytes(2, "little")
    body[37] = tools
    with pytest.raises(BitstreamError) as failure:
        parse_sequence_header(with_checksum(bytes(body)))
    assert failure.value.element == element


def test_values_that_do_not_fit_are_not_written():
    with pytest.raises(ValueError, match="at most"):
        write_sequence_header(replace(HEADER, prompt="x" * (MAX_PROMPT + 1)))
    with pytest.raises(OverflowError):
        write_gop(replace(UNIT, shown=256))
