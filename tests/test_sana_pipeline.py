# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""SANA-Video as diffusers runs it: without noise, the codec's loop follows diffusers' own pipelines."""

import pytest
import torch
from beside_diffusers import image, silent_steps, watched
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, SanaImageToVideoPipeline, SanaVideoPipeline
from smooth import condition_of, grey_clip
from tiny_sana import SHAPES, build_tiny_sana
from tiny_wan import TEXT_CHANNELS

from gvc.media import VideoFormat
from gvc.priors.sana import MODES, SanaPrior

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT = 4, 64, 96
FORMAT = VideoFormat(WIDTH, HEIGHT, color_range=FULL_RANGE)
PROMPT = "a fox runs over snow"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {size: build_tiny_sana(tmp_path_factory.mktemp("sana"), size) for size in SHAPES}


@pytest.fixture(scope="module")
def priors(folders):
    return {size: SanaPrior.from_pretrained(folder) for size, folder in folders.items()}


@pytest.fixture(scope="module")
def components(folders):
    """Return the components of diffusers' pipelines; as in GVC, the text encoder is bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "default": torch.float32}
    return {s: DiffusionPipeline.from_pretrained(p, dtype=dtypes).components for s, p in folders.items()}


class Run:
    """A run of diffusers' pipeline on a clip: its states, sigmas, the inputs of its network, and its video."""

    def __init__(self, components, mode, clip, noise, *, prompt, shift=3.0, output="latent"):
        pipeline_class = {"t2v": SanaVideoPipeline, "i2v": SanaImageToVideoPipeline}[mode]
        components = components | {"scheduler": FlowMatchEulerDiscreteScheduler(shift=shift)}
        pipeline = pipeline_class(**components)
        pipeline.set_progress_bar_config(disable=True)
        self.states, self.inputs = [], []
        with watched(pipeline.transformer, self.inputs):
            (self.video,) = pipeline(
                prompt=prompt,
                height=HEIGHT,
                width=WIDTH,
                frames=len(clip[0]),
                num_inference_steps=STEPS,
                guidance_scale=1.0,
                latents=noise.clone(),
                use_resolution_binning=False,
                output_type=output,
                return_dict=False,
                callback_on_step_end=lambda _pipeline, _step, _t, given: self.states.append(given["latents"]) or {},
                **({} if prompt else {"complex_human_instruction": None}),
                **({"image": image(clip, 0)} if mode == "i2v" else {}),
            )
        self.sigmas = pipeline.scheduler.sigmas.tolist()


def noise_for(size, frames):
    """Return the shape of the latent of a clip, and noise of this shape."""
    channels, time, scale, _ = SHAPES[size]
    shape = (1, channels, (frames - 1) // time + 1, HEIGHT // scale, WIDTH // scale)
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", [("480p", 5, 3.0, ""), ("480p", 13, 8.0, PROMPT), ("720p", 17, 5.0, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, components, mode, setting):
    size, frames, shift, prompt = setting
    clip, noise, known = grey_clip(FORMAT, frames), noise_for(size, frames), int(mode == "i2v")
    theirs, mine = Run(components[size], mode, clip, noise, prompt=prompt, shift=shift), []

    def vector(latent):
        return latent[0, :, known:].transpose(0, 1).reshape(-1)

    ours = priors[size].condition(condition_of(mode, FORMAT, clip, prompt), b"")
    assert len(theirs.states) == len(theirs.inputs) == STEPS
    with watched(priors[size].network, mine):
        for state, expected in zip(silent_steps(ours, theirs.sigmas, vector(noise)), theirs.states, strict=True):
            assert torch.allclose(state, vector(expected), atol=2e-5)
    assert not torch.allclose(state, vector(noise), atol=0.1)  # The result depends on the network.
    tokens = noise[0, 0].numel() // SHAPES[size][3] ** 2
    for a, b in zip(mine[-STEPS:], theirs.inputs, strict=True):
        assert a["timestep"].shape == ((1, tokens) if known else (1, 1))
        assert torch.equal(a["timestep"].flatten(), b["timestep"].flatten())
        assert (a["timestep"] == 0).sum() == known * tokens // noise.shape[2]
        assert a["encoder_hidden_states"].shape == (1, 300, TEXT_CHANNELS)
        assert torch.equal(a["encoder_hidden_states"], b["encoder_hidden_states"])
        assert torch.equal(a["encoder_attention_mask"], b["encoder_attention_mask"])
        assert a["encoder_attention_mask"].sum() == (len(prompt) + 2 if prompt else 1)


@pytest.mark.parametrize("size", SHAPES)
def test_pictures_are_decoded_as_in_the_pipeline(priors, components, size):
    clip, noise = grey_clip(FORMAT, 9), noise_for(size, 9)
    theirs = Run(components[size], "i2v", clip, noise, prompt=PROMPT, output="pt")
    ours = (priors[size].decode(theirs.states[-1]) / 2 + 0.5).clamp(0, 1)
    assert ours.std() > 0.01 and torch.allclose(ours, theirs.video.transpose(1, 2), atol=1e-5)
