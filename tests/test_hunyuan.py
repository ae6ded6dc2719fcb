# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""HunyuanVideo 1.5 on tiny random weights: vectors, whole streams, and the loop beside diffusers' own pipelines."""

import shutil

import pytest
import torch
from beside_diffusers import image, silent_steps, watched
from clips import decode, encode
from diffusers import ClassifierFreeGuidance, DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from smooth import grey_clip, smooth_clip
from tiny_hunyuan import LATENT_CHANNELS, PIPELINES, SIDE, build_tiny_hunyuan, tiny_vae
from video_models import (
    check_broken,
    check_in_a_fresh_process,
    check_shapes,
    check_stream,
    check_velocity,
    conditioned,
    pictures_of,
    rewrite,
)

from gvc.encoder import Encoder
from gvc.errors import OptionError, PriorError
from gvc.media import VideoFormat
from gvc.prior import ModelOptions
from gvc.priors import open_prior

FULL_RANGE = 2
STEPS = 3
GREY = VideoFormat(SIDE, SIDE, color_range=FULL_RANGE)
PROMPT = 'a sign says "no fox"'


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {mode: build_tiny_hunyuan(tmp_path_factory.mktemp(mode), mode) for mode in PIPELINES}


@pytest.fixture(scope="module")
def priors(folders):
    return {mode: open_prior(f"hunyuan:{folder}") for mode, folder in folders.items()}


@pytest.fixture(scope="module")
def pipelines(folders):
    """Return diffusers' pipelines by mode, without guidance; as in GVC, the text encoders are bfloat16."""
    dtypes = {"text_encoder": torch.bfloat16, "text_encoder_2": torch.bfloat16, "default": torch.float32}
    loaded = {mode: DiffusionPipeline.from_pretrained(folder, dtype=dtypes) for mode, folder in folders.items()}
    for pipeline in loaded.values():
        pipeline.guider = ClassifierFreeGuidance(1.0)
        pipeline.set_progress_bar_config(disable=True)
    return loaded


# Vectors and velocity


@pytest.mark.parametrize("mode", PIPELINES)
@pytest.mark.parametrize("size", [(34, 17, 6), (16, 16, 1), (1, 33, 2)])
def test_any_size_and_length_comes_back_with_its_own_shape(priors, mode, size):
    width, height, frames = size
    ours = check_shapes(priors[mode], mode, VideoFormat(width, height), frames)
    latent_frames, plane = (frames + 2) // 4 + 1, -(-height // 16) * -(-width // 16)
    assert ours.size == latent_frames * LATENT_CHANNELS * plane and len(ours.blocks) == latent_frames


def test_the_first_latent_frame_of_a_known_picture_is_known(priors):
    """The VAE's encoder is causal, so that frame depends on the first picture alone."""
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 9)
    free, ours = (conditioned(priors[mode], mode, video_format, clip) for mode in PIPELINES)
    (known,) = ours.known
    assert known.part == ours.blocks[0] and free.known == ()
    assert torch.allclose(known.values, ours.encode_latent(clip)[known.part], atol=1e-5)


def test_at_low_resolution_the_network_sees_smaller_frames_and_the_same_mask(priors):
    video_format = VideoFormat(64, 32)
    band = conditioned(priors["i2v"], "i2v", video_format, smooth_clip(video_format, 9)).low_band(50)
    assert band.size == 3 * LATENT_CHANNELS * 2 and band.velocity(band.zeros(), 0.7).isfinite().all()
    mask = band._model.channels[:, -1]
    assert mask.shape == (1, 3, 1, 2) and torch.allclose(mask[:, 0], torch.ones(1, 2)) and not mask[:, 1:].any()


@pytest.mark.parametrize("mode", PIPELINES)
def test_velocity_is_a_function_of_state_time_and_conditions(priors, folders, mode):
    check_velocity(priors[mode], open_prior(f"hunyuan:{folders[mode]}"), mode, VideoFormat(48, 32), PROMPT)


def test_times_that_bfloat16_cannot_tell_apart_differ_in_it(folders):
    rough = open_prior(f"hunyuan:{folders['t2v']}", ModelOptions(dtype="bfloat16"))
    video_format = VideoFormat(32, 32)
    ours = conditioned(rough, "t2v", video_format, smooth_clip(video_format, 5))
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(1))
    assert torch.tensor(700.0).bfloat16() == torch.tensor(700.9).bfloat16()
    assert not torch.equal(ours.velocity(x, 0.7), ours.velocity(x, 0.7009))


def test_both_text_encoders_and_the_image_encoder_count(priors):
    clip = smooth_clip(GREY, 1)
    ours, other = (conditioned(priors["i2v"], "i2v", GREY, clip, prompt) for prompt in (PROMPT, 'a sign says "do fox"'))
    x = torch.ones(ours.size)
    before, inputs = ours.velocity(x, 0.5), dict(ours.inputs)
    other.inputs["image_embeds"] = 1 - inputs["image_embeds"]
    for name in ("encoder_hidden_states", "encoder_hidden_states_2", "image_embeds"):
        ours.inputs = inputs | {name: other.inputs[name]}
        assert not torch.equal(before, ours.velocity(x, 0.5)), name


# As diffusers runs it


def vector(latent):
    return latent[0, :LATENT_CHANNELS].transpose(0, 1).reshape(-1)


