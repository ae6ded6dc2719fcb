# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LTX-Video as diffusers runs it: without noise, the codec's loop follows diffusers' own pipelines."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from beside_diffusers import OneNoise, image, silent_steps
from diffusers import DiffusionPipeline, LTXConditionPipeline, LTXImageToVideoPipeline, LTXPipeline
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from smooth import condition_of, grey_clip, picture, smooth_clip
from tiny_ltx import LATENT_CHANNELS, MODES, TEXT_CHANNELS, TEXT_TOKENS, build_tiny_ltx

from gvc.loop.denoise import Rule, denoise
from gvc.loop.transition import ode
from gvc.media import VideoFormat
from gvc.pictures.rgb import from_rgb
from gvc.priors.ltx import LtxPrior

FULL_RANGE = 2
STEPS, WIDTH, HEIGHT, RATE = 4, 64, 96, 24
FORMAT = VideoFormat(WIDTH, HEIGHT, frame_rate=Fraction(RATE), color_range=FULL_RANGE)
PROMPT = "a fox runs over snow"
CASES = [(version, mode) for version, modes in MODES.items() for mode in modes]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {version: build_tiny_ltx(tmp_path_factory.mktemp("ltx"), version) for version in MODES}


@pytest.fixture(scope="module")
def priors(folders):
    return {version: LtxPrior.from_pretrained(folder) for version, folder in folders.items()}


@pytest.fixture(scope="module")
def components(folders):
    """Return the components of diffusers' pipelines; as in GVC, the text encoder is bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "default": torch.float32}
    return {v: DiffusionPipeline.from_pretrained(p, dtype=dtypes).components for v, p in folders.items()}


class Run:
    """A run of diffusers' pipeline on a clip: its tokens after each step, sigmas, and the inputs of its network."""

    def __init__(self, components, case, clip, text):
        version, mode = case
        pipeline_class = {"t2v": LTXPipeline, "i2v": LTXImageToVideoPipeline}.get(mode)
        known = {"i2v": {"image": image(clip, 0)}}.get(mode, {})
        if version == "0.9.5":
            pipeline_class = LTXConditionPipeline
            places = {"t2v": (), "i2v": (0,), "flf2v": (0, len(clip[0]) - 1)}[mode]
            conditions = [LTXVideoCondition(image=image(clip, i), frame_index=i) for i in places]
            known = {"conditions": conditions, "image_cond_noise_scale": 0.0} if places else {}
        pipeline = pipeline_class(**components)
        pipeline.set_progress_bar_config(disable=True)
        # Embeddings are float32 here, because the pipelines run their network in the dtype of the embedding.
        embedding, mask = text["prompt_embeds"].float(), text["prompt_attention_mask"]
        self.states = []
        with Watch(pipeline.transformer) as self.seen:
            pipeline(
                prompt_embeds=embedding,
                prompt_attention_mask=mask,
                height=HEIGHT,
                width=WIDTH,
                num_frames=len(clip[0]),
                frame_rate=RATE,
                num_inference_steps=STEPS,
                guidance_scale=1.0,
                generator=torch.Generator().manual_seed(7),
                output_type="latent",
                callback_on_step_end=lambda _pipeline, _step, _t, given: self.states.append(given["latents"]) or {},
                **known,
            )
        self.sigmas = pipeline.scheduler.sigmas.tolist()


