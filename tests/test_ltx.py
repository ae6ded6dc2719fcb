# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The LTX prior on tiny random weights: latents, velocity, whole streams, and models that it cannot use."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from clips import decode, encode, same
from fresh import digest, digests_in_a_fresh_process
from safetensors.torch import save_file
from smooth import condition_of, picture, smooth_clip
from tiny_ltx import LATENT_CHANNELS, MODES, build_tiny_ltx
from video_models import conditioned, pictures_of, remove, rewrite

from gvc.bitstream import GopUnit, SequenceHeader, is_show
from gvc.bitstream.levels import matched_levels, sigma_level
from gvc.encoder import Encoder
from gvc.errors import BitstreamError, OptionError, PriorError
from gvc.gop.rule import rule_of
from gvc.loop.denoise import denoise, finish
from gvc.loop.noise import ReplayNoise
from gvc.loop.search import SearchNoise
from gvc.media import VideoFormat
from gvc.prior import Condition, ModelOptions
from gvc.priors import open_prior
from gvc.priors.ltx import LtxPrior
from gvc.priors.prompts import EMBEDDING_FILE

CASES = [(version, mode) for version, modes in MODES.items() for mode in modes]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {version: build_tiny_ltx(tmp_path_factory.mktemp("ltx"), version) for version in MODES}


@pytest.fixture(scope="module")
def priors(folders):
    return {version: open_prior(f"ltx:{folder}") for version, folder in folders.items()}


def test_a_generation_has_its_modes_and_its_name(priors):
    assert {version: prior.modes for version, prior in priors.items()} == MODES
    assert [prior.name for prior in priors.values()] == ["ltx/i2v", "ltx/i2v", "ltx/flf2v"]


def test_the_index_does_not_tell_the_generation(priors, tmp_path):
    """The index of some published models names the pipeline of an earlier generation."""
    folder = build_tiny_ltx(tmp_path, "0.9.5")
    rewrite(folder / "model_index.json", _class_name="LTXPipeline")
    prior = open_prior(f"ltx:{folder}")
    assert (prior.name, prior.modes) == ("ltx/flf2v", MODES["0.9.5"])
    assert prior.weights_hash == priors["0.9.5"].weights_hash


# Latents


@pytest.mark.parametrize(("version", "mode"), CASES)
@pytest.mark.parametrize("size", [(50, 35, 6), (32, 32, 1), (1, 33, 3), (64, 17, 17)])
def test_any_size_and_length_comes_back_with_its_own_shape(priors, version, mode, size):
    width, height, frames = size
    video_format = VideoFormat(width, height)
    clip = smooth_clip(video_format, frames)
    mode = "i2v" if mode == "flf2v" and frames == 1 else mode
    prior = conditioned(priors[version], mode, video_format, clip)
    x0 = prior.encode_latent(clip)
    decoded = prior.decode_latent(x0, 0.0)
    assert [p.shape for p in decoded] == [(frames, *shape) for shape in video_format.plane_shapes]
    assert all(p.dtype == np.uint8 for p in decoded)
    assert x0.shape == prior.zeros().shape == prior.velocity(prior.zeros(), 0.5).shape == (prior.size,)
    assert [i for b in prior.blocks for i in range(*b.indices(prior.size))] == list(range(prior.size))
    assert len(prior.blocks) == (frames + 6) // 8 + (mode == "t2v")


def test_padding_repeats_the_last_frame_row_and_column(priors):
    small, large = VideoFormat(40, 22), VideoFormat(64, 32)
    clip = smooth_clip(small, 7)
    padded = [
        np.pad(plane, [(0, 2), (0, h - plane.shape[1]), (0, w - plane.shape[2])], mode="edge")
        for plane, (h, w) in zip(clip, large.plane_shapes, strict=True)
    ]
    latent = conditioned(priors["0.9.0"], "t2v", small, clip).encode_latent(clip)
    assert torch.equal(latent, conditioned(priors["0.9.0"], "t2v", large, padded).encode_latent(padded))


