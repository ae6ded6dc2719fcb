# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Rate control: one quality number, and bitrates that are met."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from clips import decode, encode, file_size, moving_clip, psnr, same, size_of, still_clip

from gvc.bitstream.levels import MAX_LEVEL
from gvc.encoder import Encoder
from gvc.errors import OptionError, RateError
from gvc.media import VideoFormat
from gvc.plan.bitrate import FRAME_BYTES, KEYFRAME_BYTES
from gvc.plan.quality import quality_level

FRAMES, RATE = 70, 25


@pytest.fixture(scope="module")
def clip():
    return moving_clip(FRAMES)


def file_rate(packets, seconds=Fraction(FRAMES, RATE)) -> float:
    """Return the bits per second of a Matroska file with these packets."""
    return float(8 * file_size(packets) / seconds)


def test_quality_spans_the_levels_evenly():
    levels = [quality_level(quality) for quality in range(0, 101, 5)]
    assert all(10 <= a - b <= 17 for a, b in pairwise(levels))
    assert 0 < levels[-1] < levels[0] < MAX_LEVEL


@pytest.mark.parametrize("mode", ["t2v", "i2v", "flf2v"])
def test_more_quality_more_bytes_more_psnr(mode):
    pictures = moving_clip(17)
    sizes, qualities = [], []
    for quality in (5, 25, 45, 65, 85):
        _, packets, reconstruction = encode(pictures, quality=quality, mode=mode, preset="fast", gop=9)
        sizes.append(size_of(packets))
        qualities.append(psnr(pictures, reconstruction))
    assert all(a < b for a, b in pairwise(sizes))
    assert all(a < b for a, b in pairwise(qualities))
    assert qualities[-1] > qualities[0] + 10


@pytest.mark.parametrize("bitrate", [9_000, 20_000, 60_000, 150_000])
def test_bitrate_is_met(clip, bitrate):
    extradata, packets, reconstruction = encode(clip, bitrate=bitrate, gop=17, preset="fast")
    assert file_rate(packets) == pytest.approx(bitrate, rel=0.02)
    assert same(decode(extradata, packets), reconstruction)


@pytest.mark.parametrize(
    "options", [{"mode": "t2v"}, {"mode": "i2v"}, {"keyint": 20}, {"gop": 5}, {"gop": 33, "preset": "medium"}]
)
def test_bitrate_is_met_however_the_video_is_cut(clip, options):
    _, packets, _ = encode(clip, **{"bitrate": 30_000, "gop": 17, "preset": "fast", **options})
    assert file_rate(packets) == pytest.approx(30_000, rel=0.02)


def test_crf_is_quality_the_other_way_round(clip):
    sizes = []
    for crf, quality in ((63, 0), (31.5, 50), (0, 100)):
        by_crf, by_quality = (encode(clip[:9], preset="fast", **aim)[1] for aim in ({"crf": crf}, {"quality": quality}))
        assert [packet.data for packet in by_crf] == [packet.data for packet in by_quality]
        sizes.append(size_of(by_crf))
    assert sizes[0] < sizes[1] < sizes[2]


def gop_rates(packets) -> list[float]:
    """Return the bits per second of each GOP, including the container's overhead."""
    starts = [i for i, packet in enumerate(packets) if len(packet.data) > 1] + [len(packets)]
    rates = []
    for start, stop in pairwise(starts):
        added = FRAME_BYTES * (stop - start) + KEYFRAME_BYTES * packets[start].key
        rates.append(8 * (size_of(packets[start:stop]) + added) * RATE / (stop - start))
    return rates


@pytest.fixture(scope="module")
def calm_then_busy():
    """Return forty pictures that hardly move, then thirty with much motion."""
    pictures = moving_clip(40, speed=0) + moving_clip(30, speed=5)
    return [replace(p, pts=i) for i, p in enumerate(pictures)]