class Watch:
    """Collects the arguments of each call of a network, and the rotary embedding of its tokens' positions."""

    def __init__(self, network):
        self.inputs, self.places = [], []
        self.hooks = [
            network.register_forward_pre_hook(lambda _, _args, given: self.inputs.append(given), with_kwargs=True),
            network.rope.register_forward_hook(lambda _, _args, found: self.places.append(found)),
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def unknown(tokens, prior):
    """Return the codec's vector from a pipeline's tokens, in which known pictures come first."""
    plane = (HEIGHT // 32) * (WIDTH // 32)
    tokens = tokens[0, tokens.shape[1] - prior.size // LATENT_CHANNELS :]
    return tokens.view(-1, plane, LATENT_CHANNELS).transpose(1, 2).reshape(-1)


def both(priors, components, case, frames, prompt):
    """Return (our conditioned prior, the run of diffusers' pipeline) on one clip. case: version and mode."""
    version, mode = case
    clip = grey_clip(FORMAT, frames)
    ours = priors[version].condition(condition_of(mode, FORMAT, clip, prompt), b"")
    return ours, Run(components[version], case, clip, priors[version].prompts(prompt))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("setting", [(9, ""), (17, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, components, case, setting):
    frames, prompt = setting
    ours, theirs = both(priors, components, case, frames, prompt)
    noise = unknown(theirs.seen.inputs[0]["hidden_states"], ours)
    assert len(noise) == ours.size == ((frames - 1) // 8 + (case[1] == "t2v")) * LATENT_CHANNELS * 6
    assert len(theirs.states) == len(theirs.seen.inputs) == STEPS
    assert theirs.sigmas[0] == 1 and theirs.sigmas[-1] == 0
    for x, expected in zip(silent_steps(ours, theirs.sigmas, noise), theirs.states, strict=True):
        assert torch.allclose(x, unknown(expected, ours), atol=2e-5)
    assert not torch.allclose(x, noise, atol=0.1)  # The result depends on the network.


@pytest.mark.parametrize("case", CASES)
def test_the_network_is_given_what_the_pipeline_gives_it(priors, components, case):
    version, mode = case
    ours, theirs = both(priors, components, case, 17, PROMPT)
    noise = unknown(theirs.seen.inputs[0]["hidden_states"], ours)
    with Watch(priors[version].network) as seen:
        denoise(ours, Rule(theirs.sigmas[1:], ode, silent=STEPS), OneNoise(noise))
    tokens = {"t2v": 18, "i2v": 18, "flf2v": 24}[mode]  # Tokens of three latent frames of 3x2, and of the last picture.
    for mine, other in zip(seen.inputs, theirs.seen.inputs, strict=True):
        assert mine["hidden_states"].shape == (1, tokens, LATENT_CHANNELS)
        assert torch.allclose(mine["hidden_states"], other["hidden_states"], atol=2e-5)
        assert torch.equal(mine["timestep"].flatten(), other["timestep"].flatten())
        assert mine["timestep"].numel() == (1 if mode == "t2v" else tokens)
        assert mine["encoder_hidden_states"].shape == (1, TEXT_TOKENS[version], TEXT_CHANNELS)
        assert torch.equal(mine["encoder_hidden_states"], other["encoder_hidden_states"])
        assert torch.equal(mine["encoder_attention_mask"], other["encoder_attention_mask"])
    for mine, other in zip(seen.places, theirs.seen.places, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, other, strict=True))


@pytest.mark.parametrize("version", MODES)
@pytest.mark.parametrize("prompt", ["", PROMPT, "a text of many letters " * 15])
def test_texts_are_embedded_as_in_the_pipeline(priors, components, version, prompt):
    pipeline_class = LTXConditionPipeline if version == "0.9.5" else LTXPipeline
    with torch.no_grad():  # The pipelines' own loop does the same, and it affects the choice of kernels.
        embedding, mask, _, _ = pipeline_class(**components[version]).encode_prompt(prompt, None, False)
    ours = priors[version].prompts(prompt)
    assert torch.equal(ours["prompt_embeds"], embedding)
    assert torch.equal(ours["prompt_attention_mask"], mask)


@pytest.mark.parametrize("version", ["0.9.0", "0.9.5"])  # 0.9.1 is left out because its VAE adds noise.
def test_pictures_are_decoded_as_in_the_pipeline(priors, components, version):
    """Both decode the same latent of the codec; the pipeline gets it as the result of its loop."""
    clip = smooth_clip(FORMAT, 9)
    ours = priors[version].condition(condition_of("i2v", FORMAT, clip), b"")
    latent = priors[version].encode(ours.video(clip, 9))
    vae = components[version]["vae"]
    mean, std, factor = vae.latents_mean, vae.latents_std, vae.config.scaling_factor
    time = torch.tensor([0.0]) if vae.config.timestep_conditioning else None  # This is the default of all pipelines.
    rgb = vae.decode(LTXPipeline._denormalize_latents(latent, mean, std, factor), time).sample
    for mine, other in zip(ours.decode_latent(ours.encode_latent(clip), 0.0), from_rgb(rgb, FORMAT), strict=True):
        # The tolerance covers rounding in the normalisation.
        assert np.abs(mine[1:].astype(int) - other[1:]).max() <= 1


@pytest.mark.parametrize("version", MODES)
def test_known_pictures_are_clean_and_without_time(priors, version):
    """At any state and time the network gets known latents at time 0, and all others at the time of the step."""
    mode = MODES[version][-1]
    clip = smooth_clip(FORMAT, 9)
    ours = priors[version].condition(condition_of(mode, FORMAT, clip), b"")
    known = [priors[version].encode(ours.picture(picture(clip, i))) for i in ((-1, 0) if mode == "flf2v" else (0,))]
    known = torch.cat([latent.flatten(2).transpose(1, 2) for latent in known], dim=1)
    with Watch(priors[version].network) as seen:
        for t in (1.0, 0.25):
            ours.velocity(torch.full((ours.size,), 3.0), t)
    for given, t in zip(seen.inputs, (1.0, 0.25), strict=True):
        assert torch.equal(given["hidden_states"][:, : known.shape[1]], known)
        assert (given["hidden_states"][:, known.shape[1] :] == 3).all()
        assert given["timestep"].tolist() == [[0.0] * known.shape[1] + [1000 * t] * 6]