@pytest.mark.parametrize("version", MODES)
def test_a_known_first_picture_is_no_part_of_the_vector(priors, version):
    """The VAE's encoder is causal, so the first latent frame depends on the first picture alone."""
    video_format = VideoFormat(64, 32)
    clip = smooth_clip(video_format, 17)
    whole, rest = (conditioned(priors[version], mode, video_format, clip) for mode in ("t2v", "i2v"))
    x0 = whole.encode_latent(clip)
    frame = whole.size // 3
    assert frame == LATENT_CHANNELS * 2 and rest.size == 2 * frame
    assert torch.equal(rest.encode_latent(clip), x0[frame:])
    for ours, theirs, source in zip(
        rest.decode_latent(x0[frame:], 0.0), whole.decode_latent(x0, 0.0), clip, strict=True
    ):
        assert np.array_equal(ours[0], source[0])  # The known picture is shown unchanged.
        assert np.abs(ours[1:].astype(int) - theirs[1:]).max() <= 1  # Encoding a single picture uses other kernels.
    assert len(rest.tail) == len(whole.tail) == LATENT_CHANNELS
    assert all(torch.equal(x0[frame:][a], x0[b]) for a, b in zip(rest.tail, whole.tail, strict=True))
    assert rest.tail[-1].stop == rest.size


@pytest.mark.parametrize("version", MODES)
def test_a_gop_of_one_known_picture_has_nothing_to_code(priors, version):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 1)
    prior = conditioned(priors[version], "i2v", video_format, clip)
    assert (prior.size, prior.blocks, prior.tail) == (0, [], [])
    other = conditioned(priors[version], "i2v", video_format, smooth_clip(video_format, 1, seed=1))
    assert not np.array_equal(prior.decode_latent(prior.zeros(), 0)[0], other.decode_latent(other.zeros(), 0)[0])


def test_decoding_takes_no_noise_from_torch(priors):
    """The VAE of 0.9.1 would draw noise from torch's generator, which differs between runs."""
    video_format = VideoFormat(64, 32)
    clip = smooth_clip(video_format, 9)
    prior = conditioned(priors["0.9.1"], "t2v", video_format, clip)
    x0, before = prior.encode_latent(clip), torch.get_rng_state()
    once, again = prior.decode_latent(x0, 0.0), prior.decode_latent(x0, 0.0)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_tiles_give_nearly_the_same_pictures(priors, folders):
    video_format = VideoFormat(608, 32)  # The picture is wider than a tile.
    clip = smooth_clip(video_format, 1)
    tiled = LtxPrior.from_pretrained(folders["0.9.0"], ModelOptions(tiling=True))
    prior, tiled = (conditioned(p, "t2v", video_format, clip) for p in (priors["0.9.0"], tiled))
    x0 = prior.encode_latent(clip)
    assert torch.allclose(tiled.encode_latent(clip), x0, atol=0.5) and not torch.equal(tiled.encode_latent(clip), x0)
    assert tiled.decode_latent(x0, 0.0)[0].shape == prior.decode_latent(x0, 0.0)[0].shape


# Velocity


@pytest.mark.parametrize(("version", "mode"), CASES)
def test_velocity_is_a_function_of_state_time_and_conditions(priors, folders, version, mode):
    video_format = VideoFormat(64, 32)
    clip, other = (smooth_clip(video_format, 9, seed) for seed in (0, 1))
    prior = conditioned(priors[version], mode, video_format, clip)
    x = torch.randn(prior.size, generator=torch.Generator().manual_seed(1))
    before, velocity = x.clone(), prior.velocity(x, 0.7)
    assert torch.equal(x, before) and velocity.shape == x.shape
    assert velocity.dtype == torch.float32 and velocity.isfinite().all()
    again = conditioned(LtxPrior.from_pretrained(folders[version]), mode, video_format, clip)
    assert torch.equal(velocity, again.velocity(x, 0.7))
    assert not torch.allclose(velocity, prior.velocity(x, 0.3), rtol=1e-3)
    asked = conditioned(priors[version], mode, video_format, clip, "a red fox")
    assert not torch.equal(velocity, asked.velocity(x, 0.7))
    unlike = conditioned(priors[version], mode, video_format, other)
    assert torch.equal(velocity, unlike.velocity(x, 0.7)) == (mode == "t2v")
    velocity += 1  # The codec may change the result in place.


