# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The Kandinsky prior on tiny random weights: vectors, velocity, whole streams, and models that it cannot use."""

import numpy as np
import pytest
import torch
from clips import decode, encode
from safetensors.torch import save_file
from smooth import condition_of, smooth_clip
from tiny_kandinsky import LATENT_CHANNELS, PIPELINES, POOLED_CHANNELS, TEXT_CHANNELS, build_tiny_kandinsky
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
from gvc.errors import BitstreamError, OptionError, PriorError
from gvc.media import VideoFormat
from gvc.prior import Condition, ModelOptions
from gvc.priors import open_prior


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {mode: build_tiny_kandinsky(tmp_path_factory.mktemp(mode), mode) for mode in PIPELINES}


@pytest.fixture(scope="module")
def priors(folders):
    return {mode: open_prior(f"kandinsky:{folder}") for mode, folder in folders.items()}


# Vectors


@pytest.mark.parametrize("mode", PIPELINES)
@pytest.mark.parametrize("size", [(34, 17, 6), (16, 16, 1), (1, 33, 2), (16, 16, 18)])
def test_any_size_and_length_comes_back_with_its_own_shape(priors, mode, size):
    width, height, frames = size
    ours = check_shapes(priors[mode], mode, VideoFormat(width, height), frames)
    latent_frames, plane = (frames + 2) // 4 + (mode == "t2v"), -(-height // 16) * -(-width // 16) * 4
    assert ours.size == latent_frames * LATENT_CHANNELS * plane and len(ours.blocks) == latent_frames


def test_a_known_first_picture_is_no_part_of_the_vector(priors):
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 9)
    whole, rest = (conditioned(priors[mode], mode, video_format, clip) for mode in PIPELINES)
    assert torch.equal(rest.encode_latent(clip), whole.encode_latent(clip)[LATENT_CHANNELS * 16 :])
    assert len(rest.tail) == LATENT_CHANNELS and rest.tail[-1].stop == rest.size


def test_tiles_give_similar_pictures(priors, folders):
    video_format = VideoFormat(288, 16)  # wider than a tile
    clip = smooth_clip(video_format, 5)
    tiled = open_prior(f"kandinsky:{folders['t2v']}", ModelOptions(tiling=True))
    whole, parts = (conditioned(prior, "t2v", video_format, clip) for prior in (priors["t2v"], tiled))
    latent = whole.encode_latent(clip)
    # A norm and an attention of this VAE span a whole tile, so even far from its edge there is a difference.
    assert 0 < (parts.encode_latent(clip) - latent).std() < 0.7 * latent.std()
    for a, b in zip(whole.decode_latent(latent, 0), parts.decode_latent(latent, 0), strict=True):
        assert a.shape == b.shape and np.abs(a.astype(int) - b).mean() < 5


def test_at_low_resolution_the_network_sees_smaller_frames_and_the_same_mask(priors):
    video_format = VideoFormat(64, 32)
    band = conditioned(priors["i2v"], "i2v", video_format, smooth_clip(video_format, 9)).low_band(50)
    assert band.size == 2 * LATENT_CHANNELS * 8 and band.velocity(band.zeros(), 0.7).isfinite().all()
    mask = band._model.channels[..., -1]
    assert mask.shape == (1, 3, 2, 4) and mask[:, 0].all() and not mask[:, 1:].any()
    assert [len(places) for places in band._model.positions] == [3, 1, 2]


# Velocity


@pytest.mark.filterwarnings("ignore:Mismatch dtype")
@pytest.mark.parametrize("mode", PIPELINES)
def test_velocity_is_a_function_of_state_time_and_conditions(priors, folders, mode):
    spec, video_format = f"kandinsky:{folders[mode]}", VideoFormat(48, 32)
    clip, x, velocity = check_velocity(priors[mode], open_prior(spec), mode, video_format, "a fox")
    rough = open_prior(spec, ModelOptions(dtype="bfloat16"))
    rough = conditioned(rough, mode, video_format, clip).velocity(x, 0.7)
    assert rough.dtype == torch.float32 and 0 < (velocity - rough).norm() < 0.05 * velocity.norm()


def test_both_text_encoders_count(priors):
    clip = smooth_clip(VideoFormat(16, 16), 1)
    ours = conditioned(priors["t2v"], "t2v", VideoFormat(16, 16), clip, "a fox")
    x, other = torch.ones(ours.size), priors["t2v"].embed_text("a cat")  # a text of as many tokens
    before = ours.velocity(x, 0.5)
    for name in ("encoder_hidden_states", "pooled_projections"):
        changed = conditioned(priors["t2v"], "t2v", VideoFormat(16, 16), clip, "a fox")
        changed.text = changed.text | {name: other[name]}
        assert not torch.equal(before, changed.velocity(x, 0.5))


