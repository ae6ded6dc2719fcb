# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The Wan prior on tiny random weights: latents, velocity, and whole streams."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from gvc_container.mux import Muxer
from smooth import condition_of, picture, smooth_clip, stretch
from tiny_lora import TARGET, changes, write
from tiny_ti2v import build_tiny_ti2v
from tiny_wan import FLAVOURS, SAMPLE, SINGLE, build_tiny_wan

from gvc.bitstream import GopUnit, SequenceHeader, is_show
from gvc.bitstream.levels import matched_levels, sigma_level
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import BitstreamError, PriorError
from gvc.fleet.digest import ShownDigest, joined_digest
from gvc.gop.rule import rule_of
from gvc.loop.denoise import denoise, finish
from gvc.loop.noise import ReplayNoise
from gvc.loop.search import SearchNoise
from gvc.media import Picture, VideoFormat
from gvc.pictures.rgb import from_rgb, to_rgb
from gvc.prior import Condition
from gvc.priors.wan import WanPrior


def conditioned(prior, video_format, clip, prompt="", mode=None):
    """Condition `prior` on the boundary pictures of a mode, default: its first one."""
    return prior.condition(condition_of(mode or prior.modes[0], video_format, clip, prompt), b"")


# Latents


@pytest.mark.parametrize(("kind", "mode"), SAMPLE)
@pytest.mark.parametrize("size", [(50, 35, 6), (17, 1, 2), (16, 16, 1), (1, 33, 3), (31, 47, 8)])
def test_any_size_and_length_comes_back_with_its_own_shape(wan_priors, kind, mode, size):
    width, height, frames = size
    video_format = VideoFormat(width, height)
    clip = smooth_clip(video_format, frames)
    prior = conditioned(wan_priors[kind], video_format, clip, mode=mode)
    decoded = prior.decode_latent(prior.encode_latent(clip), 0.0)
    assert [p.shape for p in decoded] == [(frames, *shape) for shape in video_format.plane_shapes]
    assert all(p.dtype == np.uint8 for p in decoded)
    assert prior.velocity(prior.zeros(), 0.5).shape == (prior.size,)


def test_padding_repeats_the_last_frame_row_and_column(wan_priors):
    small, large = VideoFormat(40, 22), VideoFormat(48, 32)
    clip = smooth_clip(small, 7)
    latent = conditioned(wan_priors["t2v"], small, clip).encode_latent(clip)
    clip = stretch(clip, 9, 32, 48)
    assert torch.equal(latent, conditioned(wan_priors["t2v"], large, clip).encode_latent(clip))


def test_a_block_is_a_latent_frame(wan_priors):
    """Wan's VAE is causal: a change of the last pictures of a clip changes the last latent frame only."""
    video_format = VideoFormat(32, 32)
    clip, other = smooth_clip(video_format, 13), smooth_clip(video_format, 13, seed=1)
    mixed = tuple(np.concatenate((a[:9], b[9:])) for a, b in zip(clip, other, strict=True))
    prior = conditioned(wan_priors["t2v"], video_format, clip)
    latent, mixed_latent = prior.encode_latent(clip), prior.encode_latent(mixed)
    assert [torch.equal(latent[b], mixed_latent[b]) for b in prior.blocks] == [True, True, True, False]
    assert [i for b in prior.blocks for i in range(*b.indices(prior.size))] == list(range(prior.size))


def test_the_tail_is_the_last_latent_frame_by_channels(wan_priors):
    video_format = VideoFormat(32, 48)
    prior = conditioned(wan_priors["i2v"], video_format, smooth_clip(video_format, 9))
    assert len(prior.tail) == 16
    last = torch.arange(prior.size).view(3, 16, 6 * 4)[-1]
    for channel, values in zip(prior.tail, last, strict=True):
        assert torch.equal(torch.arange(prior.size)[channel], values)


