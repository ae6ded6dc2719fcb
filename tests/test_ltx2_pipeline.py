# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LTX-2 as diffusers runs it: without noise, the codec's loop follows diffusers' own pipeline."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from beside_diffusers import image, silent_steps, watched
from diffusers import DiffusionPipeline, LTX2ConditionPipeline, LTX2DFRPipeline
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from smooth import condition_of, grey_clip, picture, smooth_clip
from tiny_ltx2 import LATENT_CHANNELS, SOUND_CHANNELS, SOUND_WIDTH, TEXT_CHANNELS, VERSIONS, sound_vae

from gvc.media import VideoFormat
from gvc.pictures.rgb import from_rgb
from gvc.priors.ltx2 import MODES

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT, RATE = 3, 64, 96, 30
FORMAT = VideoFormat(WIDTH, HEIGHT, frame_rate=Fraction(RATE), color_range=FULL_RANGE)
PLANE = (HEIGHT // 32) * (WIDTH // 32)  # tokens of a latent frame
PROMPT = "a fox"


@pytest.fixture(scope="module")
def priors(ltx2_priors):
    return ltx2_priors


@pytest.fixture(scope="module")
def components(ltx2_folders):
    """Return the components of diffusers' pipelines; as in GVC, text encoder and connectors are bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "connectors": torch.bfloat16, "default": torch.float32}
    sound = {"audio_vae": sound_vae(), "vocoder": None}
    load = partial(DiffusionPipeline.from_pretrained, dtype=dtypes, **sound)
    return {version: load(ltx2_folders[version]).components for version in VERSIONS}


class Given(torch.nn.Module):
    """Connectors that return an embedding. It is float32, because the pipelines compute in the dtype of a prompt."""

    device = torch.device("cpu")

    def __init__(self, embedding, sound_channels):
        super().__init__()
        self.text, self.mask = embedding["prompt_embeds"].float(), embedding["prompt_attention_mask"]
        self.sound_channels = sound_channels

    def forward(self, states, _mask, **_):
        return self.text, states.new_zeros(1, self.text.shape[1], self.sound_channels), self.mask


class LastPicture(LTX2ConditionPipeline):
    """Diffusers' pipeline, which puts a picture at the start of a latent frame; here it is the frame's last one."""

    def _prepare_keyframe_coords(self, *, pixel_frame_idx, **given):
        return super()._prepare_keyframe_coords(pixel_frame_idx=pixel_frame_idx + 7, **given)


class Run:
    """A run of diffusers' pipeline on a clip: its tokens after each step, sigmas, and the inputs of its network.

    Its guidance by sound is set so that the video follows from the network's calls without sound.
    """

    def __init__(self, components, case, clip, embedding):
        version, mode = case
        pipeline = LastPicture(**components)
        pipeline.connectors = Given(embedding, TEXT_CHANNELS[version] if version == "2.0" else SOUND_WIDTH)
        pipeline.set_progress_bar_config(disable=True)
        places = {"t2v": (), "i2v": (0,), "flf2v": (0, -1)}[mode]
        self.states, self.inputs = [], []

        def watch(_network, _args, given):
            if version == "2.5":  # Diffusers' pipeline leaves it out, unlike the publisher's.
                marks = torch.zeros(1, given["hidden_states"].shape[1], 1)
                marks[:, :PLANE] = 1
                given = {**given, "video_keyframes_mask": marks}
            if given["isolate_modalities"]:
                self.inputs.append(given)
            return (), given

        with pipeline.transformer.register_forward_pre_hook(watch, with_kwargs=True):
            pipeline(
                conditions=[LTX2VideoCondition(frames=image(clip, i), index=i, crf=0) for i in places],
                prompt_embeds=torch.zeros(1, 1, 1),
                prompt_attention_mask=torch.ones(1, 1),
                height=HEIGHT,
                width=WIDTH,
                num_frames=len(clip[0]),
                frame_rate=RATE,
                num_inference_steps=STEPS,
                guidance_scale=1.0,
                stg_scale=0.0,
                modality_scale=0.0,
                guidance_rescale=0.0,
                audio_guidance_scale=1.0,
                audio_stg_scale=0.0,
                audio_modality_scale=2.0,
                audio_guidance_rescale=0.0,
                generator=torch.Generator().manual_seed(7),
                output_type="latent",
                callback_on_step_end=lambda _pipeline, _step, _t, given: self.states.append(given["latents"]) or {},
            )
        self.sigmas = pipeline.scheduler.sigmas.tolist()


def unknown(tokens, mode, frames):
    """Return the codec's vector from a pipeline's tokens, among which those of known pictures come first and last."""
    video = tokens[0, : ((frames - 1) // 8 + 1) * PLANE].view(-1, PLANE, LATENT_CHANNELS)
    return video[int(mode != "t2v") :].transpose(1, 2).reshape(-1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", [("2.0", 9, ""), ("2.3", 17, PROMPT), ("2.5", 17, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, components, mode, setting):
    version, frames, prompt = setting
    clip, prior = grey_clip(FORMAT, frames), priors[version]
    ours = prior.condition(condition_of(mode, FORMAT, clip, prompt), b"")
    theirs, seen = Run(components[version], (version, mode), clip, prior.prompts(prompt)), []
    noise = unknown(theirs.inputs[0]["hidden_states"], mode, frames)
    assert len(noise) == ours.size and len(theirs.states) == len(theirs.inputs) == STEPS
    assert theirs.sigmas[0] == 1 and theirs.sigmas[-1] == 0
    with watched(prior.network, seen):
        for x, expected in zip(silent_steps(ours, theirs.sigmas, noise), theirs.states, strict=True):
            assert torch.allclose(x, unknown(expected, mode, frames), atol=2e-5)
    assert not torch.allclose(x, noise, atol=0.1)  # The result depends on the network.
    tokens = ((frames - 1) // 8 + 1 + (mode == "flf2v")) * PLANE
    for mine, other in zip(seen[-STEPS:], theirs.inputs, strict=True):
        assert mine["hidden_states"].shape == (1, tokens, LATENT_CHANNELS)
        assert torch.allclose(mine["hidden_states"], other["hidden_states"], atol=2e-5)
        assert mine["audio_hidden_states"].shape == (1, 1, SOUND_CHANNELS)
        for name in ("timestep", "sigma", "audio_timestep"):
            assert torch.equal(*torch.broadcast_tensors(mine[name], other[name]))
        assert mine["timestep"].numel() == (1 if mode == "t2v" else tokens)
        for name in ("video_coords", "encoder_hidden_states", "encoder_attention_mask"):
            assert torch.equal(mine[name], other[name])
        assert mine["encoder_hidden_states"].shape == (1, 1024, TEXT_CHANNELS[version])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_last_picture_has_the_place_and_mark_that_pipelines_with_keyframes_give_it(priors, components, version):
    """These pipelines place a picture by its number, and mark those latent frames that hold a single picture."""
    clip, prior = smooth_clip(FORMAT, 17), priors[version]
    ours = prior.condition(condition_of("flf2v", FORMAT, clip), b"")
    known = [prior.encode(ours.picture(picture(clip, i))) for i in (0, -1)]
    parts = {name: part for name, part in components[version].items() if name != "audio_scheduler"}
    _, given, clean, places, marks, _ = LTX2DFRPipeline(**parts).prepare_latents(
        condition_latents=[(place, latent, 1.0, 1) for place, latent in zip((0, 16), known, strict=True)],
        num_channels_latents=LATENT_CHANNELS,
        height=HEIGHT,
        width=WIDTH,
        num_frames=17,
        frame_rate=float(RATE),
        dtype=torch.float32,
    )
    seen = []
    with watched(prior.network, seen):
        ours.velocity(ours.zeros(), 0.25)
    assert torch.equal(seen[0]["hidden_states"], clean)
    assert torch.equal(seen[0]["timestep"], 250 * (1 - given[..., 0]))
    assert torch.equal(seen[0]["video_coords"], places) and torch.equal(seen[0]["video_keyframes_mask"], marks > 0)


@pytest.mark.parametrize(("version", "prompt"), [("2.0", ""), ("2.3", PROMPT)])
def test_texts_are_embedded_as_in_the_pipeline(priors, components, version, prompt):
    pipeline = LTX2ConditionPipeline(**components[version])
    with torch.no_grad():  # The pipeline's own loop does the same, and it affects the choice of kernels.
        states, mask, _, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)
        embedding, _, mask = pipeline.connectors(states, mask, padding_side=pipeline.tokenizer_padding_side)
    ours = priors[version].prompts(prompt)
    assert torch.equal(ours["prompt_embeds"], embedding) and torch.equal(ours["prompt_attention_mask"], mask)


def test_pictures_are_decoded_as_in_the_pipeline(priors, components):
    """Both decode the same latent of the codec."""
    clip, vae = smooth_clip(FORMAT, 9), components["2.0"]["vae"]
    ours = priors["2.0"].condition(condition_of("i2v", FORMAT, clip), b"")
    latent = priors["2.0"].encode(ours.video(clip, 9))
    scaled = LTX2ConditionPipeline._denormalize_latents(latent, vae.latents_mean, vae.latents_std)
    rgb = vae.decode(scaled, None).sample
    for mine, other in zip(ours.decode_latent(ours.encode_latent(clip), 0.0), from_rgb(rgb, FORMAT), strict=True):
        # The tolerance covers rounding in the normalisation.
        assert np.abs(mine[1:].astype(int) - other[1:]).max() <= 1
