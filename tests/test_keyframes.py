# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Keyframes alone: the option `keyframes`, and packets that are wanted alone."""

from dataclasses import replace
from functools import cache

import av
import pytest
from clips import decode, encode, facts, moving_clip, same, video_format
from gvc_container.demux import Demuxer
from gvc_container.file import FileReader
from gvc_container.mux import Muxer

import gvc.av  # noqa: F401  The import registers the codec
from gvc.bitstream import is_key, parse_sequence_header, read_packet, write_gop, write_sequence_header
from gvc.decoder import Decoder
from gvc.errors import BitstreamError, PriorError
from gvc.fleet.decoder import FleetDecoder

UNKNOWN = {"prior": "wan/t2v", "weights_hash": bytes(range(8))}


@cache
def stream(mode, overlap=0):
    """Return sequence header, packets and pictures of two chains of GOPs; in t2v without overlap each GOP is one."""
    options = {"mode": mode, "gop": 5, "keyint": 9, "preset": "fast", "overlap": overlap}
    return encode(moving_clip(18, 48, 32), **options)


@cache
def without_prior():
    """Return sequence header and packets whose prior is not here, and the pictures of the keyframes."""
    extradata, packets, shown = stream("flf2v")
    strange = []
    for packet in packets:
        unit = read_packet(packet.data)
        known = unit and unit.key
        data = write_gop(replace(unit, header=replace(unit.header, **UNKNOWN))) if known else packet.data
        strange.append(replace(packet, data=data))
    header = replace(parse_sequence_header(extradata), **UNKNOWN)
    return write_sequence_header(header), strange, [picture for picture in shown if picture.key]


@pytest.mark.parametrize(("mode", "overlap"), [("flf2v", 0), ("i2v", 0), ("t2v", 0), ("t2v", 2)])
def test_each_keyframe_is_the_picture_that_decoding_all_shows(mode, overlap):
    extradata, packets, shown = stream(mode, overlap)
    keys = [picture for picture in shown if picture.key]
    assert len(keys) >= 2
    assert same(decode(extradata, packets, keyframes=1), keys)
    assert same(decode(None, [packet for packet in packets if packet.key], keyframes=1), keys)


def test_keyframes_need_neither_prior_nor_steps(tmp_path):
    extradata, packets, keys = without_prior()
    with pytest.raises(PriorError):
        decode(extradata, packets)
    steps = []
    decoder = Decoder(extradata, {"keyframes": 1}, on_step=lambda *step: steps.append(step))
    assert same([picture for packet in packets for picture in decoder.decode(packet)], keys) and not steps
    path = tmp_path / "film.mkv"
    with Muxer(path, extradata, video_format(keys)) as muxer:
        for packet in packets:
            muxer.write(packet)
    with FileReader(path, keyframes=1) as film:
        assert [picture.planes[0].tobytes() for picture in film] == [key.planes[0].tobytes() for key in keys]
        assert not film.damage
    with av.open(str(path)) as container:  # by libgvc and an engine
        container.streams.video[0].codec_context.skip_frame = "NONKEY"
        frames = [frame.to_ndarray()[:32] for frame in container.decode(video=0)]
    assert all((frame == key.planes[0]).all() for frame, key in zip(frames, keys, strict=True))


def test_the_prior_is_opened_for_the_first_packet_that_needs_it():
    """A keyframe alone, of a prior that is not here, comes between two chains of one that is."""
    extradata, packets, shown = stream("flf2v")
    _, strange, _ = without_prior()
    key = next(number for number, packet in enumerate(packets) if number and packet.key)
    decoder, found = Decoder(extradata), []
    for packet in [*packets[:key], replace(strange[0], alone=True), *packets[key:]]:
        found += decoder.decode(packet)
    assert same(found[:key] + found[key + 1 :], shown)


def test_what_follows_a_keyframe_alone_is_concealed_until_the_next_one():
    extradata, packets, shown = stream("flf2v")
    key = next(number for number, packet in enumerate(packets) if number and packet.key)
    found = decode(extradata, [replace(packets[0], alone=True), *packets[1:]])
    assert facts(found[0]) == facts(shown[0]) and not found[0].concealed
    assert all(picture.concealed for picture in found[1:key])
    assert same(found[key:], shown[key:])


def test_a_damaged_keyframe_is_an_error_and_the_next_one_is_shown():
    extradata, packets, shown = stream("flf2v")
    unit = read_packet(packets[0].data)
    packets = [replace(packets[0], data=write_gop(replace(unit, first=b"no still"))), *packets[1:]]
    decoder, found = Decoder(extradata, {"keyframes": 1}), []
    with pytest.raises(BitstreamError):
        decoder.decode(packets[0])
    for packet in packets[1:]:
        found += decoder.decode(packet)
    assert same(found, [picture for picture in shown if picture.key][1:])


def test_a_fleet_leaves_keyframes_to_the_process_that_shows_them():
    extradata, packets, keys = without_prior()
    decoder = FleetDecoder(extradata, {"keyframes": 1}, crew=None, ahead=1)
    for packet in [*packets, None]:
        decoder.put(packet)
    assert same([picture for answer in decoder.answers() for picture in answer.pictures], keys)


def test_each_packet_gets_its_answer_with_or_without_delay(tmp_path):
    extradata, packets, shown = stream("i2v")
    path = tmp_path / "film.mkv"
    with Muxer(path, extradata, video_format(shown)) as muxer:
        for packet in packets:
            muxer.write(packet)
    with Demuxer(path) as film:
        keys = [packet.pts for packet in film.packets() if is_key(packet.data)]
    for options in ({"low_delay": 1}, {"frame_delay": 2}, {}):
        with FileReader(path, keyframes=1, **options) as film:
            assert [picture.pts for picture in film] == keys
