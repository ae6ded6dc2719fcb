# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoder and decoder from end to end."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from clips import decode, encode, facts, moving_clip, pan_clip, psnr, same, size_of, stack, still_clip, video_format

from gvc.bitstream import is_show, parse_sequence_header, read_packet
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import MediaError, OptionError, PriorError
from gvc.machine import parallel
from gvc.media import Picture, VideoFormat

MODES = ("t2v", "i2v", "flf2v")
FAST = {"preset": "fast", "gop": 9}


def run(script: str, *args: str, **environment: str) -> bytes:
    """Run Python code in a new process."""
    variables = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-c", script, *args]
    return subprocess.run(command, env=variables, capture_output=True, check=True, timeout=120).stdout


# What comes out is what the encoder said


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transition", ["ancestral", "sde"])
def test_decoder_shows_what_the_encoder_saw(mode, transition):
    pictures = moving_clip(21)
    extradata, packets, reconstruction = encode(pictures, mode=mode, transition=transition, **FAST)
    decoded = decode(extradata, packets)
    assert same(decoded, reconstruction)
    assert [p.pts for p in decoded] == list(range(21))
    assert psnr(pictures, decoded) > 26


def test_coarse_qualities_have_larger_codebooks():
    def extra(**options) -> int:
        extradata, _, _ = encode(moving_clip(2), mode="t2v", **options)
        return parse_sequence_header(extradata).codebook_extra

    assert extra(quality=15) > extra(quality=40)
    assert extra(crf=60) > extra(crf=20)
    assert extra(bitrate=100_000) == extra(quality=40)  # With a bitrate the quality is not known in advance.
    assert extra(quality=15, preset="gvcc") == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (65, 33), (17, 64), (100, 1)])
@pytest.mark.parametrize("frames", [1, 2, 6])
def test_all_sizes_and_lengths(mode, size, frames):
    pictures = moving_clip(frames, *size)
    extradata, packets, reconstruction = encode(pictures, mode=mode, preset="fast", gop=5, quality=60)
    decoded = decode(extradata, packets)
    assert len(packets) == len(decoded) == frames
    assert same(decoded, reconstruction)
    assert tuple(p.shape for p in decoded[0].planes) == VideoFormat(*size).plane_shapes
    assert psnr(pictures, decoded) > 25


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [{"gop": 1}, {"keyint": 1}, {"gop": 3}, {"gop": 129}, {"keyint": 6, "gop": 9}])
def test_all_structures(mode, options):
    pictures = moving_clip(15)
    extradata, packets, reconstruction = encode(pictures, mode=mode, preset="fast", quality=20, **options)
    assert same(decode(extradata, packets), reconstruction)
    keys = [i for i, packet in enumerate(packets) if packet.key]
    assert keys[0] == 0
    assert max(b - a for a, b in pairwise([*keys, 15])) <= options.get("keyint", 129)


TOOLS = [
    {"mode": "flf2v", "x0_cache": 1},
    {"mode": "t2v", "overlap": 3},
    {"mode": "t2v", "overlap": 8, "keyint": 11},
    {"mode": "i2v", "tail": 0},
    {"mode": "i2v", "tail": 1, "quality": 20},
    {"mode": "t2v", "prompt": "Waves und ein Kästchen"},
    *({"mode": mode, "preset": "gvcc", "x0_cache": 1} for mode in MODES),
    {"mode": "flf2v", "transition": "sde", "shift": 7},
]


@pytest.mark.parametrize("options", TOOLS)
def test_all_tools(options):
    pictures = moving_clip(21)
    extradata, packets, reconstruction = encode(pictures, **FAST | options)
    decoded = decode(extradata, packets)
    assert len(decoded) == 21 and same(decoded, reconstruction)
    assert psnr(pictures, decoded) > 24


@pytest.mark.parametrize("preset", ["fast", "medium", "slow"])
def test_presets(preset):
    pictures = moving_clip(9)
    extradata, packets, reconstruction = encode(pictures, preset=preset, gop=9)
    assert same(decode(extradata, packets), reconstruction)