@pytest.mark.parametrize("mode", PIPELINES)
@pytest.mark.parametrize(("frames", "prompt"), [(5, ""), (9, PROMPT)])
def test_the_loop_without_noise_follows_the_pipeline_step_by_step(priors, pipelines, mode, frames, prompt):
    clip, pipeline, theirs, mine = grey_clip(GREY, frames), pipelines[mode], [], []
    size = {"height": SIDE, "width": SIDE}
    pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=5.0)
    with watched(pipeline.transformer, theirs):
        (result,) = pipeline(
            **({"image": image(clip, 0)} if mode == "i2v" else size),
            prompt=prompt,
            num_frames=frames,
            num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(7),
            output_type="latent",
            return_dict=False,
        )
    sigmas = pipeline.scheduler.sigmas.tolist()
    noise, *states = [vector(given["hidden_states"]) for given in theirs] + [vector(result)]
    ours = conditioned(priors[mode], mode, GREY, clip, prompt)
    assert len(states) == STEPS and len(noise) == ours.size
    # What is known of the clean latent would replace a part of the state, which the pipeline does not do.
    ours.known = ()
    with watched(priors[mode].network, mine):
        for x, expected in zip(silent_steps(ours, sigmas, noise), states, strict=True):
            assert torch.allclose(x, expected, atol=2e-5)
    assert not torch.allclose(x, noise, atol=0.1)  # The result depends on the network.
    for a, b in zip(mine[-STEPS:], theirs, strict=True):
        inputs_are_equal(a, b)


def inputs_are_equal(mine, theirs):
    """Compare the inputs of a network; the pipelines' have masked tokens, too."""
    assert mine["hidden_states"].shape == theirs["hidden_states"].shape
    assert torch.allclose(mine["hidden_states"], theirs["hidden_states"], atol=2e-5)
    assert torch.allclose(mine["timestep"], theirs["timestep"], rtol=1e-6)
    for number in ("", "_2"):
        seen = theirs[f"encoder_attention_mask{number}"].bool()
        assert torch.equal(mine[f"encoder_hidden_states{number}"], theirs[f"encoder_hidden_states{number}"][seen][None])
        assert mine[f"encoder_attention_mask{number}"].all()
    # For the network, tokens of zeros are none.
    images = theirs["image_embeds"]
    assert torch.equal(mine["image_embeds"], images if images.any() else images[:, :0])
    assert theirs.get("timestep_r") is None


def test_pictures_are_decoded_as_in_the_pipeline(priors, pipelines):
    clip, vae, prior = smooth_clip(GREY, 5), pipelines["t2v"].vae, priors["t2v"]
    rgb = conditioned(prior, "t2v", GREY, clip).video(clip, 5)
    latent, scale = prior.encode(rgb), vae.config.scaling_factor
    with torch.no_grad():
        assert torch.allclose(latent, vae.encode(rgb).latent_dist.mode() * scale, atol=1e-6)
        assert torch.allclose(prior.decode(latent), vae.decode(latent / scale).sample, atol=1e-5)


# The whole codec


@pytest.mark.parametrize(("mode", "extra"), [("t2v", {"lowres_steps": 2}), ("i2v", {"transition": "sde"})])
def test_a_stream_decodes_to_what_the_encoder_saw(folders, mode, extra):
    options = {"prior": f"hunyuan:{folders[mode]}", "mode": mode, "gop": 9, "quality": 10, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(33, 17), 12), **options, **extra)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folders):
    cases = [(f"hunyuan:{folder}", mode) for mode, folder in folders.items()]
    check_in_a_fresh_process(cases, VideoFormat(34, 18), 5, quality=20, prompt=PROMPT)


# Models and modes that don't fit


def test_a_mode_that_the_model_lacks_is_refused_before_anything_is_coded(folders):
    with pytest.raises(OptionError, match=r"hunyuan/1\.5-i2v cannot work in mode=t2v; valid: i2v"):
        Encoder(VideoFormat(32, 32), {"prior": f"hunyuan:{folders['i2v']}", "mode": "t2v"})


def test_other_weights_than_the_streams_are_refused(folders, tmp_path):
    options = {"prior": f"hunyuan:{folders['t2v']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(16, 16), 1)), **options)
    with pytest.raises(PriorError, match=r"other weights of hunyuan/1\.5-t2v"):
        decode(extradata, packets, prior=f"hunyuan:{build_tiny_hunyuan(tmp_path, 't2v', seed=1)}")


BROKEN = {
    "another pipeline": (
        lambda f: rewrite(f / "model_index.json", _class_name="HunyuanVideoPipeline"),
        "not a Hunyuan",
    ),
    "no transformer": (lambda f: shutil.rmtree(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: (f / "vae/diffusion_pytorch_model.safetensors").unlink(), r"has no \*.safetensors"),
    "no image encoder": (lambda f: shutil.rmtree(f / "image_encoder"), "has no config.json"),
    "no preprocessing": (lambda f: shutil.rmtree(f / "feature_extractor"), "cannot load .*feature_extractor"),
    "guidance": (lambda f: rewrite(f / "guider/guider_config.json", guidance_scale=1.0), "is distilled: guidance is"),
    "another VAE": (
        lambda f: tiny_vae(16).save_pretrained(f / "vae"),
        "no HunyuanVideo 1.5 model .*latent channels 16",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(folders, tmp_path, name):
    check_broken("hunyuan", shutil.copytree(folders["i2v"], tmp_path / "copy"), *BROKEN[name])
