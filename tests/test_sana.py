# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""SANA-Video on tiny random weights: vectors, velocities, and whole streams through the engine."""

import numpy as np
import pytest
import torch
from beside_diffusers import watched
from clips import decode, encode
from smooth import picture, smooth_clip
from tiny_sana import SHAPES, build_tiny_sana, ltx2_vae
from tiny_wan import tiny_pipeline
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

from gvc.encoder import Encoder
from gvc.errors import OptionError, PriorError
from gvc.media import VideoFormat
from gvc.prior import Condition, ModelOptions
from gvc.priors import open_prior
from gvc.priors.sana import MODES

CASES = [(size, mode) for size in SHAPES for mode in MODES]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {size: build_tiny_sana(tmp_path_factory.mktemp("sana"), size) for size in SHAPES}


@pytest.fixture(scope="module")
def priors(folders):
    return {size: open_prior(f"sana:{folder}") for size, folder in folders.items()}


# Vectors


@pytest.mark.parametrize(("size", "mode"), CASES)
@pytest.mark.parametrize("shape", [(50, 35, 10), (32, 32, 1), (1, 33, 2)])
def test_any_size_and_length_comes_back_with_its_own_shape(priors, size, mode, shape):
    (width, height, frames), (channels, time, scale, patch) = shape, SHAPES[size]
    ours = check_shapes(priors[size], mode, VideoFormat(width, height), frames)
    latent_frames = -(-(frames - 1) // time) + (mode == "t2v")
    columns, rows = (-(-n // (scale * patch)) * patch for n in (width, height))
    assert ours.size == latent_frames * channels * rows * columns and len(ours.blocks) == latent_frames


@pytest.mark.parametrize("size", SHAPES)
def test_a_known_first_picture_is_no_part_of_the_vector(priors, size):
    """The VAEs' encoders are causal, so the first latent frame depends on the first picture alone."""
    video_format, channels = VideoFormat(64, 32), SHAPES[size][0]
    clip = smooth_clip(video_format, 9)
    whole, rest = (conditioned(priors[size], mode, video_format, clip) for mode in MODES)
    x0, first = whole.encode_latent(clip), whole.size - rest.size
    assert torch.equal(rest.encode_latent(clip), x0[first:])
    alone = conditioned(priors[size], "t2v", video_format, tuple(plane[:1] for plane in clip))
    assert torch.allclose(alone.encode_latent(tuple(plane[:1] for plane in clip)), x0[:first], atol=1e-4)
    assert len(rest.tail) == channels and rest.tail[-1].stop == rest.size


# Velocity


@pytest.mark.parametrize(("size", "mode"), CASES)
def test_velocity_is_a_function_of_state_time_and_conditions(priors, folders, size, mode):
    spec, video_format = f"sana:{folders[size]}", VideoFormat(64, 32)
    clip, x, velocity = check_velocity(priors[size], open_prior(spec), mode, video_format, "a fox")
    rough = open_prior(spec, ModelOptions(dtype="bfloat16"))
    rough = conditioned(rough, mode, video_format, clip).velocity(x, 0.7)
    assert rough.dtype == torch.float32 and 0 < (velocity - rough).norm() < 0.05 * velocity.norm()


@pytest.mark.parametrize("size", SHAPES)
def test_at_low_resolution_the_network_sees_smaller_frames(priors, size):
    video_format = VideoFormat(128, 64)
    ours = conditioned(priors[size], "i2v", video_format, smooth_clip(video_format, 9))
    band, seen = ours.low_band(50), []
    with watched(priors[size].network, seen):
        velocity = band.velocity(torch.randn(band.size, generator=torch.Generator().manual_seed(1)), 0.7)
    assert velocity.shape == (band.size,) and velocity.isfinite().all() and band.size == ours.size / 4
    channels, time, scale, patch = SHAPES[size]
    frames, height, width = 8 // time + 1, 32 // scale, 64 // scale
    assert seen[0]["hidden_states"].shape == (1, channels, frames, height, width)
    assert seen[0]["timestep"].shape == (1, frames * height * width // patch**2)


def test_float16_is_refused_before_anything_is_loaded():
    with pytest.raises(PriorError, match="overflow in float16; set dtype=bfloat16"):
        open_prior("sana:org/name", ModelOptions(dtype="float16"))


def test_tiles_give_about_the_same_pictures(priors, folders):
    video_format = VideoFormat(544, 480)  # wider than a tile of 512x512; its last tiles would be one value high
    clip = smooth_clip(video_format, 1)
    tiled = open_prior(f"sana:{folders['720p']}", ModelOptions(tiling=True))
    whole, parts = (conditioned(p, "t2v", video_format, clip) for p in (priors["720p"], tiled))
    latent = whole.encode_latent(clip)
    assert 0 < (parts.encode_latent(clip) - latent).abs().mean() < 0.1 * latent.std()
    for a, b in zip(whole.decode_latent(latent, 0), parts.decode_latent(latent, 0), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 5 and a.shape == b.shape


# The whole codec


@pytest.mark.parametrize(
    ("size", "mode", "transition"),
    [("480p", "t2v", "ancestral"), ("480p", "i2v", "sde"), ("720p", "i2v", "ancestral")],
)
def test_a_stream_decodes_to_what_the_encoder_saw(folders, size, mode, transition):
    options = {"prior": f"sana:{folders[size]}", "mode": mode, "gop": 9, "quality": 20, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(33, 17), 12), transition=transition, **options)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folders):
    cases = [(f"sana:{folders[size]}", mode) for size, mode in CASES]
    check_in_a_fresh_process(cases, VideoFormat(34, 18), 9, quality=20, prompt="a fox")


# Models, modes and streams that don't fit


def test_a_last_picture_is_refused(folders, priors):
    with pytest.raises(OptionError, match=r"sana/ti2v cannot work in mode=flf2v; valid: t2v, i2v"):
        Encoder(VideoFormat(32, 32), {"prior": f"sana:{folders['480p']}", "mode": "flf2v"})
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 5)
    with pytest.raises(PriorError, match="of mode flf2v; set mode=t2v or i2v"):
        priors["480p"].condition(Condition(video_format, 5, picture(clip, 0), picture(clip, -1)), b"")


def test_other_weights_than_the_streams_are_refused(folders, tmp_path):
    options = {"prior": f"sana:{folders['720p']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(16, 16), 1)), **options)
    with pytest.raises(PriorError, match="other weights of sana/ti2v"):
        decode(extradata, packets, prior=f"sana:{build_tiny_sana(tmp_path, '720p', seed=1)}")
    with pytest.raises(PriorError, match="give its weights with prior=sana:FOLDER"):
        decode(extradata, packets)


def rename_class(folder, part, name):
    rewrite(folder / "model_index.json", **{part: ["diffusers", name]})


def take_the_other_vae(folder):
    tiny_pipeline("t2v").vae.save_pretrained(folder / "vae")
    rename_class(folder, "vae", "AutoencoderKLWan")


BROKEN = {
    "another pipeline": (lambda f: rewrite(f / "model_index.json", _class_name="SanaPipeline"), "not a SANA-Video"),
    "an index without a VAE": (lambda f: rewrite(f / "model_index.json", vae=None), "does not name transformer and"),
    "a VAE of images": (lambda f: rename_class(f, "vae", "AutoencoderDC"), "cannot use for videos; use a SANA"),
    "LongLive": (lambda f: rename_class(f, "transformer", "SanaVideoCausalTransformer3DModel"), "GOPs before"),
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
    "guidance": (lambda f: rewrite(f / "transformer/config.json", guidance_embeds=True), "lacks the weights"),
    "a VAE with noise": (lambda f: ltx2_vae(decoder_inject_noise=True).save_pretrained(f / "vae"), "adds noise; use"),
    "a VAE with a time": (lambda f: ltx2_vae(timestep_conditioning=True).save_pretrained(f / "vae"), "takes a time; "),
    "the other VAE": (take_the_other_vae, "no SANA-Video that GVC knows, with 8 channels for 16 of its VAE; use"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(tmp_path, name):
    check_broken("sana", build_tiny_sana(tmp_path, "720p"), *BROKEN[name])
