# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""At constant quality each chain may be coded apart from the others, and gets the same packets as in one stream."""

import pytest
from clips import decode, encode, moving_clip, pan_clip, same, video_format

from gvc.bitstream import read_packet
from gvc.encoder import Encoder
from gvc.machine import parallel
from gvc.media import Packet, Picture
from gvc.options import ENCODER_OPTIONS, parse_options
from gvc.plan.settings import Settings

CUT = 14  # number of the picture with which the second scene starts


@pytest.fixture(autouse=True)
def four_processors(monkeypatch):
    monkeypatch.setattr(parallel, "PROCESSORS", 4)


def two_scenes() -> list[Picture]:
    pictures = moving_clip(CUT, 32, 24) + pan_clip(13, 32, 24)
    for number, picture in enumerate(pictures):
        picture.pts = number
    return pictures


def chains(pictures: list[Picture], **options) -> list[list[Picture]]:
    splitter = Settings.of(parse_options(ENCODER_OPTIONS, options), video_format(pictures)).splitter()
    found = []
    for picture in pictures:
        if splitter.starts_chain(picture):
            found.append([])
        found[-1].append(picture)
    return found


def coded_apart(pictures: list[Picture], **options) -> list[Packet]:
    packets, first = [], 0
    for chain in chains(pictures, **options):
        encoder = Encoder(video_format(pictures), options, first=first)
        packets += [packet for picture in [*chain, None] for packet in encoder.encode(picture)]
        encoder.close()
        first += len(chain)
    return packets


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"keyint": 9},
        {"keyint": 6, "gop": 5},
        {"keyint": 8, "gop": 5, "mode": "i2v"},
        {"gop": 5, "mode": "t2v"},
        {"gop": 5, "keyint": 12, "mode": "t2v", "overlap": 2},
        {"keyint": 9, "keyint_min": 8},
        {"keyint": 9, "prior": "neural"},
    ],
    ids=str,
)
def test_a_chain_coded_apart_has_the_same_packets(options):
    pictures, options = two_scenes(), {"preset": "fast", "scenecut": 0.25, **options}
    assert len(chains(pictures, **options)) > 1
    extradata, packets, shown = encode(pictures, threads=4, **options)
    assert coded_apart(pictures, threads=1, **options) == packets
    assert same(decode(extradata, packets), shown)


def test_no_two_gops_have_the_same_index():
    """A chain whose start is lost can therefore not be taken for the continuation of the one before."""
    _, packets, _ = encode(two_scenes(), preset="fast", scenecut=0.25, gop=5, keyint=9)
    units = [unit for packet in packets if (unit := read_packet(packet.data))]
    indexes = [unit.index for unit in units]
    assert len(set(indexes)) == len(indexes)
    assert [unit.index for unit in units if unit.header] == [0, 9, 14, 23]
