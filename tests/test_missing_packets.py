# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures whose packets are missing come with the next packet, where a decoder may give several at a time."""

import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest
from clips import encode, facts, moving_clip, video_format
from gvc_container.mux import Muxer
from hypothesis import given, settings
from hypothesis import strategies as st

import gvc
from gvc.ahead import AheadDecoder
from gvc.bitstream import is_show

CHAIN, PICTURES = 13, 39  # pictures of a chain, and of three


@cache
def film(**options):
    """Three chains of GOPs, and their pictures."""
    return encode(moving_clip(PICTURES, 32, 24), gop=5, keyint=CHAIN, preset="fast", **options)


def watched(packets, **options):
    decoder, pictures = AheadDecoder(film(**options)[0], {"threads": 1}, fills=True), []
    try:
        for packet in [*packets, None]:
            decoder.put(packet)
            pictures += [picture for answer in decoder.answers() for picture in answer.pictures]
    finally:
        decoder.close()
    return pictures


def shows(**options):
    """Return the numbers of packets of one byte, without the last packet, after which none comes."""
    return [i for i, packet in enumerate(film(**options)[1][:-1]) if is_show(packet.data)]


@pytest.mark.parametrize("mode", ["flf2v", "i2v", "t2v"])
@settings(max_examples=25)
@given(data=st.data())
def test_packets_of_one_byte_may_all_be_missing(mode, data):
    lost = data.draw(st.sets(st.sampled_from(shows(mode=mode))))
    _, packets, right = film(mode=mode)
    found = watched([packet for packet in packets if packet.pts not in lost], mode=mode)
    assert [*map(facts, found)] == [*map(facts, right)]


@settings(max_examples=40)
@given(data=st.data())
def test_no_picture_is_wrong_or_comes_twice(data):
    """Whatever is missing, each picture is the right one of its time, or is said to be concealed.

    Only the end of a GOP together with the beginning of the next one may look like nothing: the packets after it, by
    their positions, go on where the others end.
    """
    _, packets, right = film()
    starts = {i for i, packet in enumerate(packets) if not is_show(packet.data)}
    lost = data.draw(st.sets(st.integers(1, PICTURES - 1), max_size=12))
    lost -= {start for start in starts if start - 1 in lost - starts}
    found = watched([packet for packet in packets if packet.pts not in lost])
    times = [picture.pts for picture in found]
    assert times == sorted({*times}) and {*range(PICTURES)} - lost <= {*times}
    assert all(picture.concealed or facts(picture) == facts(right[picture.pts]) for picture in found)


def test_the_first_picture_of_a_lost_gop_is_concealed():
    start = next(i for i, packet in enumerate(film()[1]) if i and not is_show(packet.data) and not packet.key)
    found = watched([packet for packet in film()[1] if packet.pts != start])
    assert [picture.pts for picture in found] == [*range(PICTURES)]
    assert found[start].concealed and facts(found[start])[3:] != facts(found[start - 1])[3:]


def test_a_lost_gop_s_last_pictures_and_the_next_one_s_first_are_filled_in():
    _, packets, _ = film()
    starts = [i for i, packet in enumerate(packets) if not is_show(packet.data)]
    second, third = starts[1:3]
    found = watched([packet for packet in packets if packet.pts not in {second, third - 1, third}])
    assert [picture.pts for picture in found] == [*range(PICTURES)]
    assert all(found[i].concealed for i in (second, third - 1, third))


@pytest.mark.parametrize("shift", [1, 7])
def test_a_gap_in_time_may_be_meant(shift):
    """Somebody cut pictures out up to a keyframe, and left more or less time than these had."""
    _, packets, right = film()
    later = [replace(packet, pts=packet.pts + shift) for packet in packets[CHAIN:]]
    found = watched([*packets[: CHAIN - 2], *later])
    assert [facts(picture)[3:] for picture in found] == [facts(p)[3:] for p in [*right[: CHAIN - 2], *right[CHAIN:]]]


def test_times_are_shared_out_where_ticks_are_coarse():
    """29.97 pictures a second in milliseconds."""
    _, packets, right = film()
    times = [round(i * 1001 / 30) for i in range(PICTURES)]
    timed = [replace(p, pts=times[p.pts], duration=33) for p in packets if p.pts not in {6, 7, 10, 30}]
    found = watched(timed)
    assert [facts(picture)[3:] for picture in found] == [facts(picture)[3:] for picture in right]
    assert all(abs(picture.pts - time) <= 1 for picture, time in zip(found, times, strict=True))


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_gvc_decode_shows_and_reports_them(tmp_path, workers):
    header, packets, right = film()
    with Muxer(tmp_path / "film.mkv", header, video_format(moving_clip(1, 32, 24))) as muxer:
        for packet in packets:
            if packet.pts not in {2, 3, 17, 20}:
                muxer.write(packet)
    said = []
    with gvc.open(tmp_path / "film.mkv", warn=said.append) as file:
        assert [facts(picture)[3:] for picture in file] == [facts(picture)[3:] for picture in right]
        assert file.damage == 1 and said == ["packets are missing: 4 frames are shown with the packets after them"]
    command = [sys.executable, "-m", "gvc.cli", "decode", tmp_path / "film.mkv", tmp_path / "film.y4m", *workers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3 and said[0] in done.stderr
    assert (tmp_path / "film.y4m").read_bytes().count(b"FRAME\n") == PICTURES
