# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LoRAs: what they change, that they are part of a model's identity, and files that cannot be used."""

from pathlib import Path

import pytest
import torch
from clips import decode, encode
from safetensors.torch import save_file
from smooth import condition_of, smooth_clip
from test_cli import clip, gvc
from tiny_kandinsky import build_tiny_kandinsky
from tiny_lora import RANK, TARGET, changes, write
from tiny_ltx import build_tiny_ltx
from tiny_ltx2 import build_tiny_ltx2
from tiny_sana import build_tiny_sana
from tiny_skyreels import build_tiny_skyreels

from gvc.errors import OptionError, PriorError
from gvc.media import Picture, VideoFormat
from gvc.prior import ModelOptions
from gvc.priors import open_prior
from gvc.priors.lora_files import Lora, parse_loras, rooted_loras
from gvc.priors.pool import PriorPool

TARGETS = {  # a linear layer of each family's network, by diffusers' names
    "wan": TARGET,
    "ltx": "transformer_blocks.0.attn1.to_q",
    "ltx2": "transformer_blocks.0.attn1.to_q",
    "skyreels": "blocks.0.attn1.to_q",
    "sana": "transformer_blocks.0.attn1.to_q",
    "kandinsky": "visual_transformer_blocks.0.self_attention.to_query",
}


@pytest.fixture(scope="module")
def loras(wan_priors, tmp_path_factory):
    """Return the files of two LoRAs for Wan."""
    folder, network = tmp_path_factory.mktemp("loras"), wan_priors["t2v"].network
    return [write(folder / f"{seed}.safetensors", *changes(network, TARGET, seed)) for seed in (0, 1)]


def opened(folder, lora, family="wan"):
    return open_prior(f"{family}:{folder}", ModelOptions(lora=lora))


# What a LoRA changes


def folder_of(family, wan_folders, folder):
    match family:
        case "wan":
            return wan_folders["t2v"]
        case "ltx":
            return build_tiny_ltx(folder, "0.9.5")
        case "ltx2":
            return build_tiny_ltx2(folder, "2.3")
        case "sana":
            return build_tiny_sana(folder, "480p")
        case "skyreels":
            return build_tiny_skyreels(folder)
    return build_tiny_kandinsky(folder, "t2v")


@pytest.mark.parametrize("family", TARGETS)
def test_weights_are_those_of_the_model_plus_the_changes(family, wan_folders, tmp_path):
    folder, target = folder_of(family, wan_folders, tmp_path / "model"), TARGETS[family]
    before = open_prior(f"{family}:{folder}").network
    down, up = changes(before, target)
    after = opened(folder, f"{write(tmp_path / 'a.safetensors', down, up, target)}:0.5", family).network
    assert type(after.get_submodule(target)) is type(before.get_submodule(target))
    changed = dict(after.named_parameters())
    for name, weights in before.named_parameters():
        expected = weights + 0.5 * up @ down if name == f"{target}.weight" else weights
        assert torch.allclose(changed[name], expected, atol=1e-6), name
    assert len(changed) == len(dict(before.named_parameters()))


def test_several_are_added(wan_folders, wan_priors, loras):
    network = opened(wan_folders["t2v"], f"{loras[0]},{loras[1]}:-2").network
    expected = wan_priors["t2v"].network.get_submodule(TARGET).weight.clone()
    for seed, weight in ((0, 1), (1, -2)):
        down, up = changes(network, TARGET, seed)
        expected += weight * up @ down
    assert torch.allclose(network.get_submodule(TARGET).weight, expected, atol=1e-5)


def test_what_a_lora_changes_of_sound_has_no_effect(tmp_path):
    folder, path = build_tiny_ltx2(tmp_path / "model", "2.3"), tmp_path / "sound.safetensors"
    network = open_prior(f"ltx2:{folder}").network
    sound = changes(network, TARGETS["ltx2"])  # Of any shape: the layer for sound is not there
    write(path, *sound, target="transformer_blocks.0.audio_attn1.to_q")
    with pytest.raises(PriorError, match="changes nothing that GVC uses of this model"):
        opened(folder, str(path), "ltx2")