def test_latents_are_normalised_and_decoded_back(wan_priors):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    vae, prior = wan_priors["t2v"].vae, conditioned(wan_priors["t2v"], video_format, clip)
    mode = vae.encode(to_rgb(clip, video_format)).latent_dist.mode()
    latent = prior.encode_latent(clip)
    channel = 5
    expected = (mode[0, channel] - vae.config.latents_mean[channel]) / vae.config.latents_std[channel]
    assert torch.allclose(latent.view(2, 16, 4, 4)[:, channel], expected, atol=1e-6)
    for ours, theirs in zip(
        prior.decode_latent(latent, 0), from_rgb(vae.decode(mode).sample, video_format), strict=True
    ):
        assert np.abs(ours.astype(int) - theirs).max() <= 1  # The tolerance covers rounding in the normalisation.


# Velocity


@pytest.mark.parametrize(("kind", "mode"), SAMPLE)
def test_velocity_is_a_function_of_state_time_and_conditions(wan_priors, wan_folders, kind, mode):
    video_format = VideoFormat(48, 32)
    clip = smooth_clip(video_format, 9)
    prior = conditioned(wan_priors[kind], video_format, clip, mode=mode)
    x = torch.randn(prior.size, generator=torch.Generator().manual_seed(1))
    before, velocity = x.clone(), prior.velocity(x, 0.7)
    assert torch.equal(x, before) and velocity.shape == x.shape == prior.zeros().shape
    assert velocity.dtype == torch.float32 and velocity.isfinite().all()
    again = conditioned(WanPrior.from_pretrained(wan_folders[kind]), video_format, clip, mode=mode)
    assert torch.equal(velocity, again.velocity(x, 0.7))
    assert not torch.allclose(velocity, prior.velocity(x, 0.3), rtol=1e-3)
    asked = conditioned(wan_priors[kind], video_format, clip, "a red fox", mode)
    assert not torch.equal(velocity, asked.velocity(x, 0.7))
    other = conditioned(wan_priors[kind], video_format, smooth_clip(video_format, 9, seed=1), mode=mode)
    assert torch.equal(velocity, other.velocity(x, 0.7)) == (mode == "t2v")
    velocity += 1  # The codec may change the result in place.


@pytest.mark.parametrize("mode", FLAVOURS)
def test_the_control_of_vace_is_built_once_for_each_gop(wan_priors, mode, monkeypatch):
    prior, calls = wan_priors["vace"], []
    encode = prior.vae.encode
    monkeypatch.setattr(prior.vae, "encode", lambda rgb: calls.append(rgb) or encode(rgb))
    video_format = VideoFormat(32, 32)
    ours = conditioned(prior, video_format, smooth_clip(video_format, 5), mode=mode)
    for t in (1.0, 0.5):
        ours.velocity(ours.zeros(), t)
    assert len(calls) == 2  # what is known, and what is not


@pytest.mark.parametrize("kind", ["flf2v", "vace", "2.2-i2v"])
def test_the_last_picture_counts(wan_priors, kind):
    video_format = VideoFormat(32, 32)
    clip, other = smooth_clip(video_format, 5), smooth_clip(video_format, 5, seed=1)
    first = picture(clip, 0)
    velocities = [
        wan_priors[kind]
        .condition(Condition(video_format, 5, first, picture(last, -1)), b"")
        .velocity(torch.ones(512), 0.5)
        for last in (clip, other)
    ]
    assert not torch.equal(*velocities)


def test_conditions_that_the_flavour_was_not_trained_for_are_refused(wan_priors):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    for flavour in FLAVOURS:
        prior = wan_priors[flavour]
        for mode in set(FLAVOURS) - {flavour}:
            with pytest.raises(PriorError, match=f"mode {mode}; set mode={flavour}"):
                prior.condition(condition_of(mode, video_format, clip), b"")
        with pytest.raises(BitstreamError, match=r"\(side\)"):
            prior.condition(condition_of(flavour, video_format, clip), b"\0")
    with pytest.raises(PriorError, match="mode t2v; set mode=i2v or flf2v"):
        wan_priors["2.2-i2v"].condition(condition_of("t2v", video_format, clip), b"")


