# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan as diffusers runs it: without noise, the codec's loop follows diffusers' own pipelines."""

import math
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import pytest
import torch
from beside_diffusers import OneNoise, image, silent_steps, watched
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, WanVACEPipeline
from lazily import Lazily
from PIL import Image
from smooth import condition_of, grey_clip, picture, smooth_clip
from tiny_wan import BOUNDARIES, CASES, CLIP_CHANNELS, CLIP_TOKENS, FLAVOURS, TEXT_CHANNELS
from transformers import CLIPImageProcessorPil

from gvc.loop.denoise import Rule, denoise
from gvc.loop.transition import ode
from gvc.media import VideoFormat
from gvc.pictures.rgb import to_rgb
from gvc.priors.umt5 import text_input

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT = 4, 32, 48
FORMAT = VideoFormat(WIDTH, HEIGHT, color_range=FULL_RANGE)
PROMPT = "a fox runs over snow"


@pytest.fixture(scope="module")
def pipelines(wan_folders):
    """Return diffusers' own pipelines with the tiny models, by kind."""
    return Lazily(lambda kind: load_pipeline(wan_folders[kind]))


def load_pipeline(folder):
    pipeline = DiffusionPipeline.from_pretrained(
        folder, dtype={"text_encoder": torch.bfloat16, "default": torch.float32}
    )
    pipeline.set_progress_bar_config(disable=True)
    if (folder / "image_processor").is_dir():  # With torchvision installed, transformers would use another one.
        processor = CLIPImageProcessorPil.from_pretrained(folder / "image_processor")
        pipeline.register_modules(image_processor=processor)
    return pipeline


class Run:
    """A run of diffusers' pipeline on a clip: its latents after each step, sigmas, and its networks' inputs by name."""

    def __init__(self, pipeline, mode, clip, noise, *, prompt, shift=3.0):
        self.states, self.inputs = [], {"transformer": [], "transformer_2": []}
        pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
        with ExitStack() as watches:
            for name, seen in self.inputs.items():
                if getattr(pipeline, name, None) is not None:
                    watches.enter_context(watched(getattr(pipeline, name), seen))
            pipeline(
                prompt=prompt,
                height=HEIGHT,
                width=WIDTH,
                num_frames=len(clip[0]),
                num_inference_steps=STEPS,
                guidance_scale=1.0,
                latents=noise,
                output_type="latent",
                callback_on_step_end=lambda _pipeline, _step, _t, given: self.states.append(given["latents"]) or {},
                **known_pictures(pipeline, mode, clip),
            )
        self.sigmas = pipeline.scheduler.sigmas.tolist()


def known_pictures(pipeline, mode, clip):
    """Return the arguments that show a pipeline the known pictures of a grey clip."""
    known = {"t2v": [], "i2v": [0], "flf2v": [0, len(clip[0]) - 1]}[mode]
    if isinstance(pipeline, WanVACEPipeline):
        video = torch.full((1, len(clip[0]), 3, HEIGHT, WIDTH), 0.5)
        mask = torch.ones_like(video)
        for i in known:
            video[:, i], mask[:, i] = torch.from_numpy(clip[0][i]) / 255, 0
        return {"video": video, "mask": mask} if known else {}
    images = [image(clip, i) for i in known]
    return dict(zip(("image", "last_image"), images, strict=False))


def vector(latent):
    return latent[0].transpose(0, 1).reshape(-1)