def test_the_last_picture_counts(priors):
    video_format = VideoFormat(32, 32)
    clip, other = (smooth_clip(video_format, 9, seed) for seed in (0, 1))
    conditions = [Condition(video_format, 9, picture(clip, 0), picture(last, -1)) for last in (clip, other)]
    velocities = [priors["0.9.5"].condition(c, b"").velocity(torch.ones(LATENT_CHANNELS), 0.5) for c in conditions]
    assert not torch.equal(*velocities)


@pytest.mark.parametrize("version", MODES)
def test_the_frame_rate_counts_and_is_25_where_it_is_unknown(priors, version):
    clip = smooth_clip(VideoFormat(32, 32), 17)
    velocities = []
    for rate in (Fraction(25), Fraction(0), Fraction(60)):
        prior = conditioned(priors[version], "i2v", VideoFormat(32, 32, frame_rate=rate), clip)
        velocities.append(prior.velocity(torch.linspace(-2, 2, prior.size), 0.5))
    assert torch.equal(velocities[0], velocities[1]) and not torch.equal(velocities[0], velocities[2])


def test_lower_precision_gives_nearly_the_same_velocity(priors, folders):
    video_format = VideoFormat(64, 64)
    clip = smooth_clip(video_format, 17)
    rough = LtxPrior.from_pretrained(folders["0.9.5"], ModelOptions(dtype="bfloat16"))
    prior, rough = (conditioned(p, "flf2v", video_format, clip) for p in (priors["0.9.5"], rough))
    x = torch.randn(prior.size, generator=torch.Generator().manual_seed(1))
    velocity, other = prior.velocity(x, 0.7), rough.velocity(x, 0.7)
    assert other.dtype == torch.float32 and not torch.equal(velocity, other)
    assert (velocity - other).norm() < 0.05 * velocity.norm()


def test_conditions_that_the_model_was_not_trained_for_are_refused(priors):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    with pytest.raises(PriorError, match="mode flf2v; set mode=t2v or i2v"):
        conditioned(priors["0.9.0"], "flf2v", video_format, clip)
    with pytest.raises(PriorError, match="only a last picture"):
        priors["0.9.5"].condition(Condition(video_format, 5, None, picture(clip, -1)), b"")
    with pytest.raises(BitstreamError, match=r"\(side\)"):
        priors["0.9.5"].condition(condition_of("i2v", video_format, clip), b"\0")


# The whole codec


@pytest.mark.parametrize(("version", "mode"), CASES)
def test_a_stream_decodes_to_what_the_encoder_saw(folders, version, mode):
    clip = smooth_clip(VideoFormat(50, 34), 20)  # two GOPs, the second one shorter
    options = {"prior": f"ltx:{folders[version]}", "mode": mode, "gop": 17, "quality": 20, "preset": "fast"}
    for transition in ("ancestral", "sde"):
        extradata, packets, seen = encode(pictures_of(clip), transition=transition, **options)
        assert len(packets) == 20 and sum(not is_show(packet.data) for packet in packets) == 2
        assert same(decode(extradata, packets, prior=options["prior"]), seen)


@pytest.mark.parametrize(("version", "mode"), [("0.9.1", "i2v"), ("0.9.5", "flf2v")])
@pytest.mark.parametrize("size", [(33, 17, 1), (1, 1, 2), (17, 31, 6)])
def test_pictures_of_any_size_and_number_are_a_stream(folders, version, mode, size):
    width, height, frames = size
    clip = smooth_clip(VideoFormat(width, height), frames)
    options = {"prior": f"ltx:{folders[version]}", "mode": mode, "gop": 5, "quality": 10, "preset": "fast"}
    extradata, packets, seen = encode(pictures_of(clip), **options)
    decoded = decode(extradata, packets, prior=options["prior"])
    assert len(decoded) == frames and same(decoded, seen)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folders):
    video_format = VideoFormat(50, 34, frame_rate=Fraction(30000, 1001))
    clip = smooth_clip(video_format, 9)
    streams, expected = [], []
    for version, mode in CASES:
        seen, prior = [], f"ltx:{folders[version]}"
        options = {"prior": prior, "mode": mode, "gop": 9, "quality": 20, "preset": "fast", "prompt": "a fox"}
        encoder = Encoder(video_format, options, seen.extend)
        packets = [packet for given in [*pictures_of(clip), None] for packet in encoder.encode(given)]
        streams.append((encoder.extradata, packets, prior))
        expected.append(digest(seen))
    assert digests_in_a_fresh_process(streams) == expected


