# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark of losses: what damage does to packets, what counts as seen, and the page that tells it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli import clip as write_clip

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
pytest.importorskip("imageio_ffmpeg")

from benchmarks.damage import KINDS, Coded, seen
from benchmarks.loss_page import page
from benchmarks.loss_streams import OTHERS, gvc_stream, other_stream, prepare

PACKETS = [Coded(bytes([place % 251]) * 100, place, place % 33 == 0) for place in range(20_000)]


def grey(value: int):
    return tuple(np.full(shape, value, np.uint8) for shape in ((4, 6), (2, 3), (2, 3)))


def differs(picture, other) -> float:
    return abs(float(picture[0].mean()) - float(other[0].mean()))


@pytest.mark.parametrize(
    ("kind", "share"),
    [("1 % of packets", 0.01), ("5 % of packets", 0.05), ("10 % of packets", 0.1), ("5 % in bursts", 0.05)],
)
def test_packets_are_lost_as_often_as_asked(kind, share):
    kept = KINDS[kind](PACKETS, np.random.default_rng(0))
    assert 1 - len(kept) / len(PACKETS) == pytest.approx(share, rel=0.2)
    assert kept == KINDS[kind](PACKETS, np.random.default_rng(0)) != KINDS[kind](PACKETS, np.random.default_rng(1))


@pytest.mark.parametrize(("kind", "rate"), [("bits, 1e-5", 1e-5), ("bits, 1e-4", 1e-4)])
def test_bits_are_flipped_as_often_as_asked(kind, rate):
    damaged = KINDS[kind](PACKETS, np.random.default_rng(0))
    before, after = (np.frombuffer(b"".join(p.data for p in packets), np.uint8) for packets in (PACKETS, damaged))
    assert np.unpackbits(before ^ after).mean() == pytest.approx(rate, rel=0.2)


@pytest.mark.parametrize("codec", ["GVC", *OTHERS])
def test_streams_are_decoded_without_a_keyframe(codec, tmp_path):
    """All pictures before it are as they were. FFmpeg's decoder of AV1 may refuse the next keyframe, too."""
    clip = prepare(write_clip(tmp_path / "source.mkv", frames=14), 27, "64x48", tmp_path)
    stream = gvc_stream(clip, {"quality": 30, "keyint": 9, "preset": "fast"}, tmp_path)
    if codec != "GVC":
        stream = other_stream(codec, clip, 9, stream.size, tmp_path)
    assert len(stream.whole) == 27 and stream.whole[0][0].shape == (48, 64)
    keys = [packet.place for packet in stream.packets if packet.key]
    assert keys == [0, 9, 18]
    found = seen(stream.whole, stream.decode([p for p in stream.packets if p.place != 9]), differs)
    assert (9 if codec == "SVT-AV1" else 18) <= found.exact < 27


def test_a_missing_picture_is_seen_as_the_one_before():
    """The picture at 2 is missing, that at 3 is a wrong one, and that at 4 is as still as it should be."""
    whole = [grey(value) for value in (10, 20, 30, 40, 40)]
    came = {0: whole[0], 1: whole[1], 3: grey(42), 4: whole[4], 9: whole[0]}
    found = seen(whole, came, differs)
    assert (found.shown, found.exact, found.frozen) == (4, 3, 1)
    assert found.psnr == pytest.approx(np.mean([20 * np.log10(255 / 10), 20 * np.log10(255 / 2)]), abs=0.01)
    assert found.lpips == 10


def test_nothing_but_grey_is_seen_before_the_first_picture():
    found = seen([grey(10), grey(20)], {}, differs)
    assert (found.shown, found.exact, found.frozen) == (0, 0, 2)
    assert seen([grey(10)], {0: grey(10)}, differs).psnr is None


def test_the_page_has_means_over_seeds_and_clips():
    def row(clip, *shown):
        seeds = [{"shown": n, "exact": n, "frozen": 0, "psnr": 30.0 if n < 5 else None, "lpips": None} for n in shown]
        return {
            "clip": clip,
            "codec": "GVC",
            "quality": 40.0,
            "bytes": 1000,
            "damage": "5 % of packets",
            "seeds": seeds,
        }

    rows = [row("sea", 5, 4), row("dog", 2, 3)]
    found = page([{"command": "loss /a/sea.mkv", "started": "today", "commit": "abc", "rows": rows}])
    assert "| 5 % of packets | GVC | 1000 | 4.5 | 4.5 | 0.0 | 30.0 | – |" in found
    assert "| 5 % of packets | GVC | 1000 | 3.5 | 3.5 | 0.0 | 30.0 | – |" in found and "/a/" not in found