def test_layouts_of_other_programs_are_read(wan_folders, wan_priors, loras, tmp_path):
    """This one has names of Wan's own code, and a scale: alpha / rank = 1 / 2."""
    down, up = changes(wan_priors["t2v"].network, TARGET)
    name = "diffusion_model.blocks.0.self_attn.q"
    weights = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(1.0)}
    save_file(weights, tmp_path / "other.safetensors")
    theirs = opened(wan_folders["t2v"], str(tmp_path / "other.safetensors")).network.get_submodule(TARGET).weight
    ours = opened(wan_folders["t2v"], f"{loras[0]}:0.5").network.get_submodule(TARGET).weight
    assert torch.allclose(theirs, ours, atol=1e-6)


def test_int8_weights_are_those_with_the_changes(wan_folders, loras):
    pytest.importorskip("torchao")
    options = ModelOptions(quantize="int8", dtype="float32", lora=str(loras[0]))
    weights = open_prior(f"wan:{wan_folders['t2v']}", options).network.get_submodule(TARGET).weight.dequantize()
    exact = opened(wan_folders["t2v"], str(loras[0])).network.get_submodule(TARGET).weight
    assert 0 < (weights - exact).abs().max() < 0.02 * exact.abs().max()


def velocities(prior):
    """Return the velocities of a GOP for much and for little noise."""
    video_format = VideoFormat(16, 16)
    ours = prior.condition(condition_of("t2v", video_format, smooth_clip(video_format, 5)), b"")
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(0))
    return [ours.velocity(x, t) for t in (0.95, 0.5)]


@pytest.mark.parametrize("networks", [("high",), ("low",), ("high", "low")])
def test_each_of_two_networks_has_its_own(wan_folders, wan_priors, loras, networks):
    lora = ",".join(f"{path}:0.5:{network}" for path, network in zip(loras, networks, strict=False))
    pairs = zip(velocities(opened(wan_folders["2.2-t2v"], lora)), velocities(wan_priors["2.2-t2v"]), strict=True)
    assert [not torch.equal(a, b) for a, b in pairs] == ["high" in networks, "low" in networks]


# Identity


def test_contents_weight_order_and_network_are_part_of_the_identity(wan_folders, wan_priors, loras, tmp_path):
    a, b = loras
    copy = write(tmp_path / "copy.safetensors", *changes(wan_priors["t2v"].network, TARGET))
    specs = ["", f"{a}", f"{a}:0.5", f"{b}", f"{a},{b}", f"{b},{a}"]
    hashes = [opened(wan_folders["t2v"], spec).weights_hash for spec in specs]
    assert len(set(hashes)) == len(specs)
    assert opened(wan_folders["t2v"], f"{copy}:1.0").weights_hash == hashes[1]  # Neither the place nor the form counts
    two = [opened(wan_folders["2.2-t2v"], f"{a}:{network}").weights_hash for network in ("high", "low")]
    assert len({*two, wan_priors["2.2-t2v"].weights_hash}) == 3


@pytest.fixture(scope="module")
def stream(wan_folders, loras):
    """Return a stream that was made with a LoRA: extradata and packets."""
    video_format = VideoFormat(32, 32)
    planes = smooth_clip(video_format, 5)
    pictures = [Picture(tuple(plane[i] for plane in planes), pts=i, duration=1) for i in range(5)]
    how = {"prior": f"wan:{wan_folders['t2v']}", "mode": "t2v", "gop": 5, "quality": 60, "preset": "fast"}
    return encode(pictures, video=video_format, lora=f"{loras[0]}:0.5", **how)[:2]


@pytest.mark.parametrize("other", ["", "{0}", "{1}:0.5"])
def test_a_stream_wants_the_same_lora(stream, wan_folders, loras, other):
    extradata, packets = stream
    with pytest.raises(PriorError, match=r"other weights of wan/t2v .* quantize and lora as the encoder did"):
        decode(extradata, packets, prior=f"wan:{wan_folders['t2v']}", lora=other.format(*loras))


