# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan models with one network for high and one for low noise: when each computes, and what a damaged one says."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from smooth import condition_of, picture, smooth_clip
from tiny_wan import BOUNDARIES, build_tiny_wan, tiny_pipeline

from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import PriorError
from gvc.media import Picture, VideoFormat
from gvc.prior import ModelOptions
from gvc.priors.wan import LowNoise, WanPrior

FORMAT = VideoFormat(48, 32)
TIMES = (0.95, 0.5, 0.95)
WEIGHTS = "diffusion_pytorch_model.safetensors"
KIND = "2.2-t2v"


@pytest.fixture
def folder(wan_folders, tmp_path):
    """Return a copy of a model that a test may damage."""
    return shutil.copytree(wan_folders[KIND], tmp_path / "wan")


def velocities(prior):
    """Return the velocities of a fixed state at TIMES."""
    ours = prior.condition(condition_of("t2v", FORMAT, smooth_clip(FORMAT, 5)), b"")
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(1))
    return [ours.velocity(x, t) for t in TIMES]


def change_json(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


# Which network computes


@pytest.mark.parametrize(("kind", "boundary"), BOUNDARIES.items())
def test_the_second_network_computes_below_the_boundary_and_is_loaded_then(wan_folders, kind, boundary):
    prior = WanPrior.from_pretrained(wan_folders[kind])
    high = prior.network_at(1.0)
    assert prior.network_at(boundary) is high and prior.pipeline.transformer_2 is None
    low = prior.network_at(boundary - 1e-6)
    assert low is prior.pipeline.transformer_2 is not high
    assert prior.network_at(1.0) is high and prior.network_at(0.01) is low
    weights = load_file(wan_folders[kind] / "transformer_2" / WEIGHTS)
    assert torch.equal(dict(low.named_parameters())["proj_out.weight"], weights["proj_out.weight"])


def test_a_stream_that_ends_above_the_boundary_needs_one_network_only(folder):
    change_json(folder / "model_index.json", boundary_ratio=0.5)
    packets, clip = [], smooth_clip(FORMAT, 5)
    coding, decoding = (WanPrior.from_pretrained(folder) for _ in range(2))
    options = {"preset": "fast", "prior": f"wan:{folder}", "mode": "t2v", "quality": 0}
    encoder = Encoder(FORMAT, options, opener=lambda *_: coding)
    for given in [*(Picture(picture(clip, i), pts=i, duration=1) for i in range(5)), None]:
        packets += encoder.encode(given)
    for realism, loaded in ((0, False), (1, True)):  # With realism the flow is followed to its end.
        decoder = Decoder(encoder.extradata, {"prior": f"wan:{folder}", "realism": realism}, opener=lambda *_: decoding)
        assert sum(len(decoder.decode(packet)) for packet in packets) == 5
        assert (decoding.pipeline.transformer_2 is not None) == loaded
    assert coding.pipeline.transformer_2 is None


@pytest.mark.parametrize("offload", ["model", "group"])
def test_both_networks_are_offloaded_and_compute_the_same(wan_priors, offload):
    """Diffusers' hooks for offloading also work on the CPU, although without a benefit; so they can be tested there."""
    other, parts = wan_priors[KIND], tiny_pipeline(KIND).components
    low_noise = LowNoise(BOUNDARIES[KIND], lambda: parts["transformer_2"])
    networks, options = {name: parts[name] for name in ("transformer", "vae")}, ModelOptions(offload=offload)
    prior = WanPrior(KIND, other.weights_hash, networks, prompts=other.prompts, options=options, low_noise=low_noise)
    for ours, expected in zip(velocities(prior), velocities(other), strict=True):
        assert torch.allclose(ours, expected, atol=1e-5)


def test_both_networks_are_quantised(wan_priors, wan_folders):
    pytest.importorskip("torchao")
    prior = WanPrior.from_pretrained(wan_folders[KIND], ModelOptions(quantize="int8"))
    for ours, expected in zip(velocities(prior), velocities(wan_priors[KIND]), strict=True):
        assert 0 < (ours - expected).abs().mean() < 0.1 * expected.std()
    assert prior.weights_hash != wan_priors[KIND].weights_hash


# Identity


def test_both_networks_and_the_boundary_are_in_the_hash(folder):
    hashes = {WanPrior.from_pretrained(folder).weights_hash}
    second = folder / "transformer_2"
    change_json(folder / "model_index.json", boundary_ratio=0.85)
    hashes.add(WanPrior.from_pretrained(folder).weights_hash)
    change_json(second / "config.json", eps=1e-5)
    hashes.add(WanPrior.from_pretrained(folder).weights_hash)
    save_file({name: 2 * tensor for name, tensor in load_file(second / WEIGHTS).items()}, second / WEIGHTS)
    hashes.add(WanPrior.from_pretrained(folder).weights_hash)
    assert len(hashes) == 4


# Damaged models


@pytest.mark.parametrize(
    "change",
    [{"boundary_ratio": None}, {"boundary_ratio": 1.5}, {"boundary_ratio": "0.9"}, {"transformer_2": [None, None]}],
)
def test_half_a_pair_of_networks_is_refused(folder, change):
    change_json(folder / "model_index.json", **change)
    with pytest.raises(PriorError, match=r"must name both transformer_2 and a boundary_ratio .*; fetch the"):
        WanPrior.from_pretrained(folder)


def test_a_missing_second_network_is_noticed_at_once(folder):
    (folder / "transformer_2" / WEIGHTS).unlink()
    with pytest.raises(PriorError, match=r"transformer_2 has no \*\.safetensors; fetch the model again"):
        WanPrior.from_pretrained(folder)
    shutil.rmtree(folder / "transformer_2")
    with pytest.raises(PriorError, match=r"transformer_2 has no config\.json"):
        WanPrior.from_pretrained(folder)


def test_a_second_network_that_cannot_be_used_is_refused_when_it_is_needed(folder, wan_folders, tmp_path):
    weights = folder / "transformer_2" / WEIGHTS
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(PriorError, match=r"cannot load .*transformer_2 .*fetch the model again"):
        velocities(WanPrior.from_pretrained(folder))
    weights.write_bytes(content)
    prior = WanPrior.from_pretrained(folder)
    shutil.copy(build_tiny_wan(tmp_path / "other", KIND, seed=1) / "transformer_2" / WEIGHTS, weights)
    with pytest.raises(PriorError, match=r"transformer_2 have changed since the model was opened; open it again"):
        velocities(prior)
    shutil.rmtree(folder / "transformer_2")
    shutil.copytree(wan_folders["2.2-i2v"] / "transformer_2", folder / "transformer_2")
    with pytest.raises(PriorError, match=r"the networks of .* have different in_channels; fetch the model again"):
        velocities(WanPrior.from_pretrained(folder))