def test_more_effort_fewer_bytes():
    pictures = moving_clip(17)
    found = []
    for preset in ("fast", "slow"):
        _, packets, reconstruction = encode(pictures, preset=preset, gop=17, quality=45)
        found.append((size_of(packets), psnr(pictures, reconstruction)))
    assert found[1][0] < 0.97 * found[0][0]
    assert found[1][1] > found[0][1] - 0.3


def test_flat_pictures():
    pictures = still_clip(9)
    extradata, packets, _ = encode(pictures, **FAST)
    decoded = decode(extradata, packets)
    assert psnr(pictures, decoded) > 45
    assert size_of(packets) < 400


@pytest.mark.parametrize("mode", MODES)
def test_noise_and_extreme_contrast(mode):
    """Pictures that are very unlikely under the prior are coded without an error."""
    rng = np.random.default_rng(0)
    pictures = [
        replace(p, planes=tuple(rng.choice([0, 255], plane.shape).astype(np.uint8) for plane in p.planes))
        for p in still_clip(5, 33, 17)
    ]
    extradata, packets, reconstruction = encode(pictures, mode=mode, quality=90, **FAST)
    decoded = decode(extradata, packets)
    assert same(decoded, reconstruction)
    assert psnr(pictures, decoded) > 30


# In a new process, with other numbers of threads, repeatedly


DECODE = """
import pickle, sys
from clips import decode, facts
sys.stdout.buffer.write(pickle.dumps([facts(p) for p in decode(*pickle.load(open(sys.argv[1], "rb")))]))
"""
ENCODE = """
import pickle, sys
from clips import encode, moving_clip
extradata, packets, _ = encode(moving_clip(9, 200, 120), gop=9, preset="fast", mode=sys.argv[1], quality=50)
sys.stdout.buffer.write(pickle.dumps((extradata, packets)))
"""


@pytest.mark.parametrize("mode", MODES)
def test_decoding_in_a_fresh_process(mode, tmp_path):
    extradata, packets, reconstruction = encode(moving_clip(17), mode=mode, **FAST)
    (tmp_path / "stream").write_bytes(pickle.dumps((extradata, packets)))
    assert pickle.loads(run(DECODE, str(tmp_path / "stream"))) == [facts(p) for p in reconstruction]


@pytest.mark.parametrize("mode", ["i2v", "flf2v"])
def test_the_number_of_threads_changes_nothing(mode, tmp_path):
    """Bytes and pictures are the same for all thread counts, so decoders follow encoders with other settings."""
    streams, shown = [], []
    for threads in ("1", "2"):
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        streams.append(run(ENCODE, mode, **variables))
        (tmp_path / "stream").write_bytes(streams[0])
        shown.append(run(DECODE, str(tmp_path / "stream"), **variables))
    assert pickle.loads(streams[0]) == pickle.loads(streams[1])
    assert pickle.loads(shown[0]) == pickle.loads(shown[1])


@pytest.mark.parametrize(
    "options",
    [{"mode": "t2v", "overlap": 2}, {"quality": 60}, {"bitrate": 60_000}, {"maxrate": 90_000}, {"prior": "neural"}],
    ids=str,
)
def test_gops_side_by_side_are_those_one_after_another(options, monkeypatch):
    """Whatever GOPs are at work at the same time, bytes and pictures are the same."""
    monkeypatch.setattr(parallel, "PROCESSORS", 4)
    pictures, streams, shown = moving_clip(49), [], []
    for threads in (1, 2, 4):
        extradata, packets, reconstructed = encode(pictures, threads=threads, preset="fast", keyint=24, **options)
        streams.append((extradata, packets))
        shown.append(decode(extradata, packets, threads=threads))
        assert same(shown[-1], reconstructed)
    assert streams[0] == streams[1] == streams[2]
    assert same(shown[0], shown[1]) and same(shown[0], shown[2])


