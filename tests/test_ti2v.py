# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan 2.2 TI2V on tiny random weights: vectors, whole streams, and the loop beside diffusers' own pipelines."""

import numpy as np
import pytest
import torch
from beside_diffusers import image, silent_steps, watched
from clips import decode, encode
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, WanImageToVideoPipeline, WanPipeline
from smooth import grey_clip, smooth_clip
from tiny_ti2v import TI2V_CHANNELS, build_tiny_ti2v
from tiny_wan import TEXT_CHANNELS
from video_models import check_broken, check_shapes, check_stream, check_velocity, conditioned, pictures_of, remove

from gvc.encoder import Encoder
from gvc.errors import OptionError, PriorError
from gvc.media import VideoFormat
from gvc.prior import ModelOptions
from gvc.priors import open_prior

MODES = ("t2v", "i2v")
FULL_RANGE = 2
STEPS, WIDTH, HEIGHT = 4, 64, 96
GREY = VideoFormat(WIDTH, HEIGHT, color_range=FULL_RANGE)
PROMPT = "a fox runs over snow"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_tiny_ti2v(tmp_path_factory.mktemp("ti2v"))


@pytest.fixture(scope="module")
def prior(folder):
    return open_prior(f"wan:{folder}")


@pytest.fixture(scope="module")
def pipelines(folder):
    """Return diffusers' pipelines by mode; as in GVC, the text encoder is bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "default": torch.float32}
    t2v = DiffusionPipeline.from_pretrained(folder, dtype=dtypes)
    parts = {name: getattr(t2v, name) for name in ("transformer", "vae", "text_encoder", "tokenizer", "scheduler")}
    i2v = WanImageToVideoPipeline(**parts, expand_timesteps=True)
    assert isinstance(t2v, WanPipeline) and t2v.config.expand_timesteps
    return {"t2v": t2v, "i2v": i2v}


# Vectors and velocity


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(50, 35, 6), (32, 32, 1), (1, 33, 2)])
def test_any_size_and_length_comes_back_with_its_own_shape(prior, mode, size):
    width, height, frames = size
    ours = check_shapes(prior, mode, VideoFormat(width, height), frames)
    latent_frames, plane = (frames + 2) // 4 + (mode == "t2v"), -(-height // 32) * -(-width // 32) * 4
    assert ours.size == latent_frames * TI2V_CHANNELS * plane and len(ours.blocks) == latent_frames


def test_a_known_first_picture_is_no_part_of_the_vector(prior):
    """The VAE's encoder is causal, so the first latent frame depends on the first picture alone."""
    video_format = VideoFormat(64, 32)
    clip = smooth_clip(video_format, 9)
    whole, rest = (conditioned(prior, mode, video_format, clip) for mode in MODES)
    x0 = whole.encode_latent(clip)
    assert torch.equal(rest.encode_latent(clip), x0[TI2V_CHANNELS * 8 :])
    for ours, theirs in zip(
        rest.decode_latent(x0[TI2V_CHANNELS * 8 :], 0.0), whole.decode_latent(x0, 0.0), strict=True
    ):
        assert np.abs(ours[1:].astype(int) - theirs[1:]).max() <= 1  # Encoding a single picture uses other kernels.


@pytest.mark.parametrize("mode", MODES)
def test_velocity_is_a_function_of_state_time_and_conditions(prior, folder, mode):
    spec, video_format = f"wan:{folder}", VideoFormat(64, 32)
    clip, x, velocity = check_velocity(prior, open_prior(spec), mode, video_format, "a red fox")
    rough = conditioned(open_prior(spec, ModelOptions(dtype="bfloat16")), mode, video_format, clip)
    assert 0 < (velocity - rough.velocity(x, 0.7)).norm() < 0.05 * velocity.norm()


