# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is seen in place of pictures of which nothing arrived: the way from the last picture to the next one."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from clips import encode, facts, moving_clip

from gvc.ahead import AheadDecoder
from gvc.bitstream import is_show
from gvc.gop.display import LOOK_AHEAD
from gvc.media import Packet

CHAIN, PICTURES = 13, 39  # pictures of a chain, and of three


@cache
def film():
    """Three chains of three GOPs, whose packets, and their pictures."""
    return encode(moving_clip(PICTURES, 32, 24), gop=5, keyint=CHAIN, preset="fast")


def watched(packets, errors=0, **options):
    """Return the pictures of packets with so many errors, and the largest number of packets by which one came late."""
    decoder, pictures, latest = AheadDecoder(film()[0], {"threads": 1, **options}), [], 0
    try:
        for count, packet in enumerate([*packets, None]):
            decoder.put(packet)
            for answer in decoder.answers():
                errors -= answer.error is not None
                pictures += answer.pictures
                if packet and answer.pictures:
                    latest = max(latest, count - answer.number)
    finally:
        decoder.close()
    assert errors == 0
    return pictures, latest


def without(*lost):
    return [packet for packet in film()[1] if packet.pts not in lost]


def far(pictures, target) -> list[int]:
    """Return how far pictures are from another one."""
    return [int(np.abs(picture.planes[0].astype(int) - target.planes[0]).sum()) for picture in pictures]


def test_after_a_lost_keyframe_pictures_move_to_the_next_one():
    pictures, _ = watched(without(CHAIN))
    right = film()[2]
    assert [picture.pts for picture in pictures] == [pts for pts in range(PICTURES) if pts != CHAIN]
    concealed = [picture for picture in pictures if picture.concealed]
    assert [picture.pts for picture in concealed] == [*range(CHAIN + 1, 2 * CHAIN)]
    assert all(facts(picture) == facts(right[picture.pts]) for picture in pictures if not picture.concealed)
    assert len({str(facts(picture)[3:]) for picture in concealed}) == CHAIN - 1
    ways = far(concealed[-4:], right[2 * CHAIN])
    assert ways == sorted(ways, reverse=True)


def test_where_the_end_of_a_chain_is_lost_pictures_move_to_the_next_keyframe():
    lost = 9
    assert not is_show(film()[1][lost].data)
    pictures, _ = watched(without(lost))
    concealed = [picture for picture in pictures if picture.concealed]
    assert [picture.pts for picture in concealed] == [*range(lost + 1, CHAIN)]
    assert len({str(facts(picture)[3:]) for picture in concealed}) == len(concealed)


@pytest.mark.parametrize(("options", "moving"), [({"low_delay": 1}, 0), ({"frame_delay": 3}, 3)])
def test_pictures_stand_still_where_they_may_not_come_late_enough(options, moving):
    pictures, latest = watched(without(CHAIN), **options)
    assert len(pictures) == PICTURES - 1 and latest <= moving
    looks = [str(facts(picture)[3:]) for picture in pictures if CHAIN - 1 <= picture.pts < 2 * CHAIN]
    still = len(looks) - moving
    assert len(set(looks[:still])) == 1 and len(set(looks)) == 1 + moving


def test_only_so_many_packets_are_waited_for():
    """Where no picture comes for long, the last one stands still, and nobody waits for the next one."""
    _, packets, right = film()
    count = 3 * LOOK_AHEAD
    gap = [Packet(b"\1rubbish", CHAIN + i, 1) for i in range(count)]
    later = [replace(packet, pts=packet.pts + count) for packet in packets[CHAIN:]]
    pictures, latest = watched([*packets[:CHAIN], *gap, *later], errors=count)
    assert latest <= LOOK_AHEAD
    assert [picture.pts for picture in pictures] == [*range(PICTURES + count)]
    looks = [str(facts(picture)[3:]) for picture in pictures[CHAIN : CHAIN + count]]
    assert len(set(looks[: count - LOOK_AHEAD])) == 1 and len(set(looks)) == LOOK_AHEAD + 1
    assert [facts(picture)[3:] for picture in pictures[-5:]] == [facts(picture)[3:] for picture in right[-5:]]


def test_intact_streams_do_not_wait():
    _, packets, right = film()
    pictures, _ = watched(packets)
    assert list(map(facts, pictures)) == list(map(facts, right))