@pytest.mark.parametrize(("kind", "mode"), CASES)
@pytest.mark.parametrize("setting", [(5, 3.0, ""), (13, 5.0, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(wan_priors, pipelines, kind, mode, setting):
    frames, shift, prompt = setting
    clip = grey_clip(FORMAT, frames)
    ours = wan_priors[kind].condition(condition_of(mode, FORMAT, clip, prompt), b"")
    noise = torch.randn(1, 16, (frames + 3) // 4, HEIGHT // 8, WIDTH // 8, generator=torch.Generator().manual_seed(7))
    theirs = Run(pipelines[kind], mode, clip, noise, prompt=prompt, shift=shift)
    assert len(theirs.states) == STEPS and theirs.sigmas[0] == 1 and theirs.sigmas[-1] == 0
    assert bool(theirs.inputs["transformer_2"]) == (kind in BOUNDARIES) and theirs.inputs["transformer"]
    for x, expected in zip(silent_steps(ours, theirs.sigmas, vector(noise)), theirs.states, strict=True):
        assert torch.allclose(x, vector(expected), atol=2e-5)
    assert not torch.allclose(vector(theirs.states[-1]), vector(noise), atol=0.1)  # The result depends on the network.


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_the_network_is_given_what_the_pipeline_gives_it(wan_priors, pipelines, kind, mode):
    prompt = "&amp; a  broken\u00e2\u20ac\u2122 text " * 100
    clip = grey_clip(FORMAT, 9)
    noise = torch.ones(1, 16, 3, HEIGHT // 8, WIDTH // 8)
    theirs = Run(pipelines[kind], mode, clip, noise, prompt=prompt).inputs
    ours = wan_priors[kind].condition(condition_of(mode, FORMAT, clip, prompt), b"")
    for network, t in (("transformer", 1.0), ("transformer_2", 0.1)):
        if theirs[network]:
            with watched(wan_priors[kind].network_at(t), seen := []):
                ours.velocity(vector(noise), t)
            check_inputs(seen[0], theirs[network][0], kind, images={"t2v": 0, "i2v": 1, "flf2v": 2}[mode])
            if t == 1:
                assert torch.allclose(seen[0]["hidden_states"], theirs[network][0]["hidden_states"], atol=1e-6)
                assert torch.equal(seen[0]["timestep"], theirs[network][0]["timestep"])


def check_inputs(ours, theirs, kind, images):
    """Check all inputs of a network that don't change from step to step.

    images: number of pictures that it was shown.
    """
    assert ours["encoder_hidden_states"].shape == (1, 512, TEXT_CHANNELS)
    assert torch.equal(ours["encoder_hidden_states"], theirs["encoder_hidden_states"])
    channels = 36 if kind.endswith(("i2v", "flf2v")) else 16
    assert ours["hidden_states"].shape[1] == channels
    assert torch.allclose(ours["hidden_states"][:, 16:], theirs["hidden_states"][:, 16:], atol=1e-6)
    embedded, expected = (given.get("encoder_hidden_states_image") for given in (ours, theirs))
    if kind in ("i2v", "flf2v"):
        assert embedded.shape == (images, CLIP_TOKENS, CLIP_CHANNELS) and torch.equal(embedded, expected)
    else:
        assert embedded is None and expected is None
    if kind.endswith("vace"):
        assert ours["control_hidden_states"].shape[1] == 2 * 16 + 64
        assert torch.allclose(ours["control_hidden_states"], theirs["control_hidden_states"], atol=1e-6)
        assert (theirs["control_hidden_states_scale"] == 1).all()  # Without a scale the network takes 1.
        assert "control_hidden_states_scale" not in ours


def test_text_is_followed_by_zeros(wan_priors):
    lengths = [int(text_input(wan_priors["t2v"], prompt)[0].any(-1).sum()) for prompt in ("", "fox", PROMPT)]
    assert lengths[0] == 1 < lengths[1] < lengths[2] < 512  # The end of the text is a token, too.


@pytest.mark.parametrize("flavour", ["i2v", "flf2v"])
@pytest.mark.parametrize("frames", [5, 13])
def test_coloured_boundaries_enter_as_in_the_pipeline(wan_priors, pipelines, flavour, frames):
    clip, last = smooth_clip(FORMAT, frames), flavour == "flf2v"
    indices = [0, frames - 1][: 1 + last]
    pictures = [to_rgb(tuple(plane[None] for plane in picture(clip, i)), FORMAT)[:, :, 0] for i in indices]
    pipeline, seen = pipelines[flavour], []
    _, boundaries = pipeline.prepare_latents(
        pictures[0], 1, 16, HEIGHT, WIDTH, frames, torch.float32, "cpu", last_image=pictures[1] if last else None
    )
    bytes_ = [((p[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8) for p in pictures]
    embeddings = pipeline.encode_image([Image.fromarray(rgb) for rgb in bytes_])
    with watched(wan_priors[flavour].network, seen):
        ours = wan_priors[flavour].condition(condition_of(flavour, FORMAT, clip), b"")
        ours.velocity(ours.zeros(), 0.5)
    assert torch.allclose(seen[0]["hidden_states"][:, 16:], boundaries, atol=1e-6)
    assert torch.allclose(seen[0]["encoder_hidden_states_image"], embeddings, atol=1e-6)


@pytest.mark.parametrize("mode", ["i2v", "flf2v"])
def test_coloured_boundaries_enter_the_control_as_in_the_pipeline(wan_priors, pipelines, mode):
    clip, pipeline = smooth_clip(FORMAT, 13), pipelines["vace"]
    video, mask = to_rgb(clip, FORMAT), torch.ones(1, 3, 13, HEIGHT, WIDTH)
    mask[:, :, [0, -1] if mode == "flf2v" else 0] = 0
    latents = pipeline.prepare_video_latents(video * (1 - mask), mask, [[]], device="cpu")
    expected = torch.cat((latents, pipeline.prepare_masks(mask, [[]])), dim=1)
    ours = wan_priors["vace"].condition(condition_of(mode, FORMAT, clip), b"")
    assert torch.allclose(ours.arguments["control_hidden_states"], expected, atol=1e-6)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_pictures_are_decoded_as_in_the_pipeline(wan_priors, pipelines, flavour):
    """Both decode the same latent of the pipeline, whose pictures are floats in [0, 1]."""
    clip = smooth_clip(FORMAT, 5)
    ours = wan_priors[flavour].condition(condition_of(flavour, FORMAT, clip), b"")
    x0 = ours.encode_latent(clip)
    pipeline = pipelines[flavour]
    latent = x0.view(ours.shape).transpose(0, 1)[None]
    mean, std = (torch.tensor(pipeline.vae.config[key]).view(1, 16, 1, 1, 1) for key in ("latents_mean", "latents_std"))
    video = pipeline.vae.decode(latent / (1.0 / std) + mean, return_dict=False)[0]
    expected = pipeline.video_processor.postprocess_video(video, output_type="pt")[0] * 2 - 1
    assert torch.allclose(wan_priors[flavour].decode(latent)[0].transpose(0, 1), expected, atol=1e-5)


def test_velocity_is_that_of_the_flow_from_data_to_noise(wan_priors):
    """x_t = (1 - t) x0 + t eps moves by eps - x0 per unit of time, so such a network leads any x_t to x0."""
    prior = wan_priors["t2v"]
    ours = prior.condition(condition_of("t2v", FORMAT, smooth_clip(FORMAT, 5)), b"")
    generator = torch.Generator().manual_seed(3)
    x0, noise = (torch.randn(ours.size, generator=generator) for _ in range(2))
    scale = prior.network.register_forward_hook(lambda _m, _a, _out: (unvector(noise - x0, ours.shape),))
    with scale:
        times = [1 - i / STEPS for i in range(1, STEPS + 1)]
        x, _ = denoise(ours, Rule(times, ode, silent=STEPS), OneNoise(noise))
        assert all(math.isclose(a - b, 1 / STEPS) for a, b in pairwise([1.0, *times]))
    assert torch.allclose(x, x0, atol=1e-5)


def unvector(x, shape):
    return x.view(shape).transpose(0, 1)[None]
