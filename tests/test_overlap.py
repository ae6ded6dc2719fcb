# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Overlap of T2V GOPs."""

import numpy as np
import pytest
from clips import decode, encode, moving_clip, psnr, same, size_of, stack, video_format

from gvc.bitstream import read_packet
from gvc.encoder import Encoder
from gvc.gop.overlap import Overlap

OPTIONS = {"mode": "t2v", "gop": 9, "preset": "fast", "quality": 20}


def flat(value: int, count: int):
    return tuple(np.full((count, 2, 2), value, np.uint8) for _ in range(3))


def levels(clip) -> list[int]:
    return [int(picture.mean()) for picture in clip[0]]


def test_gops_fade_into_each_other():
    overlap = Overlap()
    assert levels(overlap.join(flat(100, 8), 5, True)) == [100] * 5
    assert levels(overlap.join(flat(180, 8), 5, False)) == [120, 140, 160, 180, 180]
    assert levels(overlap.join(flat(180, 5), 5, False)) == [180] * 5
    assert levels(overlap.join(flat(60, 5), 5, False)) == [60] * 5  # There are no pictures of the GOP before to blend.


def test_a_short_gop_fades_faster():
    overlap = Overlap()
    overlap.join(flat(100, 9), 4, True)
    assert levels(overlap.join(flat(190, 2), 2, False)) == [130, 160]


def test_nothing_is_blended_into_a_keyframe_or_after_a_break():
    overlap = Overlap()
    overlap.join(flat(100, 9), 4, True)
    assert levels(overlap.join(flat(190, 9), 4, True)) == [190] * 4
    overlap.forget()
    assert levels(overlap.join(flat(20, 4), 4, False)) == [20] * 4


def test_seams_become_smoother():
    pictures = moving_clip(45, 96, 64, speed=1)
    jumps, sizes = [], []
    for overlap in (0, 4):
        _, packets, shown = encode(pictures, overlap=overlap, **OPTIONS)
        units = [read_packet(packet.data) for packet in packets]
        starts = [i for i, unit in enumerate(units) if unit and i]
        luma = stack(shown)[0].astype(int)
        jumps.append(np.mean([np.abs(luma[i] - luma[i - 1]).mean() for i in starts]))
        sizes.append(size_of(packets))
        assert psnr(pictures, shown) > 24
    assert jumps[1] < 0.7 * jumps[0]
    assert sizes[1] > sizes[0]  # Coding pictures twice takes bits.


def test_chains_of_overlapping_gops_can_be_entered_at_keyframes():
    pictures = moving_clip(40)
    extradata, packets, shown = encode(pictures, overlap=3, keyint=20, **OPTIONS)
    assert [i for i, packet in enumerate(packets) if packet.key] == [0, 20]
    assert same(decode(extradata, packets[20:]), shown[20:])


@pytest.mark.parametrize("lost", [0, 6])
def test_a_lost_gop_leaves_no_traces_after_the_next_keyframe(lost):
    extradata, packets, shown = encode(moving_clip(40), overlap=3, keyint=20, **OPTIONS)
    decoded = decode(extradata, packets[:lost] + packets[lost + 1 :])
    assert same(decoded[-20:], shown[-20:])


def test_the_encoder_holds_no_more_than_two_gops():
    """An overlap needs no lookahead beyond that of the plan. With several threads more GOPs are open."""
    pictures, seen = moving_clip(40), 0
    encoder = Encoder(video_format(pictures), {**OPTIONS, "overlap": 4, "threads": 1})
    for pushed, picture in enumerate(pictures, 1):
        seen += len(encoder.encode(picture))
        assert pushed - seen <= 2 * 9
