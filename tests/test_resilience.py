# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The option `resilience`: which stills of a chain depend on which, and what a lost packet costs then."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import encode, moving_clip
from gvc_container.demux import Demuxer
from programs import Programs

from gvc.encoder import Encoder
from gvc.errors import BitstreamError, OptionError
from gvc.media import VideoFormat
from gvc.stills.av1 import StillDecoder, StillEncoder
from gvc.stills.recovery import RecoveringStills, check_of
from gvc.stills.resilience import GROUPS, LEAVES, GroupEncoder

VIDEO = VideoFormat(64, 64)
GROUP = GROUPS.group


def units(structure, count: int, speed: int) -> list[bytes]:
    pictures = [picture.planes for picture in moving_clip(count, 64, 64)]

    def new(threads: int) -> StillEncoder:
        return StillEncoder((64, 64), 40, speed, structure=structure, threads=threads)

    encoder = GroupEncoder(new, structure.group, 1) if structure.group else new(1)
    return list(encoder.encode_all(pictures))


def wrong_without(coded: list[bytes], lost: int) -> set[int]:
    """Return the numbers of the stills that are not there or not right if a unit is lost."""
    decoder, stills = StillDecoder(VIDEO), RecoveringStills(VIDEO)
    wrong = set()
    for number, unit in enumerate(coded):
        right = decoder.decode(unit)
        if number == lost:
            wrong.add(number)
            continue
        stills.expect(number)
        try:
            assert all(map(np.array_equal, stills.decode(unit, check=check_of(right)), right))
        except BitstreamError:
            wrong.add(number)
    return wrong


@pytest.mark.parametrize(("count", "speed"), [(6, 2), (17, 3), (33, 2)])
def test_at_1_no_still_refers_to_every_second_one(count, speed):
    coded = units(LEAVES, count, speed)
    assert len(coded) == count
    # A still of another layer comes with the odd one before it.
    alone = [number for number in range(3, count, 4)]
    assert [wrong_without(coded, number) for number in alone] == [{number} for number in alone]


@pytest.mark.parametrize(("count", "speed"), [(18, 2), (24, 5), (29, 3)])
def test_at_2_a_lost_still_costs_its_group_of_eight_at_most(count, speed):
    coded = units(GROUPS, count, speed)
    assert len(coded) == count
    for lost in {1, 7, 8, 9, 11, 16, 17, count - 1}:
        assert {(number - 1) // GROUP for number in wrong_without(coded, lost)} == {(lost - 1) // GROUP}


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (replace(GROUPS, parameters={**GROUPS.parameters, "aq-mode": 2}, offsets=()), "in several ways"),
        (
            replace(GROUPS, parameters={**GROUPS.parameters, "hierarchical-levels": 2}, group=4, filled=1),
            "another group",
        ),
    ],
)
def test_groups_that_do_not_fit_together_are_refused(structure, message):
    with pytest.raises(BitstreamError, match=message):
        units(structure, 16, 2)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Return a film of a moving clip."""
    path = tmp_path_factory.mktemp("resilience") / "film.y4m"
    frames = [b"".join(plane.tobytes() for plane in picture.planes) for picture in moving_clip(24, 64, 48)]
    path.write_bytes(b"YUV4MPEG2 W64 H48 F25:1 Ip C420jpeg\n" + b"".join(b"FRAME\n" + frame for frame in frames))
    return path


@pytest.mark.parametrize("program", ["gvc", "ffmpeg"])
def test_programs_pass_it_on(program, film, tmp_path):
    coded, options = tmp_path / "film.mkv", ("resilience", "1", "preset", "fast", "quality", "60")
    words = [f"-{word}" if number % 2 == 0 else word for number, word in enumerate(options)]
    if program == "gvc":
        given = [f"-{word}" if word.startswith("-") else word for word in words]
        command = [sys.executable, "-m", "gvc", "encode", *given, film, coded]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    else:
        programs = Programs()
        programs.require("ffmpeg")
        programs.ffmpeg("-i", film, "-c:v", "gvc", *words, coded)
    with Demuxer(coded) as demuxer:
        found = [packet.data for packet in demuxer.packets()]
    given = dict(zip(options[::2], options[1::2], strict=True))
    _, packets, _ = encode(moving_clip(24, 64, 48), **given)
    assert found[1:] == [packet.data for packet in packets][1:]  # The first one tells of colours, too.
    _, packets, _ = encode(moving_clip(24, 64, 48), **given | {"resilience": "0"})
    assert found[1:] != [packet.data for packet in packets][1:]


@pytest.mark.parametrize(
    ("options", "size", "message"),
    [
        ({"mode": "i2v"}, (64, 48), "mode=flf2v"),
        ({"gop": 9}, (64, 48), "without gop"),
        ({"maxrate": "80k"}, (64, 48), "maxrate"),
        ({"transition": "sde"}, (64, 48), "transition=sde"),
        ({}, (1920, 1080), "set keyint=64"),
    ],
)
def test_what_it_cannot_do_is_refused(options, size, message):
    with pytest.raises(OptionError, match=message):
        Encoder(VideoFormat(*size), {"resilience": 1, **options})


def test_it_goes_with_a_bitrate():
    pictures = moving_clip(25, 32, 24)
    _, packets, _ = encode(pictures, resilience=2, bitrate="60k", scenecut=0)
    size = sum(len(packet.data) for packet in packets)
    assert abs(8 * size / (len(pictures) / 25) / 60e3 - 1) < 0.2
