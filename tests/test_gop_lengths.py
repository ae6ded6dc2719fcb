# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GOPs are long where pictures between stills can be guessed from them, and short where they cannot."""

import numpy as np
import pytest
from clips import decode, encode, moving_clip, psnr, still_clip, video_format
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.bitstream import read_packet
from gvc.encoder import Encoder
from gvc.media import Picture
from gvc.plan import control as rate_control
from gvc.plan.lengths import Cuts, GopLengths
from gvc.plan.quality import quality_level

SCALE = 64.0  # sample scale of the bundled prior
WIDTH, HEIGHT = 96, 64


def shaking_clip(count: int, period: int) -> list[Picture]:
    """Return a texture that swings to and fro; pictures a whole period apart look the same."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    pictures = []
    for i in range(count):
        shift = 6 * np.sin(2 * np.pi * i / period)
        luma = 128 + 50 * np.sin((x + shift) / 3) * np.cos((y - shift) / 4) + 30 * np.sin((x * y + 90 * shift) / 300)
        pictures.append(Picture((luma.astype(np.uint8), grey, grey), i, 1))
    return pictures


def lengths_of(pictures: list[Picture], quality: int = 40, shortest: int = 4, limit: int = 64) -> list[int]:
    cuts = Cuts(GopLengths(SCALE, shortest), pictures[0], pictures[1:], limit)
    return cuts.best(quality_level(quality))


def test_a_scene_that_stands_still_is_one_gop():
    assert lengths_of(still_clip(33, WIDTH, HEIGHT)) == [32]


def test_motion_that_stills_far_apart_do_not_tell_gets_short_gops():
    assert max(lengths_of(shaking_clip(33, 13), 70)) <= 8


def test_coarse_coding_has_longer_gops():
    pictures = moving_clip(33, WIDTH, HEIGHT)
    assert len(lengths_of(pictures, 0)) <= len(lengths_of(pictures, 60))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.sampled_from([2, 4, 8]))
def test_every_picture_is_in_a_gop_and_spans_are_whole(count, shortest):
    found = lengths_of(shaking_clip(count + 1, 13), shortest=shortest)
    assert sum(found) == count and min(found) > 0
    assert all(length % shortest == 0 for length in found[:-1])


def spans(packets) -> list[int]:
    return [unit.shown for unit in (read_packet(packet.data) for packet in packets) if unit]


def test_an_encoder_chooses_lengths_unless_it_is_told_one():
    pictures = shaking_clip(41, 13)
    options = {"mode": "flf2v", "quality": 40, "scenecut": 0}
    assert len(spans(encode(pictures, **options)[1])) > 4
    assert spans(encode(pictures, gop=17, **options)[1]) == [17, 12, 12]
    assert spans(encode(still_clip(41, WIDTH, HEIGHT), **options)[1])[0] > 20


@pytest.mark.parametrize("options", [{"preset": "gvcc"}, {"transition": "sde"}])
def test_the_paper_s_scheme_has_gops_of_the_paper_s_length(options):
    packets = encode(shaking_clip(65, 13), mode="flf2v", quality=40, scenecut=0, atoms=8, **options)[1]
    assert spans(packets) == [33, 32]


def test_keyframes_stay_where_they_are_asked_for():
    pictures = shaking_clip(40, 13)
    _, packets, shown = encode(pictures, keyint=10, scenecut=0, quality=60)
    assert [i for i, packet in enumerate(packets) if packet.key] == [0, 10, 20, 30]
    assert psnr(pictures, shown) > 20


def test_parts_are_cut_for_themselves():
    pictures = still_clip(50, WIDTH, HEIGHT)
    assert lengths_of(pictures, limit=32) == [32, 17]


def test_gops_get_longer_where_stills_were_dear():
    pictures = moving_clip(33, WIDTH, HEIGHT, speed=3)
    lengths = GopLengths(SCALE, 2)
    before = Cuts(lengths, pictures[0], pictures[1:], 32).best(quality_level(60))
    lengths.learn(bits=10_000, predicted=100)
    after = Cuts(lengths, pictures[0], pictures[1:], 32).best(quality_level(60))
    assert len(after) < len(before)


@pytest.mark.parametrize("options", [{"quality": 30}, {"bitrate": 60_000}, {"quality": 30, "maxrate": 90_000}])
def test_chains_that_are_too_large_to_hold_are_coded_as_they_come(options, monkeypatch):
    pictures = moving_clip(100, WIDTH, HEIGHT)
    monkeypatch.setattr(rate_control, "LOOKAHEAD", 40 * WIDTH * HEIGHT)
    encoder = Encoder(video_format(pictures), {"mode": "flf2v", "keyint": 90, "scenecut": 0, **options})
    packets, before = [], 0
    for picture in [*pictures, None]:
        packets += encoder.encode(picture)
        before += not packets
    assert before < 80
    assert [i for i, packet in enumerate(packets) if packet.key] == [0, 90]
    assert psnr(pictures, decode(encoder.extradata, packets)) > 24


@pytest.mark.parametrize("aim", [{"quality": 30}, {"bitrate": 60_000}])
def test_packets_come_as_soon_as_a_chain_is_known(aim):
    pictures = still_clip(80, WIDTH, HEIGHT)
    options = {"mode": "flf2v", "preset": "fast", "keyint": 70, "scenecut": 0, "threads": 1, **aim}
    encoder = Encoder(video_format(pictures), options)
    assert next(i for i, picture in enumerate(pictures) if encoder.encode(picture)) == 70