@pytest.mark.parametrize("size", [(64, 48), (640, 480)], ids=str)
def test_the_planes_of_a_picture_may_be_used_again(size):
    """A program may read each picture into the same arrays, although the encoder holds pictures for long."""
    pictures = moving_clip(6, *size)
    extradata, packets, _ = encode(pictures, **FAST)
    encoder, planes = Encoder(video_format(pictures), FAST), tuple(np.empty_like(plane) for plane in pictures[0].planes)
    again = []
    for picture in pictures:
        for plane, source in zip(planes, picture.planes, strict=True):
            plane[:] = source
        again += encoder.encode(replace(picture, planes=planes))
    assert (encoder.extradata, again + encoder.encode(None)) == (extradata, packets)


def test_encoding_twice_gives_the_same_bytes():
    pictures = moving_clip(9)
    assert encode(pictures, **FAST)[:2] == encode(pictures, **FAST)[:2]


def test_the_seed_changes_the_bytes_and_not_the_quality():
    pictures = moving_clip(9)
    streams = [encode(pictures, seed=seed, quality=50, **FAST) for seed in (1, 2)]
    assert streams[0][1] != streams[1][1]
    assert psnr(pictures, streams[0][2]) == pytest.approx(psnr(pictures, streams[1][2]), abs=0.4)
    assert size_of(streams[0][1]) == pytest.approx(size_of(streams[1][1]), rel=0.05)
    assert all(same(decode(extradata, packets), seen) for extradata, packets, seen in streams)


def test_source_pictures_are_left_alone():
    pictures = moving_clip(9)
    encode(pictures, **FAST)
    assert same(pictures, moving_clip(9))


# Packets


@pytest.fixture(scope="module")
def coded():
    """Two chains of FLF2V: keyframes at 0 and 12."""
    pictures = moving_clip(24)
    pictures[12].key = True
    extradata, packets, reconstruction = encode(pictures, quality=25, **FAST)
    return pictures, extradata, packets, reconstruction


def test_one_packet_a_picture_with_its_times(coded):
    pictures, _, packets, _ = coded
    assert [(p.pts, p.duration) for p in packets] == [(p.pts, p.duration) for p in pictures]
    assert [p.pts for p in packets if p.key] == [0, 12]


def test_only_the_first_packet_of_a_gop_has_contents(coded):
    _, _, packets, _ = coded
    units = [(i, read_packet(p.data)) for i, p in enumerate(packets) if not is_show(p.data)]
    starts = [i for i, _ in units]
    assert [unit.shown for _, unit in units] == [b - a for a, b in pairwise([*starts, 24])]
    assert [unit.index for _, unit in units] == [0, 1, 12, 13]
    assert [unit.key for _, unit in units] == [packets[i].key for i in starts]


def test_shared_boundaries_are_sent_once(coded):
    _, _, packets, _ = coded
    units = [read_packet(p.data) for p in packets if not is_show(p.data)]
    assert all(bool(unit.first) == unit.key and unit.last for unit in units)


@pytest.mark.parametrize("mode", MODES)
def test_stills_by_mode(mode):
    _, packets, _ = encode(moving_clip(17), mode=mode, **FAST)
    stills = [(bool(u.first), bool(u.last)) for u in map(read_packet, (p.data for p in packets)) if u]
    expected = {"t2v": (False, False), "i2v": (False, False), "flf2v": (False, True)}[mode]
    assert stills == [(mode != "t2v", mode == "flf2v"), expected]


def test_every_picture_once_it_is_asked_for(coded):
    """A decoder returns each packet's picture with the packet, and nothing at the end."""
    _, extradata, packets, reconstruction = coded
    decoder = Decoder(extradata)
    for packet, seen in zip(packets, reconstruction, strict=True):
        assert same(decoder.decode(packet), [seen])
    assert decoder.decode(None) == []


@pytest.mark.parametrize("change", [{"pts": None}, {"duration": 0}, {"pts": None, "duration": 0}])
def test_missing_times_stay_missing(change):
    pictures = [replace(p, **change) for p in moving_clip(9)]
    extradata, packets, _ = encode(pictures, **FAST)
    times = [(p.pts, p.duration) for p in pictures]
    assert [(p.pts, p.duration) for p in packets] == times
    assert [(p.pts, p.duration) for p in decode(extradata, packets)] == times


