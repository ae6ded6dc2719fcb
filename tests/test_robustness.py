# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Damaged, cut and hostile streams: a clear error or a concealed frame, never another exception, soon and in little
memory."""

import random
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clips import decode, encode, facts, moving_clip, same, still_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from make_golden import FOLDER, read_stream

from gvc.bitstream import GopUnit, is_show, parse_sequence_header, read_packet, write_gop, write_sequence_header
from gvc.bitstream.levels import MAX_LEVEL
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import BitstreamError, GvcError, PriorError
from gvc.media import Packet, VideoFormat
from gvc.priors import open_prior
from gvc.stills.av1 import encode_still

FRAMES = 13
KINDS = [(mode, transition) for mode in ("t2v", "i2v", "flf2v") for transition in ("ancestral", "sde")]
KINDS.append(("t2v", "ancestral", 2))


@cache
def stream(mode: str, transition: str, overlap: int = 0):
    """Return three GOPs in one chain (in t2v three keyframes), small enough to be decoded a thousand times."""
    options = {"mode": mode, "transition": transition, "gop": 5, "preset": "fast", "atoms": 8, "overlap": overlap}
    return encode(moving_clip(FRAMES, 32, 24), **options)


@pytest.fixture
def chain():
    """Return an FLF2V stream with a single keyframe at 0; GOPs start at 0, 5, 9."""
    return stream("flf2v", "ancestral")


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


# Loss and damage on the way


def test_a_truncated_stream_gives_the_pictures_until_there(chain):
    extradata, packets, reconstruction = chain
    for cut in range(FRAMES):
        assert same(decode(extradata, packets[:cut]), reconstruction[:cut])


def looks(pictures) -> list:
    """Return the contents of pictures without their times, in a form that can be compared."""
    return [facts(picture)[3:] for picture in pictures]


def psnr(pictures, others) -> float:
    """Return the PSNR of luma in dB."""
    errors = [np.square(a.planes[0].astype(float) - b.planes[0]).mean() for a, b in zip(pictures, others, strict=True)]
    return float(10 * np.log10(255**2 / max(np.mean(errors), 1e-9)))


def concealed(pictures) -> list[int]:
    return [picture.pts for picture in pictures if picture.concealed]


def test_a_cut_off_packet_costs_its_gop_some_atoms():
    """The more of its atoms are there, the better it looks."""
    extradata, packets, reconstruction = encode(moving_clip(FRAMES, 64, 48), gop=5, quality=80, preset="fast")
    atoms = len(read_packet(packets[5].data).atoms)
    quality = []
    for cut in (10, atoms // 2, atoms - 2):
        pictures, errors = watch(extradata, with_unit(packets, 5, packets[5].data[:-cut]))
        assert [error.element for error in errors] == ["atoms"] and concealed(pictures) == [5, 6, 7, 8]
        assert same(pictures[:5] + pictures[9:], reconstruction[:5] + reconstruction[9:])
        quality.append(psnr(pictures[5:8], reconstruction[5:8]))
    assert quality == sorted(quality, reverse=True) and quality[0] > quality[2] + 1


def test_wrong_atoms_are_not_used(chain):
    extradata, packets, reconstruction = chain
    wrong = bytearray(packets[5].data)
    wrong[-3] ^= 1
    pictures, errors = watch(extradata, with_unit(packets, 5, bytes(wrong)))
    assert [error.element for error in errors] == ["atoms"] and concealed(pictures) == [5, 6, 7, 8]
    assert same(pictures[9:], reconstruction[9:]) and psnr(pictures[5:8], reconstruction[5:8]) > 20


def test_a_damaged_gop_ends_the_one_before(chain):
    """Pictures of the GOP before that were not shown yet do not appear at later times."""
    extradata, packets, reconstruction = chain
    pictures, errors = watch(extradata, [*packets[:3], Packet(b"\1rubbish", 5, 1), *packets[6:9]])
    assert same(pictures[:3], reconstruction[:3]) and len(errors) == 1
    assert concealed(pictures) == [5, 6, 7, 8]
    assert not any(looks([picture]) == looks([reconstruction[3]]) for picture in pictures[3:])


def test_a_gop_passed_over_moves_to_a_still_that_stands_by_itself():
    """In old streams no still has references. The concealed GOP approaches its last still step by step."""
    extradata, packets = read_stream(FOLDER / "gp1" / "flf2v.gvc")
    reconstruction = decode(extradata, packets)
    second = next(i for i, packet in enumerate(packets) if i and not is_show(packet.data))
    unit = read_packet(packets[second].data)
    gap = with_unit(packets, second, write_gop(replace(unit, index=unit.index + 1)))
    pictures, errors = watch(extradata, gap)
    assert errors == [] and looks(pictures[:second]) == looks(reconstruction[:second])
    assert looks(pictures[-1:]) == looks(reconstruction[-1:])
    assert concealed(pictures) == [picture.pts for picture in pictures[second:]]
    end = pictures[-1].planes[0].astype(int)
    distances = [np.abs(picture.planes[0] - end).sum() for picture in pictures[second:]]
    assert distances == sorted(distances, reverse=True) and distances[0] > 0


def test_bytes_that_no_step_uses_are_an_error(chain):
    extradata, packets, _ = chain
    unit = read_packet(packets[0].data)
    for part in ("atoms", "side"):
        longer = replace(unit, **{part: getattr(unit, part) + b"\1" * 12})
        with pytest.raises(BitstreamError):
            Decoder(extradata).decode(Packet(write_gop(longer)))


@pytest.mark.parametrize("index", [0, 5])
def test_a_wrong_bit_is_put_right_and_reported(chain, index):
    """Only a length that is wrong and wrong atoms cannot be put right; these are concealed."""
    extradata, packets, reconstruction = chain
    repaired = 0
    for place in range(1, len(packets[index].data), 11):
        data = bytearray(packets[index].data)
        data[place] ^= 1 << place % 8
        pictures, errors = watch(extradata, with_unit(packets, index, bytes(data)))
        assert [type(error) for error in errors] == [BitstreamError] and len(pictures) == FRAMES
        assert [same([a], [b]) or a.concealed for a, b in zip(pictures, reconstruction, strict=True)] == [True] * FRAMES
        repaired += concealed(pictures) == []
    assert repaired > 0.6 * len(packets[index].data) / 11


def test_wrong_bits_far_apart_are_put_right():
    """A large packet has a check for each of its segments."""
    unit = GopUnit(index=3, number=3, shown=5, last=bytes(range(256)) * 12, checked=True, bare=True, stride=1)
    data = bytearray(write_gop(unit))
    for place in (700, 1500, 2500, 3080):
        data[place] ^= 4
    assert read_packet(bytes(data)) == replace(unit, repaired=True)
    data[2600] ^= 4
    with pytest.raises(BitstreamError, match="packet_checksum"):
        read_packet(bytes(data))


@pytest.mark.parametrize("lost", [0, 5, 9])
def test_a_lost_gop_costs_itself_and_the_next_one_at_most(chain, lost):
    """That of the keyframe costs its chain."""
    extradata, packets, reconstruction = chain
    second_chain = [replace(p, pts=p.pts + FRAMES) for p in packets]
    pictures, errors = watch(extradata, packets[:lost] + packets[lost + 1 :] + second_chain)
    assert errors == []
    shown = {p.pts: p for p in pictures}
    intact = {0: [], 5: range(5), 9: range(9)}[lost]
    for pts in range(2 * FRAMES):
        if pts >= FRAMES or pts in intact:
            assert facts(shown[pts])[3:] == facts(reconstruction[pts % FRAMES])[3:] and not shown[pts].concealed
        elif lost and pts > lost:
            assert shown[pts].concealed or looks([shown[pts]]) == looks([reconstruction[pts]])


@cache
def long_stream(reordered: bool):
    """Return a chain of many GOPs, whose stills refer to each other in both ways that the encoder has."""
    if reordered:
        return encode(moving_clip(69, 64, 48, speed=9), preset="fast")
    return encode(moving_clip(69, 32, 24), gop=5, preset="fast", quality=50)


@pytest.mark.parametrize("first", range(1, 10))
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("reordered", [False, True])
def test_what_is_not_marked_as_concealed_is_right(first, count, reordered):
    extradata, packets, reconstruction = long_stream(reordered)
    starts = gop_starts(packets)
    lost = starts[first : first + count]
    pictures, errors = watch(extradata, [packet for packet in packets if packet.pts not in lost])
    right = {picture.pts: facts(picture) for picture in reconstruction}
    assert errors == [] and [picture.pts for picture in pictures] == [pts for pts in right if pts not in lost]
    assert all(picture.concealed or facts(picture) == right[picture.pts] for picture in pictures)
    assert not any(picture.concealed for picture in pictures if picture.pts < lost[0])


def test_most_lost_gops_cost_themselves_and_the_next_one():
    extradata, packets, _ = long_stream(False)
    costs = []
    for lost in gop_starts(packets)[1:]:
        pictures, _ = watch(extradata, [packet for packet in packets if packet.pts != lost])
        costs.append(len(concealed(pictures)) + 1)
    assert sorted(costs)[len(costs) // 2] <= 8 and min(costs) == 4


def test_concealed_pictures_move_between_the_stills_around_them():
    """The picture shown last would be farther from the right ones."""
    extradata, packets, reconstruction = long_stream(False)
    lost, start, end = gop_starts(packets)[2:5]
    pictures, _ = watch(extradata, packets[:lost] + packets[lost + 1 :])
    found, right = [picture for picture in pictures if start <= picture.pts < end], reconstruction[start:end]
    assert concealed(found) == [*range(start, end)] and len(set(map(str, looks(found)))) == end - start
    assert psnr(found, right) > psnr((end - start) * [reconstruction[lost - 1]], right) + 1


def test_stills_that_the_decoder_has_already_are_used():
    """A still that is coded with an earlier one costs nothing but its own GOP, and pictures move to it at once."""
    extradata, packets, _ = long_stream(True)
    starts = gop_starts(packets)
    costs = []
    for lost, end in pairwise(starts[2:]):
        pictures, _ = watch(extradata, packets[:lost] + packets[lost + 1 :])
        found = [picture for picture in pictures if lost < picture.pts < end]
        costs.append(len(concealed(pictures)) - len(found))
        assert concealed(found) == [*range(lost + 1, end)]
        assert len(set(map(str, looks(found)))) == len(found)
    assert costs.count(0) >= 2


@pytest.mark.parametrize("lost", [{1}, {2}, {3, 4}, {1, 3, 7}, {10, 11, 12}])
def test_lost_show_packets_cost_one_picture_each(chain, lost):
    extradata, packets, reconstruction = chain
    pictures, errors = watch(extradata, [packet for packet in packets if packet.pts not in lost])
    assert errors == []
    assert list(map(facts, pictures)) == [facts(picture) for picture in reconstruction if picture.pts not in lost]


def test_show_packets_of_older_streams_show_the_next_picture(chain):
    extradata, packets, reconstruction = chain
    older = [replace(packet, data=b"\0") if is_show(packet.data) else packet for packet in packets]
    assert list(map(facts, decode(extradata, older))) == list(map(facts, reconstruction))


@given(data=st.data())
def test_any_show_packets_disturb_their_gop_only(data):
    extradata, packets, reconstruction = stream("flf2v", "ancestral")
    shows = data.draw(st.lists(st.sampled_from([byte for byte in range(256) if byte not in (1, 2)]), max_size=6))
    place = data.draw(st.integers(1, 5))
    pictures, errors = watch(extradata, packets[:place] + [Packet(bytes([b]), 99, 1) for b in shows] + packets[5:])
    assert errors == [] and len(pictures) == place + len(shows) + FRAMES - 5
    assert list(map(facts, pictures[place + len(shows) :])) == list(map(facts, reconstruction[5:]))


def test_a_show_packet_that_comes_twice_repeats_its_picture(chain):
    extradata, packets, reconstruction = chain
    pictures, errors = watch(extradata, packets[:3] + packets[2:])
    assert errors == []
    assert list(map(facts, pictures)) == list(map(facts, reconstruction[:3] + reconstruction[2:]))


def test_too_many_show_packets_repeat_the_last_picture(chain):
    extradata, packets, reconstruction = chain
    pictures = decode(extradata, [*packets, packets[-1], Packet(b"\0", 99, 1)])
    assert [facts(picture)[3:] for picture in pictures[-2:]] == 2 * [facts(reconstruction[-1])[3:]]


def test_show_packets_of_a_lost_gop_show_nothing_of_the_one_before(chain):
    """The GOP before lost its last pictures, which must not be shown later."""
    extradata, packets, reconstruction = chain
    pictures, errors = watch(extradata, packets[:3] + packets[6:8])
    assert errors == []
    assert [facts(picture)[3:] for picture in pictures[3:]] == 2 * [facts(reconstruction[2])[3:]]


@pytest.mark.parametrize("start", [1, 5, 8])
def test_starting_at_a_non_keyframe_shows_nothing(chain, start):
    extradata, packets, _ = chain
    assert watch(extradata, packets[start:]) == ([], [])


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
