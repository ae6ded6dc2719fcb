# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are lost or damaged on the way: what is shown instead, and what is right all the same."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from clips import decode, encode, facts, moving_clip, same
from hypothesis import given
from hypothesis import strategies as st
from make_golden import FOLDER, read_stream
from small_streams import FRAMES, gop_starts, looks, stream, watch, with_unit

from gvc.bitstream import GopUnit, is_show, read_packet, write_gop
from gvc.errors import BitstreamError
from gvc.media import Packet


def test_a_truncated_stream_gives_the_pictures_until_there(chain):
    extradata, packets, reconstruction = chain
    for cut in range(FRAMES):
        assert same(decode(extradata, packets[:cut]), reconstruction[:cut])


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


def test_a_still_that_is_not_what_its_check_says_is_not_used():
    """Even where all that it refers to is right. One wrong still in 256 has the right check by chance."""
    extradata, packets, reconstruction = encode(moving_clip(33, 64, 48, speed=9), preset="medium", quality=60)
    marked = wrong = 0
    for start in gop_starts(packets)[1:]:
        unit = read_packet(packets[start].data)
        for place in range(12, len(unit.last), max(1, len(unit.last) // 3)):
            last = bytearray(unit.last)
            last[place] ^= 0x20
            pictures, _ = watch(extradata, with_unit(packets, start, replace(unit, last=bytes(last))))
            pairs = zip(pictures, reconstruction, strict=True)
            marked += any(picture.concealed for picture in pictures)
            wrong += any(not picture.concealed and looks([picture]) != looks([right]) for picture, right in pairs)
    assert marked > 10 and wrong <= 1


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


def test_in_i2v_a_chain_goes_on_from_the_last_picture_that_is_there():
    """So it is closer to what it should be than a still picture."""
    extradata, packets, reconstruction = encode(moving_clip(21, 32, 24), mode="i2v", gop=5, preset="fast", quality=60)
    lost, start = gop_starts(packets)[1:3]
    pictures, errors = watch(extradata, packets[:lost] + packets[lost + 1 :])
    assert errors == [] and [picture.pts for picture in pictures] == [*range(lost), *range(lost + 1, 21)]
    assert same(pictures[:lost], reconstruction[:lost]) and concealed(pictures) == [*range(lost + 1, 21)]
    found, right = pictures[start - 1 :], reconstruction[start:]
    assert len(set(map(str, looks(found)))) == len(found)
    assert psnr(found, right) > psnr(len(right) * [reconstruction[lost - 1]], right) + 1


def test_in_i2v_nothing_that_follows_damaged_atoms_is_said_to_be_right():
    extradata, packets, _ = stream("i2v", "ancestral")
    second = gop_starts(packets)[1]
    pictures, errors = watch(extradata, with_unit(packets, second, packets[second].data[:-2]))
    assert [error.element for error in errors] == ["atoms"] and len(pictures) == FRAMES
    assert concealed(pictures) == [*range(second, FRAMES)]


@pytest.mark.parametrize("ahead", [2000, 2**30])
def test_a_gop_from_far_ahead_is_shown_and_does_no_harm(chain, ahead):
    extradata, packets, reconstruction = chain
    unit = read_packet(packets[9].data)
    far = replace(unit, index=unit.index + ahead, number=unit.number + ahead)
    pictures, errors = watch(extradata, [*with_unit(packets, 9, far), *packets])
    assert len(pictures) == 2 * FRAMES and errors == []
    assert same(pictures[:9] + pictures[FRAMES:], reconstruction[:9] + reconstruction)
    assert concealed(pictures) == [*range(9, FRAMES)]