@pytest.mark.parametrize(("version", "mode"), CASES[-3:])
def test_atoms_steer_the_latent_to_the_source_and_replay_exactly(priors, version, mode):
    video_format = VideoFormat(96, 64)
    clip = smooth_clip(video_format, 9)
    prior = conditioned(priors[version], mode, video_format, clip)
    header = SequenceHeader(format=video_format, mode=mode, transition="ancestral", prior=priors[version].name)
    source, errors = prior.encode_latent(clip), []
    for stop in (sigma_level(2.0), sigma_level(0.5), sigma_level(0.1)):
        start = sigma_level(8.0)
        rule = rule_of(header, GopUnit(header=header, index=0, shown=9, start=start, stop=stop, stride=8))
        search = SearchNoise(prior, header, 0, source, matched_levels(start, stop, 8))
        coded = denoise(prior, rule, search)
        replayed = denoise(prior, rule, ReplayNoise(prior, header, 0, search.finish(), rule.noisy))
        assert torch.equal(replayed[0], coded[0]) and replayed[1] == coded[1]
        errors.append(float((finish(prior, *coded, 0.0) - source).square().mean()))
    assert errors[0] > 1.5 * errors[1] > 3 * errors[2]


# Models and streams that don't fit


def test_other_weights_than_the_streams_are_refused(folders, tmp_path):
    options = {"prior": f"ltx:{folders['0.9.0']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(32, 32), 1)), **options)
    other = build_tiny_ltx(tmp_path, "0.9.0", seed=1)
    for folder, problem in ((other, "other weights"), (folders["0.9.5"], "ltx/flf2v was given")):
        with pytest.raises(PriorError, match=problem):
            decode(extradata, packets, prior=f"ltx:{folder}")
    with pytest.raises(PriorError, match="give its weights with prior=ltx:FOLDER"):
        decode(extradata, packets)


def test_a_mode_that_the_model_lacks_is_refused_before_anything_is_coded(folders):
    with pytest.raises(OptionError, match="ltx/i2v cannot work in mode=flf2v; valid: t2v, i2v"):
        Encoder(VideoFormat(32, 32), {"prior": f"ltx:{folders['0.9.1']}", "mode": "flf2v"})


BROKEN = {
    "another pipeline": (lambda f: rewrite(f / "model_index.json", _class_name="WanPipeline"), "not an LTX-Video"),
    "no index": (lambda f: remove(f / "model_index.json"), "has no model_index.json"),
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
    "patches": (lambda f: rewrite(f / "transformer/config.json", patch_size=2), "no LTX-Video model"),
    "half a file": (lambda f: (f / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 99), "cannot load"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(tmp_path, name):
    change, problem = BROKEN[name]
    folder = build_tiny_ltx(tmp_path, "0.9.0")
    change(folder)
    with pytest.raises(PriorError, match=problem) as caught:
        open_prior(f"ltx:{folder}")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PriorError, match="there is no folder"):
        open_prior(f"ltx:{tmp_path / 'nothing'}")


def test_an_embedding_of_another_model_is_refused(tmp_path):
    """An embedding in a model's folder may belong to another model."""
    folder, clip = build_tiny_ltx(tmp_path, "0.9.0"), smooth_clip(VideoFormat(32, 32), 1)
    own = open_prior(f"ltx:{folder}").prompts("")
    own = {name: tensor.contiguous() for name, tensor in own.items()}
    shorter = {**own, "prompt_embeds": own["prompt_embeds"][..., :-1].contiguous()}
    for embedding in ({"prompt_embeds": own["prompt_embeds"]}, shorter):
        save_file(embedding, folder / EMBEDDING_FILE, {"prompt": ""})
        with pytest.raises(PriorError, match="of another model"):
            conditioned(open_prior(f"ltx:{folder}"), "t2v", VideoFormat(32, 32), clip)
    save_file(own, folder / EMBEDDING_FILE, {"prompt": ""})
    assert conditioned(open_prior(f"ltx:{folder}"), "t2v", VideoFormat(32, 32), clip).size == LATENT_CHANNELS