# The whole codec


def encode_stream(clip, video_format, options):
    """Return (extradata, packets, the planes of each reconstructed picture)."""
    reconstructed = []
    encoder = Encoder(video_format, {"preset": "fast", **options}, reconstructed.extend)
    packets = []
    for i in range(len(clip[0])):
        packets += encoder.encode(Picture(picture(clip, i), pts=i, duration=1))
    packets += encoder.encode(None)
    return encoder.extradata, packets, [p.planes for p in reconstructed]


def decode_stream(extradata, packets, folder, **options):
    decoder = Decoder(extradata, {"prior": f"wan:{folder}", **options})
    return [p.planes for packet in packets for p in decoder.decode(packet)]


@pytest.mark.parametrize("transition", ["ancestral", "sde"])
@pytest.mark.parametrize(("kind", "mode"), SAMPLE)
def test_a_stream_decodes_to_what_the_encoder_saw(wan_folders, kind, mode, transition):
    video_format = VideoFormat(50, 34)
    clip = smooth_clip(video_format, 12)  # two GOPs, the second one shorter
    prior = f"wan:{wan_folders[kind]}"
    options = {"prior": prior, "mode": mode, "gop": 9, "transition": transition, "quality": 20}
    extradata, packets, seen = encode_stream(clip, video_format, options)
    assert len(packets) == 12 and sum(not is_show(packet.data) for packet in packets) == 2
    decoded = decode_stream(extradata, packets, wan_folders[kind])
    assert len(decoded) == 12
    for ours, theirs in zip(decoded, seen, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("kind", "mode"), SINGLE)
