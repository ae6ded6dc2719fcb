# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The training of `wan-tiny`, with a clip of its own and very few steps."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan, WanVACEPipeline, WanVACETransformer3DModel
from diffusers.utils.logging import disable_progress_bar
from safetensors.torch import load_file

from gvc.priors import open_prior
from training.tiny import __main__ as tiny
from training.tiny import distil, flow, single_pass, vae
from training.tiny.clips import FORMAT, Clips
from training.tiny.models import TRANSFORMER, VAE

disable_progress_bar()
STEPS = 2
SCENES = ("moving_shapes_00.mp4", "gopro_karma_00.mp4")  # The second one is named like a held-out scene.


class Distance(torch.nn.Module):
    """Stands in for LPIPS, whose weights would have to be downloaded."""

    def __init__(self, net: str):
        super().__init__()

    def forward(self, pictures: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        return (pictures - others).abs().mean((1, 2, 3))


def make_clip(path: Path) -> None:
    """Write 35 pictures of coloured waves that drift."""
    y, x = np.mgrid[:208, :352] / 40
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", Fraction(25), options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 352, 208, "yuv420p"
        for t in range(35):
            waves = [np.sin(x * a + y * b + t / 10) * 90 + 128 for a, b in ((1, 2), (2, -1), (0.5, 0.7))]
            frame = av.VideoFrame.from_ndarray(np.stack(waves, 2).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def run(folder: Path, *more: object) -> None:
    """Run the recipe with the clips in `folder` and with smaller networks."""
    words = [folder / "out", folder / "media.tsv", "--windows", 1, "--crops", 3, "--threads", 1, *more]
    words += ["--vae_steps", STEPS, "--vae_batch", 1, "--decoder_steps", STEPS]
    words += ["--flow_steps", STEPS, "--flow_batch", 3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TRANSFORMER, "num_layers", 2)
        patch.setitem(VAE, "base_dim", 4)
        patch.setattr(vae, "Lpips", Distance)
        for module in (vae, flow):
            patch.setattr(module, "HELD_OUT_CLIPS", 1)
        patch.setattr(sys, "argv", ["training.tiny", *map(str, words)])
        tiny.main()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder in which the recipe has run with STEPS steps."""
    folder = tmp_path_factory.mktemp("tiny")
    rows = [f"clip\t{name}\tCC0-1.0\t\tmade by the test" for name in SCENES]
    (folder / "media.tsv").write_text("\n".join(["kind\tfile\tlicence\tnote\tsource", *rows, ""]))
    for name in SCENES:
        make_clip(folder / name)
    run(folder)
    return folder


def test_the_model_is_a_folder_of_diffusers_and_a_prior(folder):
    model = folder / "out" / "wan-tiny"
    pipeline = WanVACEPipeline.from_pretrained(model, dtype=torch.float32, tokenizer=None, text_encoder=None)
    assert pipeline.vae.config.scale_factor_spatial == 8
    prior = open_prior(f"wan:{model}")
    assert prior.name == "wan/vace" and prior.modes == ("t2v", "i2v", "flf2v")
    assert not [path for path in model.rglob("*.json") if str(folder) in path.read_text()]
    assert (model / "CREDITS.tsv").read_text() == (folder / "media.tsv").read_text()


def test_the_networks_are_small_enough_to_be_published():
    with torch.device("meta"):
        networks = WanVACETransformer3DModel(**TRANSFORMER), AutoencoderKLWan(**VAE)
    transformer, vae = (sum(p.numel() for p in network.parameters()) for network in networks)
    assert 3e6 < transformer < 10e6
    assert 2 * (transformer + vae) < 30e6  # bytes as float16


def test_latents_are_normalised(folder):
    latents = load_file(next((folder / "out" / "latents").glob("moving*")))
    clean = latents["clean_both"].float()
    assert clean.shape == (1, 16, 9, FORMAT.height // 8, FORMAT.width // 8)
    assert abs(clean.mean()) < 0.3 and 0.7 < clean.std() < 1.3
    # What is shown resembles the clip only where a picture is known.
    for name, last in (("first", False), ("both", True), ("both_short", True)):
        errors = (latents[f"shown_{name}"].float() - latents[f"clean_{name}"].float()).square().mean((0, 1, 3, 4))
        assert errors[0] < 0.3 * errors[3] and (errors[-1] < errors[-2]) == last, name


def test_a_single_pass_computes_what_diffusers_computes():
    network = AutoencoderKLWan(**VAE | {"base_dim": 8})
    video = torch.rand(2, 3, 13, 32, 48) * 2 - 1
    with torch.inference_mode():
        latent = network.encode(video).latent_dist.mode()
        torch.testing.assert_close(single_pass.encode(network, video), latent)
        torch.testing.assert_close(single_pass.decode(network, latent), network.decode(latent).sample)


def test_the_same_command_goes_on_where_it_was(folder):
    output = folder / "out"
    before = {
        path: path.stat().st_mtime_ns for part in ("clips", "latents", "vae") for path in (output / part).iterdir()
    }
    weights = load_file(output / "wan-tiny" / "transformer" / "diffusion_pytorch_model.safetensors")
    run(folder, "--flow_steps", STEPS)
    assert before == {path: path.stat().st_mtime_ns for path in before}
    again = load_file(output / "wan-tiny" / "transformer" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    for part in ("vae", "decoder", "flow"):  # No step was made twice.
        log = (output / f"{part}_training" / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in log] == [STEPS]


def test_clips_have_the_pictures_of_their_source(folder):
    clips = Clips((folder / "out" / "clips").glob("moving*")).draw(3, 9, np.random.default_rng(0))
    assert clips.shape == (3, 3, 9, FORMAT.height, FORMAT.width)
    assert clips.min() >= -1 and clips.max() <= 1 and clips.std() > 0.2
    assert (clips[:, :, 1:] - clips[:, :, :-1]).abs().mean() > 0.005  # They move.


def test_a_distilled_model_is_a_prior_too(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["distil", str(folder / "out"), "--steps", "1", "--batch", "3", "--threads", "1"])
    distil.main()
    log = json.loads((folder / "out" / "distillation" / "log.jsonl").read_text())
    assert set(log["held_out"]) == set(map(str, flow.TIMES))
    teacher, student = (open_prior(f"wan:{folder / 'out' / name}") for name in ("wan-tiny", "wan-tiny-distilled"))
    assert student.name == teacher.name and student.weights_hash != teacher.weights_hash
