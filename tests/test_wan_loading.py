# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan's weights: how they are found, identified, loaded and run, and the errors for damaged ones."""

import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from accelerate import cpu_offload
from safetensors.torch import load_file, save_file
from smooth import condition_of, smooth_clip
from tiny_wan import FLAVOURS, build_tiny_wan, tiny_pipeline

from gvc.bitstream import SequenceHeader
from gvc.errors import PriorError
from gvc.media import VideoFormat
from gvc.prior import ModelOptions
from gvc.priors import prior_for
from gvc.priors.wan import WanPrior

FORMAT = VideoFormat(48, 32)
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(wan_folders, tmp_path):
    """Return a copy of a model that a test may damage."""
    return shutil.copytree(wan_folders["i2v"], tmp_path / "wan")


def conditioned(prior, video_format=FORMAT, frames=5):
    clip = smooth_clip(video_format, frames)
    return prior.condition(condition_of(prior.modes[0], video_format, clip), b"")


def velocity(prior):
    """Return the velocity of a fixed state."""
    ours = conditioned(prior)
    return ours.velocity(torch.randn(ours.size, generator=torch.Generator().manual_seed(1)), 0.5)


def change_json(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


# How a model runs


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_near_float32(wan_priors, wan_folders, dtype):
    prior = WanPrior.from_pretrained(wan_folders["i2v"], ModelOptions(dtype=dtype))
    half, full = velocity(prior), velocity(wan_priors["i2v"])
    assert half.dtype == torch.float32 and 0 < (half - full).abs().mean() < 0.05 * full.std()
    assert {p.dtype for p in prior.vae.parameters()} == {torch.float32}


@pytest.mark.parametrize("offload", ["model", "sequential", "group"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_offloaded_networks_compute_the_same(wan_priors, flavour, offload):
    """Diffusers' hooks for offloading also work on the CPU, although without a benefit; so they can be tested there."""
    other, parts = wan_priors[flavour], tiny_pipeline(flavour).components
    networks = {
        name: parts[name] for name in ("transformer", "vae", "image_encoder", "image_processor") if name in parts
    }
    options = ModelOptions(offload=offload if offload != "sequential" else "none")
    prior = WanPrior(flavour, other.weights_hash, networks, prompts=other.prompts, options=options)
    pipeline = prior.pipeline
    # The pipeline's method would name the device cpu:0, which accelerate considers another device.
    if offload == "sequential":
        for network in (pipeline.transformer, pipeline.vae, getattr(pipeline, "image_encoder", None)):
            network and cpu_offload(network, torch.device("cpu"), offload_buffers=True)
    assert torch.allclose(velocity(prior), velocity(other), atol=1e-5)
    x0 = torch.zeros(conditioned(other).size)
    for a, b in zip(conditioned(prior).decode_latent(x0, 0), conditioned(other).decode_latent(x0, 0), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def test_offload_needs_an_accelerator(wan_folders):
    with pytest.raises(PriorError, match=r"offload=group moves parts .* device=\.\.\., or leave offload=none"):
        WanPrior.from_pretrained(wan_folders["t2v"], ModelOptions(offload="group"))


def test_tiles_give_about_the_same_pictures(wan_priors, wan_folders):
    video_format = VideoFormat(320, 48)
    clip = smooth_clip(video_format, 5)
    tiled = WanPrior.from_pretrained(wan_folders["t2v"], ModelOptions(tiling=True))
    whole, parts = (conditioned(prior, video_format) for prior in (wan_priors["t2v"], tiled))
    latent = whole.encode_latent(clip)
    assert 0 < (parts.encode_latent(clip) - latent).abs().mean() < 0.05 * latent.std()
    for a, b in zip(whole.decode_latent(latent, 0), parts.decode_latent(latent, 0), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 1 and a.shape == b.shape


@pytest.mark.parametrize(("device", "problem"), [("cuda:99", "cuda:99"), ("toaster", "toaster")])
def test_a_device_that_is_not_there_is_refused(wan_folders, device, problem):
    with pytest.raises(PriorError, match=f"device {problem} cannot be used .*; name another device"):
        WanPrior.from_pretrained(wan_folders["t2v"], ModelOptions(device=device))


def test_too_little_memory_is_said(wan_priors):
    # The picture is so large that glibc cannot place its arrays in memory freed before.
    ours = conditioned(wan_priors["t2v"], VideoFormat(1024, 1024), frames=1)
    x = ours.zeros()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 23), limits[1]))
    try:
        with pytest.raises(PriorError, match="too little memory for 1 pictures of 1024x1024; try tiling=1"):
            ours.decode_latent(x, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert ours.decode_latent(x, 0)[0].shape == (1, 1024, 1024)


def test_without_the_quantising_library_its_package_is_named(wan_folders, monkeypatch):
    for quantize, package in (("int8", "torchao"), ("nf4", "bitsandbytes")):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f"{package}.quantization", None)
        with pytest.raises(PriorError, match=f"quantize={quantize} needs .* pip install {package}"):
            WanPrior.from_pretrained(wan_folders["t2v"], ModelOptions(quantize=quantize))


def test_int8_weights_stay_near_and_have_another_hash(wan_priors, wan_folders, tmp_path):
    pytest.importorskip("torchao")
    prior = WanPrior.from_pretrained(wan_folders["i2v"], ModelOptions(quantize="int8"))
    assert 0 < (velocity(prior) - velocity(wan_priors["i2v"])).abs().mean() < 0.1 * velocity(wan_priors["i2v"]).std()
    assert prior.weights_hash != wan_priors["i2v"].weights_hash
    folder = shutil.copytree(wan_folders["i2v"], tmp_path / "quantised")
    prior.network.save_pretrained(folder / "transformer")
    assert torch.equal(velocity(WanPrior.from_pretrained(folder, ModelOptions(dtype="bfloat16"))), velocity(prior))
    with pytest.raises(PriorError, match="quantised already; leave quantize=none"):
        WanPrior.from_pretrained(folder, ModelOptions(quantize="int8"))


# Identity


def test_name_and_hash_tell_models_apart(wan_priors, wan_folders, tmp_path):
    assert [wan_priors[flavour].name for flavour in FLAVOURS] == ["wan/t2v", "wan/i2v", "wan/flf2v"]
    same, other = build_tiny_wan(tmp_path / "a", "t2v"), build_tiny_wan(tmp_path / "b", "t2v", seed=1)
    assert identity(same) == wan_priors["t2v"].weights_hash != identity(other)
    shutil.copy(other / "vae" / WEIGHTS, same / "vae" / WEIGHTS)
    assert identity(same) not in (wan_priors["t2v"].weights_hash, identity(other))
    assert len(wan_priors["t2v"].weights_hash) == 8


def identity(folder):
    return WanPrior.from_pretrained(folder).weights_hash


def test_all_that_decides_decoding_is_in_the_hash(folder, wan_folders):
    before = identity(folder)
    change_json(folder / "transformer/config.json", _name_or_path="elsewhere", _diffusers_version="0.1")
    config = folder / "vae/config.json"
    config.write_text(json.dumps(dict(reversed(json.loads(config.read_text()).items())), indent=9))
    assert identity(folder) == before  # Keys about a model's origin do not change its identity.
    hashes = {before}
    change_json(folder / "transformer/config.json", eps=1e-5)
    hashes.add(identity(folder))
    change_json(folder / "image_encoder/config.json", layer_norm_eps=1e-4)
    hashes.add(identity(folder))
    change_json(folder / "image_processor/preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])
    hashes.add(identity(folder))
    weights = folder / "image_encoder/model.safetensors"
    save_file({name: 2 * tensor for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    hashes.add(identity(folder))
    assert len(hashes) == 5


def test_digests_of_large_files_are_kept_but_never_for_another_file(tmp_path, monkeypatch):
    from gvc.priors.weights import file_digest

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path, content = tmp_path / "weights", bytes(3 << 20)
    path.write_bytes(content)
    first = file_digest(path)
    (note,) = (tmp_path / "cache/gvc/digests").iterdir()
    note.write_text(note.read_text().replace(first.hex(), "ab" * 32))
    assert file_digest(path) == bytes.fromhex("ab" * 32)  # The file was not read again.
    path.write_bytes(b"1" + content[1:])
    os.utime(path, ns=(1, 1))
    changed = file_digest(path)
    assert changed not in (first, bytes.fromhex("ab" * 32)) and file_digest(path) == changed
    note.write_text("no JSON")
    assert file_digest(path) == changed
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))  # A file in place of the folder, so nothing can be cached.
    assert file_digest(path) == changed


def test_a_stream_made_with_quantised_weights_says_how_to_decode_it(wan_folders, wan_priors):
    header = SequenceHeader(format=FORMAT, mode="t2v", transition="ancestral", prior="wan/t2v")
    with pytest.raises(PriorError, match=r"other weights of wan/t2v .* quantize and lora as the encoder did"):
        prior_for(header, f"wan:{wan_folders['t2v']}")


# Paths and damaged models


def test_a_folder_that_is_not_there_is_refused_at_once(tmp_path):
    script = f"import sys; from gvc.priors import open_prior\ntry: open_prior('wan:{tmp_path}/nowhere')\n"
    script += "except LookupError as error: print(error, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("there is no folder") and done.stdout.endswith("False\n")


HUB = """
import sys
from gvc.priors import open_prior
for name in sys.argv[1:]:
    try:
        print(open_prior("wan:" + name).weights_hash.hex())
    except LookupError as error:
        print(error)
"""


def test_models_of_the_hub_are_found_by_name(wan_folders, wan_priors, tmp_path):
    """The model is in a copy of the hub client's cache, so no connection is needed."""
    model = tmp_path / "hub/models--somebody--tiny-wan"
    shutil.copytree(wan_folders["t2v"], model / "snapshots/0123456789", ignore=shutil.ignore_patterns("text_encoder"))
    (model / "refs").mkdir()
    (model / "refs/main").write_text("0123456789")
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", HUB, "somebody/tiny-wan", "somebody/other"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found, missing = done.stdout.splitlines()
    assert found == wan_priors["t2v"].weights_hash.hex()
    assert "there is no folder somebody/other, and no model of this name can be fetched" in missing


def test_foreign_folders_are_refused(folder, tmp_path):
    with pytest.raises(PriorError, match=r"has no model_index\.json; name the folder"):
        WanPrior.from_pretrained(tmp_path)
    index = folder / "model_index.json"
    for change, what in (
        ({"_class_name": "WanAnimatePipeline"}, "a WanAnimatePipeline"),
        ({"_class_name": "LTXPipeline"}, "a LTXPipeline"),
    ):
        content = index.read_text()
        change_json(index, **change)
        with pytest.raises(PriorError, match=f"holds {what}, which GVC cannot use; use a T2V, I2V, .* or VACE"):
            WanPrior.from_pretrained(folder)
        index.write_text(content)
    index.write_text("[")
    with pytest.raises(PriorError, match=r"model_index\.json cannot be read"):
        WanPrior.from_pretrained(folder)


@pytest.mark.parametrize("part", ["transformer", "vae", "image_encoder"])
def test_damaged_and_missing_parts_are_named(folder, part):
    (weights,) = (folder / part).glob("*.safetensors")
    content = weights.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"\xff" * 64):
        weights.write_bytes(damaged)
        with pytest.raises(PriorError, match=f"cannot load .*{part} .*fetch the model again"):
            WanPrior.from_pretrained(folder)
    weights.unlink()
    with pytest.raises(PriorError, match=rf"{part} has no \*\.safetensors; fetch the model again"):
        WanPrior.from_pretrained(folder)
    shutil.rmtree(folder / part)
    with pytest.raises(PriorError, match=rf"{part} has no config\.json"):
        WanPrior.from_pretrained(folder)


@pytest.mark.parametrize("part", ["transformer", "image_encoder"])
def test_missing_weights_are_named(folder, part):
    (weights,) = (folder / part).glob("*.safetensors")
    tensors = load_file(weights)
    name = sorted(tensors)[0]
    save_file({key: value for key, value in tensors.items() if key != name}, weights, {"format": "pt"})
    with pytest.raises(PriorError, match=r"lacks the weights .* and 0 more; fetch the model again"):
        WanPrior.from_pretrained(folder)


def test_parts_that_do_not_fit_are_refused(folder, wan_folders):
    shutil.rmtree(folder / "image_processor")
    with pytest.raises(PriorError, match=r"cannot load .*image_processor"):
        WanPrior.from_pretrained(folder)
    shutil.rmtree(folder / "transformer")
    shutil.copytree(wan_folders["t2v"] / "vae", folder / "transformer")
    with pytest.raises(PriorError, match="fetch the model again"):
        WanPrior.from_pretrained(folder)
    build_tiny_wan(folder, "i2v")
    for changed, change in (
        ("model_index.json", {"expand_timesteps": True}),
        ("vae/config.json", {"scale_factor_temporal": 8}),
    ):
        content = (folder / changed).read_text()
        change_json(folder / changed, **change)
        with pytest.raises(PriorError, match="no Wan model that GVC knows"):
            WanPrior.from_pretrained(folder)
        (folder / changed).write_text(content)
