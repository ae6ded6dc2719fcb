# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The SkyReels prior on tiny random weights: vectors, velocity, whole streams, and models that it cannot use."""

from fractions import Fraction

import pytest
import torch
from clips import decode, encode
from smooth import condition_of, picture, smooth_clip
from tiny_skyreels import build_tiny_skyreels
from tiny_wan import LATENT_CHANNELS
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

from gvc.errors import BitstreamError, PriorError
from gvc.media import VideoFormat
from gvc.prior import Condition, ModelOptions
from gvc.priors import open_prior
from gvc.priors.skyreels import SkyReelsPrior

MODES = ("t2v", "i2v", "flf2v")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_tiny_skyreels(tmp_path_factory.mktemp("skyreels"))


@pytest.fixture(scope="module")
def prior(folder):
    return open_prior(f"skyreels:{folder}")


# Vectors


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(34, 17, 6), (16, 16, 1), (1, 33, 2)])
def test_any_size_and_length_comes_back_with_its_own_shape(prior, mode, size):
    width, height, frames = size
    shown = "i2v" if mode == "flf2v" and frames == 1 else mode
    ours = check_shapes(prior, shown, VideoFormat(width, height), frames)
    assert len(ours.blocks) == (frames + 2) // 4 + (mode == "t2v")


def test_only_the_first_latent_frame_is_left_out_of_the_vector(prior):
    """The VAE is causal, so that frame depends on the first picture alone. The last one shares its latent frame."""
    video_format = VideoFormat(32, 32)
    clip = smooth_clip(video_format, 9)
    x0 = conditioned(prior, "t2v", video_format, clip).encode_latent(clip)
    for mode in ("i2v", "flf2v"):
        rest = conditioned(prior, mode, video_format, clip)
        assert torch.equal(rest.encode_latent(clip), x0[LATENT_CHANNELS * 16 :])
        assert len(rest.tail) == LATENT_CHANNELS and rest.tail[-1].stop == rest.size


# Velocity


@pytest.mark.parametrize("mode", MODES)
def test_velocity_is_a_function_of_state_time_and_conditions(prior, folder, mode):
    check_velocity(prior, SkyReelsPrior.from_pretrained(folder), mode, VideoFormat(48, 32), "a red fox")


def test_the_last_picture_counts(prior):
    video_format = VideoFormat(32, 32)
    clip, other = (smooth_clip(video_format, 5, seed) for seed in (0, 1))
    conditions = [Condition(video_format, 5, picture(clip, 0), picture(last, -1)) for last in (clip, other)]
    x = torch.ones(LATENT_CHANNELS * 16)
    assert not torch.equal(*(prior.condition(c, b"").velocity(x, 0.5) for c in conditions))


def test_the_smaller_model_knows_16_pictures_a_second_from_all_other_rates(prior, tmp_path):
    larger = open_prior(f"skyreels:{build_tiny_skyreels(tmp_path, '14b')}")
    clip, x = smooth_clip(VideoFormat(16, 16), 1), torch.ones(LATENT_CHANNELS * 4)
    for model, differs in ((prior, True), (larger, False)):
        formats = [VideoFormat(16, 16, frame_rate=Fraction(rate)) for rate in (24, 0, 60, 16)]
        usual, *others, slow = (conditioned(model, "t2v", f, clip).velocity(x, 0.5) for f in formats)
        assert all(torch.equal(velocity, usual) for velocity in others)
        assert torch.equal(slow, usual) != differs


def test_lower_precision_gives_nearly_the_same_velocity(prior, folder):
    video_format = VideoFormat(48, 32)
    clip = smooth_clip(video_format, 9)
    rough = SkyReelsPrior.from_pretrained(folder, ModelOptions(dtype="bfloat16"))
    ours, rough = (conditioned(p, "flf2v", video_format, clip) for p in (prior, rough))
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(1))
    velocity, other = ours.velocity(x, 0.7), rough.velocity(x, 0.7)
    assert other.dtype == torch.float32 and not torch.equal(velocity, other)
    assert (velocity - other).norm() < 0.05 * velocity.norm()


def test_conditions_that_the_model_cannot_have_are_refused(prior):
    video_format = VideoFormat(16, 16)
    clip = smooth_clip(video_format, 5)
    with pytest.raises(PriorError, match="only a last picture; set mode=t2v or i2v or flf2v"):
        prior.condition(Condition(video_format, 5, None, picture(clip, -1)), b"")
    with pytest.raises(BitstreamError, match=r"\(side\)"):
        prior.condition(condition_of("i2v", video_format, clip), b"\0")


# The whole codec


@pytest.mark.parametrize(
    ("mode", "transition"), [("t2v", "ancestral"), ("i2v", "ancestral"), ("flf2v", "ancestral"), ("flf2v", "sde")]
)
def test_a_stream_decodes_to_what_the_encoder_saw(folder, mode, transition):
    options = {"prior": f"skyreels:{folder}", "mode": mode, "gop": 9, "quality": 20, "preset": "fast"}
    check_stream(smooth_clip(VideoFormat(33, 17), 12), transition=transition, **options)


def test_bytes_decode_in_a_fresh_process_to_what_the_encoder_saw(folder):
    cases, video_format = [(f"skyreels:{folder}", mode) for mode in MODES], VideoFormat(34, 18, frame_rate=Fraction(16))
    check_in_a_fresh_process(cases, video_format, 5, quality=20, prompt="a fox")


# Models and streams that don't fit


def test_other_weights_than_the_streams_are_refused(folder, tmp_path):
    options = {"prior": f"skyreels:{folder}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode(pictures_of(smooth_clip(VideoFormat(16, 16), 1)), **options)
    with pytest.raises(PriorError, match="other weights of skyreels/df"):
        decode(extradata, packets, prior=f"skyreels:{build_tiny_skyreels(tmp_path, seed=1)}")
    with pytest.raises(PriorError, match="give its weights with prior=skyreels:FOLDER"):
        decode(extradata, packets)


BROKEN = {
    "another pipeline": (lambda f: rewrite(f / "model_index.json", _class_name="SkyReelsV2Pipeline"), "not a SkyReels"),
    "no transformer": (lambda f: remove(f / "transformer"), "has no config.json"),
    "no weights": (lambda f: remove(f / "vae/diffusion_pytorch_model.safetensors"), r"has no \*.safetensors"),
    "blocks": (lambda f: rewrite(f / "transformer/config.json", num_frame_per_block=3), "no SkyReels-V2 DF model"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_complete_model_is_refused_in_one_sentence(tmp_path, name):
    check_broken("skyreels", build_tiny_skyreels(tmp_path), *BROKEN[name])
