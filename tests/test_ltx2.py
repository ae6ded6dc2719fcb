# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The LTX-2 prior on tiny random weights: vectors, velocity, whole streams, and models that it cannot use."""

import shutil
from fractions import Fraction

import pytest
import torch
from clips import decode, encode
from safetensors.torch import load_file, save_file
from smooth import condition_of, picture, smooth_clip
from tiny_ltx2 import LATENT_CHANNELS, VERSIONS, build_tiny_ltx2, video_vae
from video_models import (
    check_broken,
    check_in_a_fresh_process,
    check_shapes,
    check_stream,
    check_velocity,
    conditioned,
    pictures_of,
    remove,
    rewrite,
)

from gvc.errors import BitstreamError, PriorError
from gvc.media import VideoFormat
from gvc.prior import Condition, ModelOptions
from gvc.priors import open_prior
from gvc.priors.ltx2 import Ltx2Prior
from gvc.priors.ltx2_network import SOUND_PARTS

MODES = ("t2v", "i2v", "flf2v")


@pytest.fixture(scope="module")
def folders(ltx2_folders):
    return ltx2_folders


@pytest.fixture(scope="module")
def priors(ltx2_priors):
    return ltx2_priors


@pytest.fixture(scope="module")
def prior(priors):
    return priors["2.3"]


def test_all_versions_have_one_name_and_all_modes(priors):
    known = [priors[version] for version in VERSIONS]
    assert {(prior.name, prior.modes) for prior in known} == {("ltx2/all", MODES)}
    assert len({prior.weights_hash for prior in known}) == len(VERSIONS)


# Vectors


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(50, 35, 10), (32, 32, 1), (1, 33, 3)])
def test_any_size_and_length_comes_back_with_its_own_shape(prior, mode, size):
    width, height, frames = size
    shown = "i2v" if mode == "flf2v" and frames == 1 else mode
    ours = check_shapes(prior, shown, VideoFormat(width, height), frames)
    assert len(ours.blocks) == (frames + 6) // 8 + (mode == "t2v")


def test_only_the_first_latent_frame_is_left_out_of_the_vector(prior):
    """The VAE is causal, so that frame depends on the first picture alone. The last one shares its latent frame."""
    video_format = VideoFormat(64, 32)
    clip = smooth_clip(video_format, 17)
    x0 = conditioned(prior, "t2v", video_format, clip).encode_latent(clip)
    for mode in ("i2v", "flf2v"):
        rest = conditioned(prior, mode, video_format, clip)
        assert torch.equal(rest.encode_latent(clip), x0[LATENT_CHANNELS * 2 :])
        assert len(rest.tail) == LATENT_CHANNELS and rest.tail[-1].stop == rest.size


# Velocity


@pytest.mark.parametrize("mode", MODES)
def test_velocity_is_a_function_of_state_time_and_conditions(prior, folders, mode):
    check_velocity(prior, Ltx2Prior.from_pretrained(folders["2.3"]), mode, VideoFormat(64, 32), "a fox")


def test_the_last_picture_counts(prior):
    video_format = VideoFormat(32, 32)
    clip, other = (smooth_clip(video_format, 9, seed) for seed in (0, 1))
    conditions = [Condition(video_format, 9, picture(clip, 0), picture(last, -1)) for last in (clip, other)]
    assert not torch.equal(*(prior.condition(c, b"").velocity(torch.ones(LATENT_CHANNELS), 0.5) for c in conditions))


def test_the_frame_rate_counts_and_is_24_where_it_is_unknown(prior):
    clip, velocities = smooth_clip(VideoFormat(32, 32), 17), []
    for rate in (Fraction(24), Fraction(0), Fraction(60)):
        ours = conditioned(prior, "flf2v", VideoFormat(32, 32, frame_rate=rate), clip)
        velocities.append(ours.velocity(torch.linspace(-2, 2, ours.size), 0.5))
    assert torch.equal(velocities[0], velocities[1]) and not torch.equal(velocities[0], velocities[2])


def test_lower_precision_gives_nearly_the_same_velocity(prior, folders):
    video_format = VideoFormat(64, 64)
    clip = smooth_clip(video_format, 17)
    rough = Ltx2Prior.from_pretrained(folders["2.3"], ModelOptions(dtype="bfloat16"))
    ours, rough = (conditioned(p, "flf2v", video_format, clip) for p in (prior, rough))
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(1))
    velocity, other = ours.velocity(x, 0.7), rough.velocity(x, 0.7)
    assert other.dtype == torch.float32 and not torch.equal(velocity, other)
    assert (velocity - other).norm() < 0.05 * velocity.norm()


def test_conditions_that_the_model_cannot_have_are_refused(prior):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    with pytest.raises(PriorError, match="only a last picture; set mode=t2v or i2v or flf2v"):
        prior.condition(Condition(video_format, 5, None, picture(clip, -1)), b"")
    with pytest.raises(BitstreamError, match=r"\(side\)"):
        prior.condition(condition_of("i2v", video_format, clip), b"\0")


