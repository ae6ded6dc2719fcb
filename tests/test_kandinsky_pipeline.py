# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Kandinsky 5 as diffusers runs it: without noise, the codec's loop follows diffusers' own pipelines."""

import pytest
import torch
from beside_diffusers import image, silent_steps
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from smooth import condition_of, grey_clip, smooth_clip
from tiny_kandinsky import LATENT_CHANNELS, PIPELINES, build_tiny_kandinsky

from gvc.media import VideoFormat
from gvc.priors import open_prior

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT = 4, 32, 48
PROMPT = "a fox runs over snow"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {mode: build_tiny_kandinsky(tmp_path_factory.mktemp(mode), mode) for mode in PIPELINES}


@pytest.fixture(scope="module")
def priors(folders):
    return {mode: open_prior(f"kandinsky:{folder}") for mode, folder in folders.items()}


@pytest.fixture(scope="module")
def pipelines(folders):
    """Return diffusers' pipelines by mode; as in GVC, the text encoders are bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "text_encoder_2": torch.bfloat16, "default": torch.float32}
    loaded = {mode: DiffusionPipeline.from_pretrained(folder, dtype=dtypes) for mode, folder in folders.items()}
    assert all(type(pipeline) is PIPELINES[mode] for mode, pipeline in loaded.items())
    return loaded


class Run:
    """A run of diffusers' pipeline on a clip: its latents after each step, and the inputs of its network."""

    def __init__(self, pipeline, mode, clip, prompt, steps=STEPS):
        height, width = clip[0].shape[1:]
        pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=5.0)
        pipeline.set_progress_bar_config(disable=True)
        self.states, self.inputs = [], []

        def after_step(_pipeline, _step, _t, given):
            self.states.append(given["latents"].clone())
            return {}

        with watched(pipeline.transformer, self.inputs):
            pipeline(
                **({"image": image(clip, 0)} if mode == "i2v" else {}),
                prompt=prompt,
                height=height,
                width=width,
                num_frames=len(clip[0]),
                num_inference_steps=steps,
                guidance_scale=1.0,
                generator=torch.Generator().manual_seed(7),
                output_type="latent",
                callback_on_step_end=after_step,
            )
        self.sigmas = pipeline.scheduler.sigmas.tolist()


def watched(network, seen):
    """Append copies of the arguments of each call of a network to `seen`; the pipelines change theirs in place."""

    def keep(_module, _args, given):
        seen.append({name: value.clone() if torch.is_tensor(value) else value for name, value in given.items()})

    return network.register_forward_pre_hook(keep, with_kwargs=True)


def vector(latents, mode):
    """Return the codec's vector from a pipeline's latents [1, T', H', W', *], whose first channels are the state."""
    return latents[0, mode == "i2v" :, :, :, :LATENT_CHANNELS].permute(0, 3, 1, 2).reshape(-1)


def clip_and_condition(mode, width, height, frames, prompt):
    video_format = VideoFormat(width, height, color_range=FULL_RANGE)
    clip = grey_clip(video_format, frames)
    return clip, condition_of(mode, video_format, clip, prompt)


def inputs_are_equal(mine, theirs):
    assert mine["hidden_states"].shape[-1] == 2 * LATENT_CHANNELS + 1
    assert torch.allclose(mine["hidden_states"], theirs["hidden_states"], atol=2e-5)
    assert torch.equal(mine["hidden_states"][..., LATENT_CHANNELS:], theirs["hidden_states"][..., LATENT_CHANNELS:])
    assert torch.allclose(mine["timestep"], theirs["timestep"], rtol=1e-6)
    assert mine["timestep"].shape == theirs["timestep"].shape == (1,)
    for name in ("encoder_hidden_states", "pooled_projections", "text_rope_pos"):
        assert torch.equal(mine[name], theirs[name])
    for ours, other in zip(mine["visual_rope_pos"], theirs["visual_rope_pos"], strict=True):
        assert torch.equal(ours, other)
    assert mine["scale_factor"] == theirs["scale_factor"] and theirs["sparse_params"] is None


@pytest.mark.filterwarnings("ignore:std")  # The pipeline for I2V takes the deviation of no values in short videos.
@pytest.mark.parametrize("mode", PIPELINES)
@pytest.mark.parametrize(("frames", "prompt"), [(5, ""), (13, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, pipelines, mode, frames, prompt):
    clip, condition = clip_and_condition(mode, WIDTH, HEIGHT, frames, prompt)
    ours = priors[mode].condition(condition, b"")
    theirs, seen = Run(pipelines[mode], mode, clip, prompt), []
    noise = vector(theirs.inputs[0]["hidden_states"], mode)
    assert len(noise) == ours.size and len(theirs.states) == len(theirs.inputs) == STEPS
    with watched(priors[mode].network, seen):
        for x, expected in zip(silent_steps(ours, theirs.sigmas, noise), theirs.states, strict=True):
            assert torch.allclose(x, vector(expected, mode), atol=2e-5)
    assert not torch.allclose(x, noise, atol=0.1)  # The result depends on the network.
    for mine, other in zip(seen[-STEPS:], theirs.inputs, strict=True):
        inputs_are_equal(mine, other)
        assert mine["hidden_states"][0, :, :, :, -1].sum() == (mode == "i2v") * (HEIGHT // 8) * (WIDTH // 8)


@pytest.mark.parametrize("size", [(480, 480), (464, 480), (480, 464), (864, 480)])
def test_the_distance_of_tokens_follows_the_size_of_pictures(priors, pipelines, size):
    clip, condition = clip_and_condition("t2v", *size, 1, "")
    ours, theirs, seen = priors["t2v"].condition(condition, b""), Run(pipelines["t2v"], "t2v", clip, "", 1), []
    with watched(priors["t2v"].network, seen):
        ours.velocity(vector(theirs.inputs[0]["hidden_states"], "t2v"), 1.0)
    inputs_are_equal(seen[0], theirs.inputs[0])
    assert seen[0]["scale_factor"][0] == 1


def test_pictures_are_decoded_as_in_the_pipeline(priors, pipelines):
    video_format = VideoFormat(WIDTH, HEIGHT)
    clip, vae = smooth_clip(video_format, 5), pipelines["t2v"].vae
    prior, scale = priors["t2v"], vae.config.scaling_factor
    rgb = prior.condition(condition_of("t2v", video_format, clip), b"").video(clip, 5)
    latent = prior.encode(rgb)
    with torch.no_grad():
        assert torch.allclose(latent, vae.encode(rgb).latent_dist.mode() * scale, atol=1e-6)
        assert torch.allclose(prior.decode(latent), vae.decode(latent / scale).sample, atol=1e-4)