def test_tiles_give_about_the_same_pictures(prior, folder):
    video_format = VideoFormat(544, 32)  # The picture is wider than a tile, which is of 512x512 for encoding.
    clip = smooth_clip(video_format, 5)
    tiled = open_prior(f"wan:{folder}", ModelOptions(tiling=True))
    whole, parts = (conditioned(p, "t2v", video_format, clip) for p in (prior, tiled))
    latent = whole.encode_latent(clip)
    assert 0 < (parts.encode_latent(clip) - latent).abs().mean() < 0.05 * latent.std()
    for a, b in zip(whole.decode_latent(latent, 0), parts.decode_latent(latent, 0), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 2 and a.shape == b.shape


# As diffusers runs it


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", [(5, 3.0, ""), (13, 5.0, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(prior, pipelines, mode, setting):
    frames, shift, prompt = setting
    clip, pipeline, known = grey_clip(GREY, frames), pipelines[mode], int(mode == "i2v")
    latent_frames, states, theirs, mine = (frames + 3) // 4, [], [], []
    shape = (1, TI2V_CHANNELS, latent_frames, HEIGHT // 16, WIDTH // 16)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(7))
    pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    pipeline.set_progress_bar_config(disable=True)
    with watched(pipeline.transformer, theirs):
        pipeline(
            **({"image": image(clip, 0)} if known else {}),
            prompt=prompt,
            height=HEIGHT,
            width=WIDTH,
            num_frames=frames,
            num_inference_steps=STEPS,
            guidance_scale=1.0,
            latents=noise,
            output_type="latent",
            callback_on_step_end=lambda _pipeline, _step, _t, given: states.append(given["latents"]) or {},
        )
    sigmas = pipeline.scheduler.sigmas.tolist()

    def vector(latent):
        return latent[0, :, known:].transpose(0, 1).reshape(-1)

    ours = conditioned(prior, mode, GREY, clip, prompt)
    with watched(prior.network, mine):
        for x, expected in zip(silent_steps(ours, sigmas, vector(noise)), states, strict=True):
            assert torch.allclose(x, vector(expected), atol=2e-5)
    assert not torch.allclose(x, vector(noise), atol=0.1)  # The result depends on the network.
    for a, b in zip(mine[-STEPS:], theirs, strict=True):
        assert torch.allclose(a["hidden_states"], b["hidden_states"], atol=2e-5)
        assert b["timestep"].shape == (1, latent_frames * 6)
        assert a["timestep"].shape == (b["timestep"].shape if known else (1, 1))
        assert torch.equal(a["timestep"].expand_as(b["timestep"]), b["timestep"])
        assert a["encoder_hidden_states"].shape == (1, 512, TEXT_CHANNELS)
        assert torch.equal(a["encoder_hidden_states"], b["encoder_hidden_states"])


def test_pictures_are_decoded_as_in_the_pipeline(prior, pipelines):
    clip = smooth_clip(GREY, 5)
    latent = prior.encode(conditioned(prior, "t2v", GREY, clip).video(clip, 5))
    vae = pipelines["t2v"].vae
    mean, std = (torch.tensor(vae.config[key]).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
    assert torch.allclose(prior.decode(latent), vae.decode(latent / (1.0 / std) + mean).sample, atol=1e-5)


# The whole codec


@pytest.mark.parametrize(("mode", "transition"), [("t2v", "ancestral"), ("i2v", "ancestral"), ("i2v", "sde")])
def test_a_stream_decodes_to_what_the_encoder_saw(folder, mode, transition):
    """tests/test_wan.py decodes such streams in a new process, too."""
    options = {"prior": f"wan:{folder}", "mode": mode, "gop": 9, "quality": 20, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(33, 17), 12), transition=transition, **options)


# Models and modes that don't fit


def test_the_mode_that_the_model_lacks_is_refused_before_anything_is_coded(folder):
    with pytest.raises(OptionError, match=r"wan/2\.2-ti2v cannot work in mode=flf2v; valid: t2v, i2v"):
        Encoder(VideoFormat(32, 32), {"prior": f"wan:{folder}", "mode": "flf2v"})


def test_other_weights_than_the_streams_are_refused(folder, tmp_path):
    options = {"prior": f"wan:{folder}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(32, 32), 1)), **options)
    with pytest.raises(PriorError, match=r"other weights of wan/2\.2-ti2v"):
        decode(extradata, packets, prior=f"wan:{build_tiny_ti2v(tmp_path, seed=1)}")


BROKEN = {
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(tmp_path, name):
    check_broken("wan", build_tiny_ti2v(tmp_path), *BROKEN[name])
