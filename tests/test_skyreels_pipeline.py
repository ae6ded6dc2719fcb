# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""SkyReels-V2 DF as diffusers runs it: without noise, the codec's loop follows diffusers' own pipelines."""

from fractions import Fraction

import pytest
import torch
from beside_diffusers import image, silent_steps, watched
from diffusers import (
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    SkyReelsV2DiffusionForcingImageToVideoPipeline,
    SkyReelsV2DiffusionForcingPipeline,
)
from smooth import condition_of, grey_clip
from tiny_skyreels import KNOWS_RATE, build_tiny_skyreels
from tiny_wan import LATENT_CHANNELS, TEXT_CHANNELS

from gvc.media import VideoFormat
from gvc.priors.skyreels import MODES, SkyReelsPrior

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT = 4, 32, 48
PROMPT = "a fox runs over snow"
FRAMES = {"t2v": 0, "i2v": 1, "flf2v": 2}  # known latent frames that the network sees


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {size: build_tiny_skyreels(tmp_path_factory.mktemp("skyreels"), size) for size in KNOWS_RATE}


@pytest.fixture(scope="module")
def priors(folders):
    return {size: SkyReelsPrior.from_pretrained(folder) for size, folder in folders.items()}


@pytest.fixture(scope="module")
def components(folders):
    """Return the components of diffusers' pipelines; as in GVC, the text encoder is bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "default": torch.float32}
    return {s: DiffusionPipeline.from_pretrained(p, dtype=dtypes).components for s, p in folders.items()}


class WholeTimes(FlowMatchEulerDiscreteScheduler):
    """Euler steps at times that are whole numbers, as which the pipelines pass them on."""

    def set_timesteps(self, steps, device=None):
        super().set_timesteps(sigmas=[1 - i / steps for i in range(steps)], device=device)

    def step(self, output, timestep, sample, **given):
        return super().step(output, timestep.float(), sample, **given)


class Run:
    """A run of diffusers' pipeline on a clip: its latents after each step, and the inputs of its network."""

    def __init__(self, components, mode, clip, rate, prompt):
        known, pipeline_class = {}, SkyReelsV2DiffusionForcingPipeline
        if mode != "t2v":
            known, pipeline_class = {"image": image(clip, 0)}, SkyReelsV2DiffusionForcingImageToVideoPipeline
        if mode == "flf2v":
            known["last_image"] = image(clip, -1)
        pipeline = pipeline_class(**components)
        pipeline.scheduler = WholeTimes()
        pipeline.set_progress_bar_config(disable=True)
        self.states, self.inputs = [], []

        def after_step(_pipeline, _step, _t, given):
            self.states.append(given["latents"].clone())
            return {}

        with watched(pipeline.transformer, self.inputs):
            pipeline(
                prompt=prompt,
                height=HEIGHT,
                width=WIDTH,
                num_frames=len(clip[0]),
                num_inference_steps=STEPS,
                guidance_scale=1.0,
                generator=torch.Generator().manual_seed(7),
                fps=rate,
                output_type="latent",
                callback_on_step_end=after_step,
                **known,
            )
        self.sigmas = [1 - i / STEPS for i in range(STEPS + 1)]


def unknown(latents, mode):
    """Return the codec's vector from a pipeline's latents, in which known pictures come first and last."""
    known = FRAMES[mode]
    return latents[0, :, min(known, 1) : latents.shape[2] - max(known - 1, 0)].transpose(0, 1).reshape(-1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", [("1.3b", 5, 24, ""), ("1.3b", 13, 16, PROMPT), ("14b", 9, 24, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, components, mode, setting):
    size, frames, rate, prompt = setting
    video_format = VideoFormat(WIDTH, HEIGHT, frame_rate=Fraction(rate), color_range=FULL_RANGE)
    clip = grey_clip(video_format, frames)
    ours = priors[size].condition(condition_of(mode, video_format, clip, prompt), b"")
    theirs, seen = Run(components[size], mode, clip, rate, prompt), []
    noise = unknown(theirs.inputs[0]["hidden_states"], mode)
    assert len(noise) == ours.size and len(theirs.states) == len(theirs.inputs) == STEPS
    with watched(priors[size].network, seen):
        for x, expected in zip(silent_steps(ours, theirs.sigmas, noise), theirs.states, strict=True):
            assert torch.allclose(x, unknown(expected, mode), atol=2e-5)
    assert not torch.allclose(x, noise, atol=0.1)  # The result depends on the network.
    latent_frames = (frames + 3) // 4 + (mode == "flf2v")
    for mine, other in zip(seen[-STEPS:], theirs.inputs, strict=True):
        assert mine["hidden_states"].shape == (1, LATENT_CHANNELS, latent_frames, HEIGHT // 8, WIDTH // 8)
        assert torch.allclose(mine["hidden_states"], other["hidden_states"], atol=2e-5)
        assert mine["timestep"].shape == (1, latent_frames)
        assert torch.equal(mine["timestep"], other["timestep"].float())
        assert (mine["timestep"] == 0).sum() == FRAMES[mode]
        assert mine["fps"] == other["fps"] and mine["enable_diffusion_forcing"] is other["enable_diffusion_forcing"]
        assert mine["encoder_hidden_states"].shape == (1, 512, TEXT_CHANNELS)
        assert torch.equal(mine["encoder_hidden_states"], other["encoder_hidden_states"])