def test_conditions_that_the_model_cannot_have_are_refused(priors):
    video_format = VideoFormat(16, 16)
    clip = smooth_clip(video_format, 5)
    with pytest.raises(PriorError, match=r"kandinsky/i2v cannot code a GOP of mode flf2v; set mode=i2v"):
        priors["i2v"].condition(condition_of("flf2v", video_format, clip), b"")
    with pytest.raises(PriorError, match=r"kandinsky/t2v cannot code a GOP of mode i2v; set mode=t2v"):
        priors["t2v"].condition(condition_of("i2v", video_format, clip), b"")
    with pytest.raises(BitstreamError, match=r"\(side\)"):
        priors["i2v"].condition(condition_of("i2v", video_format, clip), b"\0")


@pytest.mark.parametrize("size", [(2049, 16, 1), (16, 2049, 1), (16, 16, 510)])
def test_a_gop_beyond_the_positions_of_the_network_is_refused(priors, size):
    width, height, frames = size
    with pytest.raises(PriorError, match="codes at most 509 pictures of 2048x2048 at a time, and no"):
        priors["t2v"].condition(Condition(VideoFormat(width, height), frames), b"")


# The whole codec


@pytest.mark.parametrize(("mode", "extra"), [("t2v", {"lowres_steps": 2}), ("i2v", {"transition": "sde"})])
def test_a_stream_decodes_to_what_the_encoder_saw(folders, mode, extra):
    options = {"prior": f"kandinsky:{folders[mode]}", "mode": mode, "gop": 9, "quality": 10, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(33, 17), 12), **options, **extra)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folders):
    cases = [(f"kandinsky:{folder}", mode) for mode, folder in folders.items()]
    check_in_a_fresh_process(cases, VideoFormat(34, 18), 5, quality=20, prompt="a fox")


# Models and streams that don't fit


def test_a_mode_that_the_model_lacks_is_refused_before_anything_is_coded(folders):
    with pytest.raises(OptionError, match="kandinsky/i2v cannot work in mode=flf2v; valid: i2v"):
        Encoder(VideoFormat(32, 32), {"prior": f"kandinsky:{folders['i2v']}", "mode": "flf2v"})


def test_other_weights_than_the_streams_are_refused(folders, tmp_path):
    options = {"prior": f"kandinsky:{folders['t2v']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(16, 16), 1)), **options)
    with pytest.raises(PriorError, match="other weights of kandinsky/t2v"):
        decode(extradata, packets, prior=f"kandinsky:{build_tiny_kandinsky(tmp_path, 't2v', seed=1)}")
    with pytest.raises(PriorError, match="made with the prior kandinsky/t2v, but kandinsky/i2v was given"):
        decode(extradata, packets, prior=f"kandinsky:{folders['i2v']}")


TRANSFORMER = "transformer/config.json"
BROKEN = {
    "pictures only": (
        lambda f: rewrite(f / "model_index.json", _class_name="Kandinsky5T2IPipeline"),
        "not a Kandinsky",
    ),
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
    "sparse": (
        lambda f: rewrite(f / TRANSFORMER, attention_type="nabla"),
        "sparse attention .* Lite model of 5 seconds",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(tmp_path, name):
    check_broken("kandinsky", build_tiny_kandinsky(tmp_path, "t2v"), *BROKEN[name])


@pytest.mark.parametrize("part", ["text_encoder_2", "tokenizer_2"])
def test_a_second_text_encoder_that_is_not_there_is_named(tmp_path, part):
    folder = build_tiny_kandinsky(tmp_path, "t2v")
    remove(folder / part)
    prior = open_prior(f"kandinsky:{folder}")
    with pytest.raises(PriorError, match=f"neither {part}/ nor an embedding of the prompt 'a fox'"):
        prior.embed_text("a fox")


def test_an_embedding_in_the_folder_replaces_the_text_encoders(tmp_path):
    folder = build_tiny_kandinsky(tmp_path, "t2v")
    remove(folder / "text_encoder")
    prior, path = open_prior(f"kandinsky:{folder}"), folder / "gvc_prompt_embedding.safetensors"
    tensors = {
        "prompt_embeds_qwen": torch.ones(1, 7, TEXT_CHANNELS),
        "prompt_embeds_clip": torch.ones(1, POOLED_CHANNELS),
    }
    save_file(tensors, path, {"prompt": ""})
    assert prior.embed_text("")["text_rope_pos"].tolist() == list(range(7))
    save_file(tensors | {"prompt_embeds_clip": torch.ones(1, 4)}, path, {"prompt": "a fox"})
    with pytest.raises(PriorError, match="of another model than kandinsky/t2v; delete it"):
        prior.embed_text("a fox")