@pytest.mark.parametrize("size", [(33, 17, 1), (1, 1, 2), (17, 31, 6)])
def test_pictures_of_any_size_and_number_are_a_stream(wan_folders, kind, mode, size):
    width, height, frames = size
    video_format = VideoFormat(width, height)
    options = {"prior": f"wan:{wan_folders[kind]}", "mode": mode, "quality": 10, "gop": 5}
    extradata, packets, seen = encode_stream(smooth_clip(video_format, frames), video_format, options)
    decoded = decode_stream(extradata, packets, wan_folders[kind])
    assert len(decoded) == len(seen) == frames
    for ours, theirs in zip(decoded, seen, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


DECODE = """
import sys
from gvc_container.demux import Demuxer
from gvc.fleet.digest import ShownDigest, joined_digest
from gvc.decoder import Decoder

for path, prior, lora in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    shown = ShownDigest()
    with Demuxer(path) as demuxer:
        decoder = Decoder(demuxer.header, {"prior": prior, "lora": lora})
        for packet in demuxer.packets():
            shown.add(decoder.decode(packet))
    print(joined_digest(shown.parts()))
"""


def test_files_decode_in_a_fresh_process_to_what_the_encoder_saw(wan_folders, wan_priors, tmp_path):
    video_format = VideoFormat(50, 34)
    expected, arguments = [], []
    cases = [(kind, mode, wan_folders[kind]) for kind, mode in SAMPLE]
    ti2v = build_tiny_ti2v(tmp_path / "ti2v")
    cases += [("ti2v", "t2v", ti2v), ("ti2v", "i2v", ti2v), ("low", "flf2v", wan_folders["vace"])]
    cases += [("lora", "t2v", wan_folders["t2v"])]
    lora = f"{write(tmp_path / 'lora.safetensors', *changes(wan_priors['t2v'].network, TARGET))}:0.5"
    for kind, mode, folder in cases:
        prior, reconstructed, path = f"wan:{folder}", ShownDigest(), tmp_path / f"{kind}-{mode}.mkv"
        options = {"preset": "fast", "prior": prior, "mode": mode, "gop": 5, "quality": 20}
        if kind == "low":
            options |= {"lowres_steps": 5, "lowres_size": 67, "x0_cache": 2}
        if kind == "lora":
            options |= {"lora": lora}
        encoder = Encoder(video_format, options, reconstructed.add)
        clip = smooth_clip(video_format, 9)
        with Muxer(path, encoder.extradata, video_format) as muxer:
            for given in [*(Picture(picture(clip, i), pts=i, duration=1) for i in range(9)), None]:
                for packet in encoder.encode(given):
                    muxer.write(packet)
        expected.append(joined_digest(reconstructed.parts()))
        arguments += [path, prior, options.get("lora", "")]
    # The new process must use as many threads as this one: on some processors their number affects the last bits.
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DECODE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    assert done.stdout.split() == expected


@pytest.mark.parametrize("options", [{"dtype": "bfloat16"}, {"tiling": 1}, {"dtype": "float16", "tiling": 1}])
def test_a_decoder_may_run_the_model_in_another_way(wan_folders, options):
    """The decoded pictures are approximately the same."""
    video_format = VideoFormat(272, 16)
    clip, prior = smooth_clip(video_format, 5), {"prior": f"wan:{wan_folders['flf2v']}", "mode": "flf2v", "quality": 60}
    extradata, packets, seen = encode_stream(clip, video_format, prior)
    decoded = decode_stream(extradata, packets, wan_folders["flf2v"], **options)
    differences = [np.abs(a[0].astype(int) - b[0]).mean() for a, b in zip(decoded, seen, strict=True)]
    assert 0 < max(differences) < 4 < smooth_clip(video_format, 5)[0].std() / 4


def test_the_prompt_is_part_of_the_stream(wan_folders):
    video_format = VideoFormat(32, 32)
    options = {"prior": f"wan:{wan_folders['t2v']}", "mode": "t2v", "quality": 30, "prompt": "a fox in the snow"}
    extradata, packets, seen = encode_stream(smooth_clip(video_format, 5), video_format, options)
    decoded = decode_stream(extradata, packets, wan_folders["t2v"])
    assert all(np.array_equal(a, b) for p, q in zip(decoded, seen, strict=True) for a, b in zip(p, q, strict=True))
    *_, other = encode_stream(smooth_clip(video_format, 5), video_format, {**options, "prompt": ""})
    assert not all(np.array_equal(p[0], q[0]) for p, q in zip(other, seen, strict=True))


@pytest.mark.parametrize(("kind", "mode"), SINGLE)
def test_atoms_steer_the_latent_to_the_source_and_replay_exactly(wan_priors, kind, mode):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    prior = conditioned(wan_priors[kind], video_format, clip, mode=mode)
    header = SequenceHeader(format=video_format, mode=mode, transition="ancestral", prior=f"wan/{kind}")
    source, errors = prior.encode_latent(clip), []
    for stop in (sigma_level(2.0), sigma_level(0.5), sigma_level(0.1)):
        start = sigma_level(8.0)
        rule = rule_of(header, GopUnit(header=header, index=0, shown=5, start=start, stop=stop, stride=8))
        search = SearchNoise(prior, header, 0, source, matched_levels(start, stop, 8))
        coded = denoise(prior, rule, search)
        replayed = denoise(prior, rule, ReplayNoise(prior, header, 0, search.finish(), rule.noisy))
        assert torch.equal(replayed[0], coded[0]) and replayed[1] == coded[1]
        errors.append(float((finish(prior, *coded, 0.0) - source).square().mean()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_other_weights_than_the_streams_are_refused(wan_folders, tmp_path):
    video_format = VideoFormat(32, 32)
    options = {"prior": f"wan:{wan_folders['t2v']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode_stream(smooth_clip(video_format, 1), video_format, options)
    other = build_tiny_wan(tmp_path, "t2v", seed=1)
    for folder, problem in ((other, "other weights"), (wan_folders["i2v"], "wan/i2v was given"), ("", "unknown")):
        with pytest.raises(PriorError, match=problem):
            decode_stream(extradata, packets, folder)
    with pytest.raises(PriorError, match="give its weights with prior=wan:FOLDER"):
        Decoder(extradata).decode(packets[0])
