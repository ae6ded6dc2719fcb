# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Hostile streams, and those in any order: a clear error or a concealed frame, never another exception, soon and in
little memory."""

import random
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import decode, encode, moving_clip, same, still_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from small_streams import FRAMES, KINDS, gop_starts, stream, watch, with_unit

from gvc.bitstream import GopUnit, parse_sequence_header, read_packet, write_gop, write_sequence_header
from gvc.bitstream.levels import MAX_LEVEL
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import BitstreamError, GvcError, PriorError
from gvc.media import Packet, VideoFormat
from gvc.priors import open_prior
from gvc.stills.av1 import encode_still


def test_shuffled_packets():
    """Packets in any order cause no crash, and a keyframe restores decoding."""
    shuffle = random.Random(1).shuffle
    for extradata, packets, reconstruction in (stream(*kind) for kind in KINDS):
        mixed = list(packets)
        shuffle(mixed)
        pictures, _ = watch(extradata, mixed + packets)
        assert same(pictures[-FRAMES:], reconstruction)


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\1", b"\xff" * 100, b"GVC1" * 30])
def test_rubbish_packets(chain, data):
    extradata, packets, reconstruction = chain
    pictures, errors = watch(extradata, [Packet(data), *packets])
    assert len(errors) == 1 and same(pictures, reconstruction)


@pytest.mark.parametrize("extradata", [b"GVC1", b"\0" * 64, b"not a header at all" * 4])
def test_rubbish_extradata(extradata):
    with pytest.raises(BitstreamError):
        Decoder(extradata)


def test_bytes_that_no_step_uses_are_an_error(chain):
    extradata, packets, _ = chain
    unit = read_packet(packets[0].data)
    for part in ("atoms", "side"):
        longer = replace(unit, **{part: getattr(unit, part) + b"\1" * 12})
        with pytest.raises(BitstreamError):
            Decoder(extradata).decode(Packet(write_gop(longer)))


# Hostile streams with valid checksums, which reach the inner parsers


def mutate(data, draw) -> bytes:
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        data[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("part", ["first", "last", "side", "atoms", "tail"])
def test_damaged_payloads(part, data):
    extradata, packets, _ = stream(*data.draw(st.sampled_from(KINDS)))
    index = data.draw(st.sampled_from(gop_starts(packets)))
    unit = read_packet(packets[index].data)
    damaged = replace(unit, **{part: mutate(getattr(unit, part), data.draw)})
    pictures, errors = watch(extradata, with_unit(packets, index, damaged), realism=1)
    assert len(errors) <= 1
    assert len(pictures) == FRAMES or (index == 0 and errors)
    assert all(p.planes[0].shape == (24, 32) for p in pictures)


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_packets_as_a_whole(data):
    extradata, packets, _ = stream(*data.draw(st.sampled_from(KINDS)))
    index = data.draw(st.sampled_from(gop_starts(packets)))
    body = mutate(packets[index].data[:-4], data.draw)
    watch(extradata, with_unit(packets, index, body + zlib.crc32(body).to_bytes(4, "little")))


@settings(max_examples=60)
@given(data=st.data())
def test_other_fields_than_the_encoders(data):
    extradata, packets, _ = stream(*data.draw(st.sampled_from(KINDS)))
    index = data.draw(st.sampled_from(gop_starts(packets)))
    start = data.draw(st.integers(0, MAX_LEVEL))
    fields = {
        "index": data.draw(st.integers(0, 2**32 - 1)),
        "shown": data.draw(st.integers(1, 129)),
        "ahead": data.draw(st.integers(0, 129)),
        "start": start,
        "stop": data.draw(st.integers(0, start)),
        "stride": data.draw(st.integers(0, 255)),
    }
    chosen = data.draw(st.sampled_from([["index"], ["shown"], ["ahead"], ["start", "stop", "stride"], list(fields)]))
    unit = replace(read_packet(packets[index].data), **{name: fields[name] for name in chosen})
    watch(extradata, with_unit(packets, index, unit))


header_changes = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["t2v", "i2v", "flf2v"]),
        "transition": st.sampled_from(["ancestral", "sde"]),
        "codebook_extra": st.integers(0, 8),
        "codebook_limit": st.integers(0, 24),
        "shift": st.integers(1, 255),
        "x0_cache": st.integers(0, 15),
        "x0_warmup": st.integers(0, 255),
        "lowres_steps": st.integers(0, 255),
        "lowres_size": st.integers(1, 99),
        "prompt": st.text(max_size=20),
        "seed": st.integers(0, 2**32 - 1),
        "format": st.builds(VideoFormat, st.integers(1, 200), st.integers(1, 200)),
        "prior": st.sampled_from(["gp/1", "gp/99", "", "wan/1", "a/b/c", "gp:x/1"]),
    },
)


@settings(max_examples=60)
@given(kind=st.sampled_from(KINDS), changes=header_changes, known=st.booleans())
def test_other_headers_than_the_encoders(kind, changes, known):
    extradata, packets, _ = stream(*kind)
    unit = read_packet(packets[0].data)
    other = replace(unit, header=replace(unit.header, **changes))
    watch(extradata if known else None, with_unit(packets, 0, other))


def test_a_packet_of_a_few_bytes_cannot_ask_for_gigabytes(chain):
    """The packet asks for 129 pictures of 16384 x 16384."""
    extradata, packets, _ = chain
    header = replace(parse_sequence_header(extradata), mode="t2v", format=VideoFormat(16384, 16384))
    unit = replace(read_packet(packets[0].data), header=header, first=b"", last=b"", shown=129)
    tracemalloc.start()
    try:
        with pytest.raises(BitstreamError, match="larger than a decoder accepts"):
            Decoder(write_sequence_header(header)).decode(Packet(write_gop(unit)))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_concealment_makes_one_picture_at_a_time():
    """The stream has a lost GOP of 129 pictures, and a next GOP whose still has no references."""
    extradata, packets, _ = encode(still_clip(1, 640, 368), preset="fast")
    end = tuple(np.full_like(plane, 200) for plane in still_clip(1, 640, 368)[0].planes)
    passed_over = GopUnit(index=2, shown=129, last=encode_still(end, 50, "fast"))
    decoder = Decoder(extradata)
    decoder.decode(packets[0])
    tracemalloc.start()
    try:
        shown = []
        for packet in [Packet(write_gop(passed_over)), *128 * [Packet(b"\0")]]:
            shown.append(int(decoder.decode(packet)[0].planes[0].mean()))
        assert tracemalloc.get_traced_memory()[1] < 20 * 640 * 368
    finally:
        tracemalloc.stop()
    assert shown == sorted(shown) and shown[0] in range(140, 150) and abs(shown[-1] - 200) < 3


def test_what_is_concealed_is_bounded_too(chain):
    """A concealed GOP has the same limits as a decoded one."""
    header = replace(parse_sequence_header(chain[0]), format=VideoFormat(1024, 1040))
    unit = GopUnit(index=7, shown=129, last=b"a still")
    with pytest.raises(BitstreamError, match="larger than a decoder accepts"):
        Decoder(write_sequence_header(header)).decode(Packet(write_gop(unit)))


def test_stills_that_the_mode_has_not_are_refused(chain):
    extradata, packets, _ = chain
    unit = read_packet(packets[0].data)
    for wrong in (
        replace(unit, first=b""),
        replace(unit, last=b""),
        replace(unit, header=replace(unit.header, mode="t2v")),
    ):
        with pytest.raises(BitstreamError, match="boundary_flags"):
            Decoder(extradata).decode(Packet(write_gop(wrong)))


@pytest.mark.parametrize(
    ("part", "value", "kind"), [("tail", b"\1abc", "flf2v"), ("ahead", 2, "i2v"), ("tail", b"x", "t2v")]
)
def test_parts_that_the_mode_has_not_are_refused(part, value, kind):
    extradata, packets, _ = stream(kind, "ancestral")
    unit = replace(read_packet(packets[0].data), **{part: value})
    with pytest.raises(BitstreamError, match=part):
        Decoder(extradata).decode(Packet(write_gop(unit)))


def test_joined_streams_may_have_different_picture_sizes(chain):
    extradata, packets, pictures = chain
    _, small, small_pictures = encode(moving_clip(5, 48, 24), gop=5, preset="fast")
    decoded = decode(extradata, [*packets, *small, *packets])
    assert same(decoded, [*pictures, *small_pictures, *pictures])


def test_a_picture_of_another_size_is_never_shown_again(chain):
    """The part of another size begins with a damaged packet, so nothing can be shown until the next keyframe."""
    extradata, packets, _ = chain
    _, small, _ = encode(moving_clip(5, 48, 24), gop=5, preset="fast")
    unit = read_packet(small[0].data)
    decoder = Decoder(extradata)
    for packet in packets:
        decoder.decode(packet)
    with pytest.raises(BitstreamError):
        decoder.decode(Packet(write_gop(replace(unit, atoms=unit.atoms + b"damage"))))
    assert [decoder.decode(packet) for packet in small[1:]] == [[]] * 4


# The right prior, or none


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prior": "gp/99"}, "gp/99"),
        ({"prior": "dream/1"}, "dream"),
        ({"prior": "wan/2.1"}, "prior=wan:FOLDER"),
        ({"weights_hash": b"\1" * 8}, "0101010101010101"),
    ],
)
def test_without_the_right_prior_decoding_stops(chain, changes, message):
    _, packets, _ = chain
    unit = read_packet(packets[0].data)
    unit = replace(unit, header=replace(unit.header, **changes))
    decoder = Decoder(write_sequence_header(unit.header))  # A header alone is no error, since players probe it.
    with pytest.raises(PriorError, match=message):
        decoder.decode(Packet(write_gop(unit)))


@pytest.mark.parametrize("name", ["wan:m/1", "ltx:m/1", "wan:../1", "gp:m/1", "/m/1", "m", "wan/../m", "wan/m", "m/1"])
def test_the_name_in_a_stream_is_never_a_place(chain, name, tmp_path, monkeypatch):
    """No file or folder of that name is opened."""
    monkeypatch.chdir(tmp_path)
    for folder in ("m/1", "wan:m/1", "ltx:m/1", "wan/m"):
        Path(folder).mkdir(parents=True)
    opened = []
    unit = read_packet(chain[1][0].data)
    packet = Packet(write_gop(replace(unit, header=replace(unit.header, prior=name))))
    for prior in ("", "auto"):
        with pytest.raises((BitstreamError, PriorError)):
            Decoder(None, {"prior": prior}, lambda *asked: opened.append(asked)).decode(packet)
    assert opened == []


def test_headers_that_change_open_the_given_prior_once(chain):
    _, packets, _ = chain
    unit, opened = read_packet(packets[0].data), []

    def opener(spec, options):
        opened.append(spec)
        return open_prior("gp", options)

    decoder = Decoder(None, {"prior": "wan:somewhere"}, opener)
    for number in range(5):
        header = replace(unit.header, prior="wan/t2v", weights_hash=bytes([number]) * 8)
        with pytest.raises(PriorError, match="gp/4 was given"):
            decoder.decode(Packet(write_gop(replace(unit, header=header))))
    assert opened == ["wan:somewhere"]


def test_headers_that_change_open_each_bundled_prior_once(chain):
    """With small keyframes that alternate between priors, opening a prior takes longer than decoding."""
    unit, opened = read_packet(chain[1][0].data), []

    def opener(spec, options):
        opened.append(spec)
        return open_prior(spec, options)

    decoder = Decoder(None, opener=opener)
    for name in 3 * ["gp/1", "gp/4", "gp/2", "neural/4", "gp/3"]:
        header = replace(unit.header, prior=name, weights_hash=open_prior(name).weights_hash)
        with suppress(BitstreamError):  # The side information belongs to gp/4.
            decoder.decode(Packet(write_gop(replace(unit, header=header))))
    assert sorted(opened) == ["gp/1", "gp/2", "gp/3", "gp/4", "neural/4"]


def test_older_versions_of_a_prior_are_for_decoding_only():
    with pytest.raises(PriorError, match="only for decoding"):
        Encoder(VideoFormat(32, 24), {"prior": "gp/3"})
    for spec in ("gp/0", "gp/5", "gp/x", "neural/99"):
        with pytest.raises(PriorError, match="update GVC"):
            open_prior(spec)


def test_errors_have_the_codes_of_the_c_library(chain):
    with pytest.raises(GvcError) as failure:
        decode(chain[0], [Packet(b"\1")])
    assert failure.value.code == -11
