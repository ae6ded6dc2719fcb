# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A bitrate is shared out among chains that are coded apart."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from clips import file_size, moving_clip, pan_clip, still_clip, video_format
from hypothesis import given
from hypothesis import strategies as st

from gvc.encoder import Encoder
from gvc.errors import RateError
from gvc.gop.setup import Setup
from gvc.media import Picture
from gvc.plan.bitrate import FILE_BYTES, FRAME_BYTES, KEYFRAME_BYTES
from gvc.plan.chains import COARSEST_LEVEL
from gvc.plan.control import duration
from gvc.plan.demand import LEVELS, Demand, demand, shared_out

DEMANDS = st.builds(
    lambda seconds, pictures, bits: Demand(seconds, pictures, tuple(sorted(bits, reverse=True))),
    st.floats(0.04, 60),
    st.integers(1, 129),
    st.lists(st.floats(100, 1e6), min_size=len(LEVELS), max_size=len(LEVELS)),
)


@given(st.lists(DEMANDS, min_size=1, max_size=9), st.floats(1.1, 50))
def test_the_shares_add_up_and_larger_needs_get_more(demands, factor):
    seconds = sum(need.seconds for need in demands)
    least = sum(need.at(COARSEST_LEVEL) for need in demands) + 8 * FILE_BYTES
    least += 8 * sum(FRAME_BYTES * need.pictures + KEYFRAME_BYTES for need in demands)
    bitrate = round(factor * least / seconds) + 1
    shares = shared_out(bitrate, seconds, demands)
    spent = 8 * FILE_BYTES + sum(share * need.seconds for share, need in zip(shares, demands, strict=True))
    assert spent == pytest.approx(bitrate * seconds, abs=seconds)


def test_who_needs_more_gets_more_but_none_gets_more_than_it_can_use():
    busy, calm = Demand(10, 250, (9e6, 3e6, 1e6, 4e5)), Demand(10, 250, (9e5, 3e5, 1e5, 4e4))
    blank = Demand(10, 250, (300.0, 300.0, 300.0, 300.0))
    shares = shared_out(100_000, 30, [busy, calm, blank])
    assert shares[0] > 2 * shares[1] > 4 * shares[2]
    container = 8 * (FRAME_BYTES * 250 + KEYFRAME_BYTES)
    assert shares[2] * 10 - container == pytest.approx(300, abs=10)


def test_without_predictions_each_second_gets_the_same():
    first, second = shared_out(100_000, 30, [Demand(10, 1), Demand(20, 1)])
    assert first == pytest.approx(second, rel=0.01)


def test_too_low_a_bitrate_is_refused_before_anything_is_coded():
    with pytest.raises(RateError, match="set a higher bitrate"):
        shared_out(100, 1, [Demand(1, 25)])
    with pytest.raises(RateError, match="about 6"):
        shared_out(30_000, 1, [Demand(1, 25, (1e5, 1e5, 1e5, 1e5))])


def scenes() -> list[list[Picture]]:
    found, first = [], 0
    for clip in (moving_clip(13), still_clip(8), pan_clip(13), still_clip(1, value=10)):
        for number, picture in enumerate(clip, first):
            picture.pts = number
        found.append(clip)
        first += len(clip)
    return found


def test_chains_coded_apart_meet_the_bitrate_together():
    chains, bitrate = scenes(), 150_000
    pictures = [picture for chain in chains for picture in chain]
    video, options = video_format(pictures), {"preset": "fast"}
    setup = Setup.of(video, {**options, "bitrate": bitrate})
    demands = [demand(chain, setup.settings, setup.prior, setup.header) for chain in chains]
    assert all(need.bits for need in demands)
    moving, still, pan, _ = (need.bits[0] / need.seconds for need in demands)
    assert still < pan < moving
    packets, first = [], 0
    seconds = float(duration(pictures, video))
    for chain, share in zip(chains, shared_out(bitrate, seconds, demands), strict=True):
        encoder = Encoder(video, {**options, "bitrate": share}, first=first)
        packets += [packet for picture in [*chain, None] for packet in encoder.encode(picture)]
        encoder.close()
        first += len(chain)
    assert 8 * file_size(packets) / seconds == pytest.approx(bitrate, rel=0.02)


@pytest.mark.parametrize("mode", ["t2v", "i2v"])
def test_priors_that_predict_nothing_have_no_demand(mode):
    pictures = moving_clip(5, 32, 24)
    setup = Setup.of(video_format(pictures), {"mode": mode, "bitrate": 10**5})
    assert demand(pictures, setup.settings, setup.prior, setup.header) == Demand(0.2, 5)


def test_a_bitrate_holds_where_the_file_gives_wrong_durations():
    """As with variable frame rates: the times of pictures count, not how long each one claims to last."""
    pictures = [replace(picture, pts=2 * i, duration=1) for i, picture in enumerate(moving_clip(24))]
    video = replace(video_format(pictures), time_base=Fraction(1, 50), frame_rate=Fraction(50))
    encoder = Encoder(video, {"bitrate": 150_000, "preset": "fast"})
    packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    assert np.isclose(8 * file_size(packets) / (47 / 50), 150_000, rtol=0.02)