@pytest.mark.parametrize("aim", [{"quality": 50}, {"bitrate": 40_000}])
@pytest.mark.parametrize("mode", ["t2v", "i2v", "flf2v"])
def test_no_gop_exceeds_maxrate(calm_then_busy, aim, mode):
    options = {"gop": 17, "preset": "fast", "scenecut": 0, "mode": mode, **aim}
    free = gop_rates(encode(calm_then_busy, **options)[1])
    maxrate = int(0.7 * max(free))
    extradata, packets, shown = encode(calm_then_busy, maxrate=maxrate, **options)
    capped = gop_rates(packets)
    assert max(capped) <= 1.01 * maxrate
    assert max(capped) > 0.9 * maxrate
    assert same(decode(extradata, packets), shown)


def test_a_cap_that_is_never_reached_changes_nothing(clip):
    options = {"gop": 17, "preset": "fast", "quality": 30}
    assert size_of(encode(clip, maxrate=10**9, **options)[1]) == pytest.approx(
        size_of(encode(clip, **options)[1]), rel=0.01
    )


def test_a_buffer_lets_gops_exceed_maxrate_for_a_while(calm_then_busy):
    options = {"gop": 17, "preset": "fast", "scenecut": 0, "quality": 50}
    free = gop_rates(encode(calm_then_busy, **options)[1])
    maxrate, bufsize = int(min(free)), 10_000
    rates = gop_rates(encode(calm_then_busy, maxrate=maxrate, bufsize=bufsize, **options)[1])
    assert max(rates) > 1.1 * maxrate
    seconds = len(calm_then_busy) / RATE
    assert (
        size_of(encode(calm_then_busy, maxrate=maxrate, bufsize=bufsize, **options)[1]) * 8
        <= maxrate * seconds + bufsize
    )


def test_more_bitrate_more_psnr(clip):
    found = [psnr(clip, encode(clip, bitrate=b, gop=17, preset="fast")[2]) for b in (9_000, 20_000, 60_000, 180_000)]
    assert all(a < b for a, b in pairwise(found))


def test_bitrate_goes_by_the_timestamps(clip):
    """With timestamps twice as far apart as the nominal frame rate says, pictures may take twice the bits."""
    slow = [replace(p, pts=2 * p.pts, duration=2) for p in clip]
    _, packets, _ = encode(slow, bitrate=20_000, gop=17, preset="fast")
    assert file_rate(packets, Fraction(2 * FRAMES, RATE)) == pytest.approx(20_000, rel=0.02)


def test_bitrate_without_timestamps_goes_by_the_nominal_rate(clip):
    bare = [replace(p, pts=None, duration=0) for p in clip]
    _, packets, _ = encode(bare, bitrate=20_000, gop=17, preset="fast")
    assert file_rate(packets) == pytest.approx(20_000, rel=0.02)
    assert {packet.pts for packet in packets} == {None}


def test_gops_of_a_bitrate_get_their_share(clip):
    """No GOP uses the bits of others: complete GOPs in the middle have similar sizes."""
    _, packets, _ = encode(clip, bitrate=60_000, gop=17, preset="fast", scenecut=0)
    gops = [len(packet.data) for packet in packets if len(packet.data) > 1]
    assert gops[2] == pytest.approx(gops[1], rel=0.1)


def test_bitrate_below_the_floor_names_the_floor(clip):
    with pytest.raises(RateError, match="floor") as failure:
        encode(clip, bitrate=2_000, gop=17, preset="fast")
    named = [float(text) for text in re.findall(r"([\d.]+) kb/s", str(failure.value))]
    assert named[0] == 2
    assert named[1] > 2
    least = int(1020 * named[1])
    _, packets, _ = encode(clip, bitrate=least, gop=17, preset="fast")
    assert file_rate(packets) == pytest.approx(least, rel=0.02)


def test_floor_is_not_asked_for_without_pictures():
    encoder = Encoder(VideoFormat(64, 48), {"bitrate": 1})
    assert encoder.encode(None) == []


def test_material_that_needs_nothing_stays_below_the_bitrate():
    pictures = still_clip(FRAMES)
    _, packets, reconstruction = encode(pictures, bitrate=200_000, gop=17, preset="fast")
    assert file_rate(packets) < 200_000
    assert psnr(pictures, reconstruction) > 45


@pytest.mark.parametrize("bitrate", ["-1", "many", 2**41])
def test_bad_bitrates(bitrate):
    with pytest.raises(OptionError, match=r"bitrate.*valid"):
        Encoder(VideoFormat(64, 48), {"bitrate": bitrate})