def test_uneven_and_negative_times_are_kept():
    times = [-(2**40), -7, 0, 1, 1000, 2**50, 2**62]
    pictures = [replace(p, pts=t) for p, t in zip(moving_clip(7), times, strict=True)]
    extradata, packets, _ = encode(pictures, **FAST)
    assert [p.pts for p in decode(extradata, packets)] == times


def test_the_header_alone_tells_the_format():
    video = video_format(moving_clip(1), color_range=1, color_primaries=9, color_trc=16, colorspace=9)
    assert Decoder(Encoder(video).extradata).format == video


def test_no_extradata_is_needed(coded):
    _, _, packets, reconstruction = coded
    decoder = Decoder(None)
    assert decoder.format is None
    assert same([p for packet in packets for p in decoder.decode(packet)], reconstruction)
    assert decoder.format.width == 64


def test_nothing_in_nothing_out():
    encoder = Encoder(VideoFormat(64, 48))
    assert encoder.encode(None) == []
    assert Decoder(encoder.extradata).decode(None) == []


# Seeking


def test_seek_gives_what_linear_decoding_gives(coded):
    _, extradata, packets, reconstruction = coded
    decoder = Decoder(extradata)
    for start in (12, 0, 12):
        decoder.flush()
        shown = [p for packet in packets[start : start + 9] for p in decoder.decode(packet)]
        assert same(shown, reconstruction[start : start + 9])


def test_a_keyframe_cut_is_a_stream_of_its_own(coded):
    _, extradata, packets, reconstruction = coded
    assert same(decode(extradata, packets[12:]), reconstruction[12:])
    assert same(decode(None, packets[12:]), reconstruction[12:])


def test_streams_of_one_size_can_be_joined(coded):
    """Players do so with playlists: one decoder gets a stream with other options and another state of the prior."""
    _, extradata, packets, reconstruction = coded
    _, others, seen = encode(moving_clip(9, seed=5), mode="i2v", seed=9, **FAST)
    assert same(decode(extradata, packets[:9] + others + packets[12:]), reconstruction[:9] + seen + reconstruction[12:])


# Realism


def texture(pictures) -> float:
    return float(np.mean(np.diff(stack(pictures)[0].astype(float), axis=2) ** 2))


@pytest.mark.parametrize("mode", MODES)
def test_realism_adds_texture_and_costs_psnr(mode):
    pictures = moving_clip(17)
    extradata, packets, _ = encode(pictures, mode=mode, quality=5, **FAST)
    plain, real = decode(extradata, packets, realism=0), decode(extradata, packets, realism=1)
    assert texture(real) > texture(plain)
    assert psnr(pictures, real) < psnr(pictures, plain)
    assert same(real, decode(extradata, packets, realism=1))


def test_realism_leaves_the_chain_alone():
    """Realism is not part of the decoder's state: later GOPs are the same with any realism of earlier ones."""
    extradata, packets, _ = encode(moving_clip(17), quality=5, **FAST)
    real = decode(extradata, packets, realism=1)
    decoder = Decoder(extradata)
    late = [*decoder.decode(packets[0])]
    decoder.options.realism = 1.0
    for packet in [*packets[1:], None]:
        late += decoder.decode(packet)
    assert not same(late[:8], real[:8])
    assert same(late[9:], real[9:])


# The design: matched atoms against the paper's rule


@pytest.mark.parametrize("mode", ["t2v", "flf2v"])
def test_matched_atoms_need_far_fewer_bits_than_the_papers_rule(mode):
    """Compares bits of atoms at equal or better PSNR, with the same prior, clip and boundaries."""
    pictures = moving_clip(17)

    def atoms(packets) -> int:
        return sum(len(unit.atoms) for unit in map(read_packet, (p.data for p in packets)) if unit)

    common = {"mode": mode, "gop": 17, "preset": "fast"}
    _, packets, seen = encode(pictures, transition="sde", atoms=128, quality=45, **common)
    quality, matched = 5, None
    while matched is None or psnr(pictures, matched[2]) < psnr(pictures, seen):
        quality += 3
        matched = encode(pictures, quality=quality, **common)
    assert atoms(matched[1]) < 0.7 * atoms(packets)