def test_a_shared_model_is_loaded_again_for_another_lora_or_file(wan_folders, wan_priors, tmp_path):
    pool, path = PriorPool(), tmp_path / "a.safetensors"
    network = wan_priors["t2v"].network

    def hash_of(lora):
        with pool.lending(lambda: None) as opener:
            return opener(f"wan:{wan_folders['t2v']}", ModelOptions(lora=lora)).weights_hash

    hashes = [hash_of("")]
    for seed in (0, 1):
        write(path, *changes(network, TARGET, seed))
        hashes += [hash_of(str(path)), hash_of(f"{path}:0.5")]
    assert len(set(hashes)) == 5


# The option


def test_the_option_names_files_weights_and_networks():
    assert parse_loras("") == ()
    assert parse_loras("a.safetensors,dir/b.st:0.5,c:1:low,d:high,e:x:-2e-1") == (
        Lora(Path("a.safetensors")),
        Lora(Path("dir/b.st"), 0.5),
        Lora(Path("c"), 1.0, "low"),
        Lora(Path("d"), 1.0, "high"),
        Lora(Path("e:x"), -0.2),
    )
    assert parse_loras(rooted_loras("a,/b:2:low", "/here")) == (Lora(Path("/here/a")), Lora(Path("/b"), 2.0, "low"))
    for wrong in (",", "a,", "a:nan", "a:inf"):
        with pytest.raises(OptionError, match="write FILE, FILE:WEIGHT"):
            parse_loras(wrong)


def test_the_flag_may_be_repeated(loras, tmp_path):
    source = clip(tmp_path / "source.mkv", frames=2)
    words = ("--prior", "gp", "--lora", loras[0], "--lora", tmp_path / "missing.safetensors")
    said = gvc("encode", source, tmp_path / "out.mkv", *words, code=4).stderr
    assert said.count("\n") == 1 and f"there is no file {tmp_path}/missing.safetensors" in said


@pytest.mark.parametrize("prior", ["gp", "neural", "hunyuan"])
def test_some_priors_take_none(prior, loras, tmp_path):
    spec = f"hunyuan:{tmp_path}" if prior == "hunyuan" else prior
    with pytest.raises(PriorError, match=f"the prior {prior} takes no LoRA; leave out lora"):
        open_prior(spec, ModelOptions(lora=str(loras[0])))


@pytest.mark.parametrize(
    ("kind", "lora", "what"),
    [
        ("2.2-t2v", "{0}", "has two networks; append :high or :low"),
        ("t2v", "{0}:high", "has one network; leave out :high"),
        ("t2v", "{0}:0.5:low", "has one network; leave out :low"),
    ],
)
def test_a_lora_is_for_the_networks_that_there_are(wan_folders, loras, kind, lora, what):
    with pytest.raises(PriorError, match=what):
        opened(wan_folders[kind], lora.format(*loras))


# Files


def wrong_file(kind, path, network):
    """Write a file that is no LoRA for Wan, of one of several kinds."""
    down, up = changes(network, TARGET)
    match kind:
        case "broken":
            path.write_bytes(write(path, down, up).read_bytes()[:-8])
        case "text":
            path.write_text("no tensors")
        case "empty":
            save_file({}, path)
        case "another family":
            write(path, down, up, TARGETS["ltx"])
        case "text encoder":
            write(path, down, up, prefix="text_encoder.")
        case "larger model":
            write(path, torch.zeros(RANK, 4 * down.shape[1]), torch.zeros(4 * up.shape[0], RANK))
        case "not a number":
            write(path, down, up * torch.nan)
        case "DoRA":
            name = f"transformer.{TARGET}"
            scale = {f"{name}.dora_scale": torch.ones(len(up))}
            save_file(scale | {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("missing", "there is no file .*; name the file of a LoRA"),
        ("broken", "is no file of safetensors"),
        ("text", "is no file of safetensors"),
        ("empty", "other changes to weights than those of a plain LoRA"),
        ("another family", "is for another model: this one has no transformer_blocks"),
        ("text encoder", "is for another model: this one has no text_encoder"),
        ("larger model", "cannot be added"),
        ("not a number", "cannot be added"),
        ("DoRA", "other changes to weights than those of a plain LoRA"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_sentence(wan_folders, wan_priors, tmp_path, kind, what):
    path = tmp_path / "wrong.safetensors"
    wrong_file(kind, path, wan_priors["t2v"].network)
    with pytest.raises(PriorError, match=what) as caught:
        opened(wan_folders["t2v"], str(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