# What is loaded


def test_weights_that_only_sound_needs_are_neither_loaded_nor_needed(priors, folders, tmp_path):
    """Files without these weights are of use as well, though they are another model."""
    video_format = VideoFormat(32, 32)
    clip, x = smooth_clip(video_format, 9), torch.ones(LATENT_CHANNELS)
    whole = priors["2.3"]
    folder = shutil.copytree(folders["2.3"], tmp_path / "m")
    path = folder / "transformer/diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    kept = {name: tensor for name, tensor in weights.items() if not set(name.split(".")) & set(SOUND_PARTS)}
    assert set(kept) == {name for name, _ in whole.network.named_parameters()} < set(weights)
    save_file(kept, path, {"format": "pt"})
    partial = open_prior(f"ltx2:{folder}")
    velocities = [conditioned(prior, "flf2v", video_format, clip).velocity(x, 0.5) for prior in (whole, partial)]
    assert torch.equal(*velocities) and partial.weights_hash != whole.weights_hash


def test_an_embedding_depends_on_the_connectors(prior, folders, tmp_path):
    """A prompt that was embedded once needs neither them nor the text encoder, unless one of them has changed."""
    folder = shutil.copytree(folders["2.3"], tmp_path / "m")
    known = prior.prompts("a fox")["prompt_embeds"]
    other = build_tiny_ltx2(tmp_path / "other", "2.3", seed=1)
    shutil.copytree(other / "connectors", folder / "connectors", dirs_exist_ok=True)
    assert not torch.equal(open_prior(f"ltx2:{folder}").prompts("a fox")["prompt_embeds"], known)
    shutil.rmtree(folder / "connectors")
    with pytest.raises(PriorError, match=r"neither connectors/ nor an embedding .* fetch connectors/ of the model too"):
        open_prior(f"ltx2:{folder}").prompts("a dog")


# The whole codec


@pytest.mark.parametrize(
    ("version", "mode", "extra"),
    [("2.0", "t2v", {}), ("2.3", "i2v", {"transition": "sde"}), ("2.5", "flf2v", {"lowres_steps": 2})],
)
def test_a_stream_decodes_to_what_the_encoder_saw(folders, version, mode, extra):
    options = {"prior": f"ltx2:{folders[version]}", "mode": mode, "gop": 9, "quality": 5, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(65, 17), 12), **options, **extra)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folders):
    cases = [(f"ltx2:{folders[version]}", mode) for version, mode in zip(VERSIONS, MODES, strict=True)]
    video_format = VideoFormat(34, 18, frame_rate=Fraction(30000, 1001))
    check_in_a_fresh_process(cases, video_format, 9, quality=5, prompt="a fox")


# Models and streams that don't fit


def test_other_weights_than_the_streams_are_refused(folders):
    options = {"prior": f"ltx2:{folders['2.3']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(32, 32), 1)), **options)
    with pytest.raises(PriorError, match="other weights of ltx2/all"):
        decode(extradata, packets, prior=f"ltx2:{folders['2.5']}")
    with pytest.raises(PriorError, match="give its weights with prior=ltx2:FOLDER"):
        decode(extradata, packets)


BROKEN = {
    "another pipeline": (lambda f: rewrite(f / "model_index.json", _class_name="LTXPipeline"), "not an LTX-2 model"),
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
    "strides": (lambda f: rewrite(f / "transformer/config.json", vae_scale_factors=[4, 32, 32]), "no LTX-2 that"),
    "a time": (lambda f: video_vae(timestep_conditioning=True).save_pretrained(f / "vae"), "a VAE that takes a time"),
    "noise": (lambda f: video_vae(decoder_inject_noise=True).save_pretrained(f / "vae"), "a VAE that adds noise"),
    "fewer weights": (lambda f: rewrite(f / "transformer/config.json", num_layers=3), "lacks the weights"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(folders, tmp_path, name):
    check_broken("ltx2", shutil.copytree(folders["2.0"], tmp_path / "m"), *BROKEN[name])


def test_an_embedding_of_another_version_is_refused(priors, folders, tmp_path):
    """A folder may hold an embedding, and LTX-2 takes narrower ones than its successors."""
    folder = shutil.copytree(folders["2.3"], tmp_path / "m")
    embedding = {name: tensor.contiguous() for name, tensor in priors["2.0"].prompts("").items()}
    save_file(embedding, folder / "gvc_prompt_embedding.safetensors", {"prompt": ""})
    with pytest.raises(PriorError, match="of another model than ltx2/all"):
        conditioned(open_prior(f"ltx2:{folder}"), "t2v", VideoFormat(32, 32), smooth_clip(VideoFormat(32, 32), 1))
