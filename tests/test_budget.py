# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A bitrate is worth about what constant quality of the same size is, and it looks ahead for that."""

from itertools import pairwise

import pytest
from clips import encode, file_size, moving_clip, pan_clip, psnr, still_clip, video_format

from gvc.bitstream import SequenceHeader, read_packet
from gvc.errors import MediaError, RateError
from gvc.media import Picture
from gvc.plan.quality import bitrate_quantiser
from gvc.plan.trials import Trials, moved
from gvc.plan.window import Plan, Window
from gvc.priors import open_prior

WIDTH, HEIGHT, FRAMES, RATE = 160, 96, 60, 25
AV1_SEQUENCE = b"\x0a"  # AV1 sequence header, with which a still without references begins


@pytest.fixture(scope="module")
def clip():
    return moving_clip(FRAMES, WIDTH, HEIGHT, speed=2)


def units(packets) -> list:
    return [unit for unit in (read_packet(packet.data) for packet in packets) if unit]


@pytest.mark.parametrize("quality", [15, 35, 60])
def test_a_bitrate_is_worth_what_constant_quality_is(clip, quality):
    options = {"mode": "flf2v", "scenecut": 0}
    _, packets, constant = encode(clip, quality=quality, **options)
    bitrate = round(8 * file_size(packets) * RATE / FRAMES)
    _, on_budget, shown = encode(clip, bitrate=bitrate, **options)
    assert file_size(on_budget) == pytest.approx(file_size(packets), rel=0.02)
    assert psnr(clip, shown) > psnr(clip, constant) - 1.0


def test_a_bitrate_may_lie_below_quality_0():
    pictures = pan_clip(97, WIDTH, HEIGHT, speed=2)
    options = {"mode": "flf2v", "preset": "fast", "scenecut": 0}
    _, packets, _ = encode(pictures, quality=0, **options)
    bitrate = round(0.8 * 8 * file_size(packets) * RATE / 97)
    _, packets, _ = encode(pictures, bitrate=bitrate, **options)
    assert 8 * file_size(packets) * RATE / 97 == pytest.approx(bitrate, rel=0.03)


@pytest.mark.parametrize("bitrate", [15_000, 20_000])
def test_a_settled_chain_of_stills_is_coded_to_its_end(bitrate):
    """The first stills take most of the bits; later ones of the same chain must still refer to them."""
    pictures = pan_clip(97, WIDTH, HEIGHT, speed=2)
    _, packets, _ = encode(pictures, bitrate=bitrate, mode="flf2v", preset="fast", scenecut=0)
    assert 8 * file_size(packets) * RATE / 97 == pytest.approx(bitrate, rel=0.03)
    later = [unit.last for unit in units(packets)]
    assert later
    assert not any(still.startswith(AV1_SEQUENCE) for still in later)


def test_no_gop_of_a_budget_is_starved(clip):
    """Stills and atoms of all GOPs end near the same level, except for the last GOP, which uses the remaining bits."""
    _, packets, _ = encode(clip, bitrate=60_000, mode="flf2v", scenecut=0)
    stops = [unit.stop for unit in units(packets) if unit.atoms][:-1]
    assert stops
    assert max(stops) - min(stops) < 64


@pytest.mark.parametrize("keyint", [7, 33, 1000])
def test_bitrate_is_met_by_chains_of_any_length(clip, keyint):
    _, packets, _ = encode(clip, bitrate=80_000, mode="flf2v", keyint=keyint, scenecut=0, preset="fast")
    assert 8 * file_size(packets) * RATE / FRAMES == pytest.approx(80_000, rel=0.03)
    keys = [i for i, packet in enumerate(packets) if packet.key]
    assert all(b - a <= keyint for a, b in pairwise([*keys, FRAMES]))


@pytest.mark.parametrize("bitrate", [100, 3000])
def test_too_low_a_bitrate_is_refused(clip, bitrate):
    with pytest.raises(RateError, match="floor"):
        encode(clip, bitrate=bitrate, mode="flf2v", preset="fast")


def test_a_flash_between_scenes_is_coded(clip):
    """Scenes of a single picture are chains without a window to plan."""
    pictures = clip[:20] + still_clip(1, WIDTH, HEIGHT) + clip[20:40]
    for index, picture in enumerate(pictures):
        picture.pts, picture.key = index, index in (20, 21)
    _, packets, _ = encode(pictures, bitrate=80_000, mode="flf2v", preset="fast")
    assert [i for i, packet in enumerate(packets) if packet.key] == [0, 20, 21]


@pytest.mark.parametrize("aim", [{"bitrate": 10**6}, {"quality": 30}])
def test_gops_that_are_too_large_are_refused_before_they_are_tried(aim):
    planes = still_clip(1, 2560, 2048)[0].planes
    with pytest.raises(MediaError, match="too much for one GOP"):
        encode([Picture(planes, i, 1) for i in range(70)], **aim, mode="flf2v", preset="fast")


def test_a_plan_tells_the_bits_of_one_that_is_a_little_coarser():
    """So a few trials suffice to find the plan for a bitrate."""
    pictures = pan_clip(33, WIDTH, HEIGHT, speed=2)
    header = SequenceHeader(format=video_format(pictures), mode="flf2v", transition="ancestral", prior="gp/4")
    window = Window(pictures[0], pictures[1:], 32, key=True, ends=True, last=True)
    trials = Trials(open_prior("gp/4"), header, window, reorders=True)
    fine, coarse = (trials.predicted(Plan(level, bitrate_quantiser(level), [4] * 8)) for level in (340, 355))
    guess = moved(fine, coarse.level, coarse.quantiser)
    assert sum(guess.lasts) == pytest.approx(sum(coarse.lasts), rel=0.15) != pytest.approx(sum(fine.lasts), rel=0.05)
    assert guess.first == pytest.approx(coarse.first, rel=0.15)
    assert len(guess.rests) == 8 and sum(guess.rests) < sum(fine.rests)