# Wrong use


def test_pictures_of_another_size():
    encoder = Encoder(VideoFormat(64, 48))
    with pytest.raises(MediaError, match="one size"):
        encoder.encode(moving_clip(1, 64, 46)[0])
    assert encoder.encode(moving_clip(1)[0]) == []  # The encoder works again after the error.
    assert len(encoder.encode(None)) == 1


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (16385, 16), (-2, 8)])
def test_impossible_sizes(width, height):
    with pytest.raises(MediaError, match=f"{width}x{height}"):
        Encoder(VideoFormat(width, height))


@pytest.mark.parametrize("time_base", [Fraction(0), Fraction(-1, 25)])
def test_time_base_must_be_positive(time_base):
    with pytest.raises(MediaError, match=f"not {time_base}"):
        Encoder(VideoFormat(64, 48, time_base=time_base))


def test_a_gop_too_large_for_memory_is_refused():
    encoder = Encoder(VideoFormat(2**14, 2**12), {"gop": 5, "mode": "t2v", "scenecut": 0})
    picture = Picture(tuple(np.broadcast_to(np.uint8(90), shape) for shape in encoder.format.plane_shapes))
    with pytest.raises(MediaError, match="smaller picture"):
        for _ in range(11):
            encoder.encode(picture)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "x2v"}, "t2v, i2v, flf2v"),
        ({"preset": "hasty"}, "fast, medium, slow"),
        ({"transition": "ode"}, "ancestral, sde"),
        ({"quality": 101}, "0 to 100"),
        ({"quality": "nan"}, "0 to 100"),
        ({"quality": "good"}, "0 to 100"),
        ({"gop": -1}, "0 to 129"),
        ({"gop": 130}, "0 to 129"),
        ({"keyint": 0}, "1 to "),
        ({"atoms": 0}, "1 to 65536"),
        ({"seed": -1}, "0 to "),
        ({"scenecut": 2}, "0 to 1"),
        ({"qualty": 3}, "mode, quality, crf, bitrate"),
        ({"crf": 64}, "-1 to 63"),
        ({"mode": "i2v", "overlap": 2}, "for mode=t2v"),
        ({"mode": "t2v", "overlap": 5, "gop": 5}, "set it lower"),
        ({"shift": 5}, "for transition=sde"),
        ({"prompt": "ä" * 1025}, "2050 bytes, the limit is 2048"),
        ({"preset": "gvcc", "bitrate": 50_000}, "no rate control"),
    ],
)
def test_wrong_encoder_options_name_the_valid_ones(options, message):
    with pytest.raises(OptionError, match=message):
        Encoder(VideoFormat(64, 48), options)


@pytest.mark.parametrize(("options", "message"), [({"realism": 1.5}, "0 to 1"), ({"real": 1}, "realism")])
def test_wrong_decoder_options_name_the_valid_ones(options, message):
    with pytest.raises(OptionError, match=message):
        Decoder(None, options)


@pytest.mark.parametrize("prior", ["sora", "gp:somewhere", "wan", ""])
def test_unknown_priors(prior):
    with pytest.raises(PriorError, match="valid: gp, neural, wan:FOLDER"):
        Encoder(VideoFormat(64, 48), {"prior": prior})


def test_the_papers_rule_has_no_bitrate():
    with pytest.raises(OptionError, match="atoms"):
        Encoder(VideoFormat(64, 48), {"transition": "sde", "bitrate": 20000})


def test_gops_without_a_latent_are_bare():
    found = []
    # The first clip has predictable motion, the second one has not.
    for pictures, quality in ((pan_clip(9, 50, 38), 12), (moving_clip(9, 50, 38), 60)):
        _, packets, _ = encode(pictures, mode="flf2v", quality=quality, scenecut=0)
        found.append([unit.bare for unit in map(read_packet, (packet.data for packet in packets)) if unit])
    assert found[0] == [True] * len(found[0])
    assert found[1] == [False] * len(found[1])
