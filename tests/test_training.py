# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The training of `neural`, with very little material and very few steps."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gvc.metrics.errors import MetricError
from gvc.metrics.weights import lpips_weights
from gvc.prior import DEFAULT_OPTIONS
from gvc.priors.neural import NeuralPrior
from training.data import HELD_OUT, divided, scene_of
from training.loop import State
from training.loop import train as train_network
from training.media import MediaError, read_media

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "assets" / "city_416x240.mp4"


def run_training(module: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", f"training.{module}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)


def training(module: str, *arguments: object) -> str:
    done = run_training(module, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def media_list(path: Path, licences: dict[str, str]) -> Path:
    """Write a list of clips in the same folder. licences: licence of each clip by name."""
    rows = [f"clip\t{name}\t{licence}\t\tassets/city_416x240.mp4" for name, licence in licences.items()]
    path.write_text("\n".join(["kind\tfile\tlicence\tnote\tsource", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    """Return two windows of a clip for training, and two of a clip whose name marks it as held out."""
    folder = tmp_path_factory.mktemp("training")
    clips = {"city_centre_00.mp4": "CC0-1.0", "gopro_karma_00.mp4": "MIT"}
    for name in clips:
        shutil.copy(CLIP, folder / name)
    training("pack", folder / "packs", media_list(folder / "media.tsv", clips), "--windows", 1)
    return folder / "packs"


@pytest.fixture(scope="module")
def lpips():
    """Return LPIPS, or skip if AlexNet's weights cannot be downloaded; nothing else may fail."""
    try:
        lpips_weights("alexnet")
    except MetricError as error:
        if "cannot be downloaded" in str(error):
            pytest.skip(str(error))
        raise


def train(packs: Path, output: Path, steps: int, *more: object) -> dict:
    training("train", packs, output, "--steps", steps, "--batch", 2, "--held_out", 4, "--threads", 1, *more)
    return load_file(output / "weights.safetensors")


class Slope:
    """Implements training.loop.Task: learn to double a number. It stops the run at a step, like a user would."""

    def __init__(self, stop_at: int = -1):
        self.calls, self.stop_at = 0, stop_at

    def loss(self, network, rng):
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        numbers = torch.from_numpy(rng.random((8, 1), dtype="float32"))
        return (network(numbers) - 2 * numbers).square().mean(), {}

    def evaluate(self, network):
        return {"weight": network.weight.item()}


def learn(folder: Path, task: Slope) -> torch.Tensor:
    torch.manual_seed(0)
    state = State.of(torch.nn.Linear(1, 1), betas=(0.9, 0.99))
    train_network(state, task, folder, steps=40, rate=0.1, seed=1, pause=0)  # A checkpoint after each step
    return torch.cat([tensor.flatten() for tensor in state.average.state_dict().values()])


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    whole = learn(tmp_path / "whole", Slope())
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "stopped", Slope(stop_at=17))
    rest = Slope()
    assert torch.equal(learn(tmp_path / "stopped", rest), whole)
    assert rest.calls == 40 - 16
    logs = [(tmp_path / name / "log.jsonl").read_text() for name in ("whole", "stopped")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == 40


def test_material_without_held_out_scenes_is_refused():
    with pytest.raises(MediaError, match="0 files to train on and 1 of held-out scenes"):
        divided([Path("gopro_karma_00_s1_0.safetensors")])


def test_packs_are_kept(packs):
    assert sorted(path.name for path in packs.iterdir()) == [
        "city_centre_00_s1_0.safetensors",
        "gopro_karma_00_s1_0.safetensors",
    ]
    rows = load_file(packs / "city_centre_00_s1_0.safetensors")
    estimate, source = rows["estimate"].float(), rows["source"].float()
    assert rows["way"].min() == 0 and rows["way"].max() <= 1
    assert (estimate - source).abs().mean() < 12 < source.std()


def test_the_same_seed_gives_the_same_weights(packs, lpips, tmp_path):
    whole = train(packs, tmp_path / "whole", 4)
    again = train(packs, tmp_path / "again", 4)
    resumed = train(packs, tmp_path / "whole", 4)  # The resumed run has no steps left.
    assert all((whole[name] == other[name]).all() for name in whole for other in (again, resumed))
    assert any(tensor.abs().max() > 0 for name, tensor in whole.items() if name.startswith("exit"))


@pytest.mark.parametrize("widths", [(32, 64, 96), (8, 16, 24)])
def test_weights_can_be_used(packs, lpips, tmp_path, widths):
    train(packs, tmp_path, 2, "--widths", *widths)
    assert NeuralPrior((tmp_path / "weights.safetensors").read_bytes(), DEFAULT_OPTIONS).name == "neural/4"
    assert '"held_out"' in (tmp_path / "log.jsonl").read_text()


def test_training_begins_with_what_was_trained_before(packs, lpips, tmp_path):
    before = train(packs, tmp_path / "before", 4)
    after = train(packs, tmp_path / "after", 0, "--start", tmp_path / "before" / "weights.safetensors")
    assert all((before[name] == after[name]).all() for name in before)


def test_media_without_a_licence_that_is_allowed_are_refused(tmp_path):
    licences = {
        "free.mp4": "CC0-1.0",
        "copyleft.mp4": "GPL-2.0-or-later",
        "shared.mp4": "CC-BY-SA-4.0",
        "found.mp4": "",
    }
    for name in licences:
        shutil.copy(CLIP, tmp_path / name)
    done = run_training("pack", tmp_path / "packs", media_list(tmp_path / "media.tsv", licences))
    assert done.returncode == 1
    assert "copyleft.mp4 is under GPL-2.0-or-later" in done.stderr
    assert "shared.mp4 is under CC-BY-SA-4.0" in done.stderr
    assert "found.mp4 is under no known licence" in done.stderr
    assert "free.mp4" not in done.stderr
    assert not (tmp_path / "packs").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "its columns must be"),
        ("\0\xff", "is no list of media"),
        ("name\tlicence\na.mp4\tMIT\n", "its columns must be"),
        ("kind\tfile\tlicence\tnote\tsource\nclip\ta.mp4\n", "line 2: it must have 5 columns"),
        ("kind\tfile\tlicence\tnote\tsource\nfilm\ta.mp4\tMIT\t\there\n", "the kind of a.mp4 must be"),
        ("kind\tfile\tlicence\tnote\tsource\nclip\ta.mp4\tMIT\t\t\n", "the source of a.mp4 is missing"),
        ("kind\tfile\tlicence\tnote\tsource\nclip\ta.mp4\tMIT\t\there\n", "there is no file"),
    ],
)
def test_a_list_of_media_that_cannot_be_read_says_why(tmp_path, text, sentence):
    (tmp_path / "media.tsv").write_text(text, encoding="latin-1")
    with pytest.raises(MediaError, match=sentence):
        read_media(tmp_path / "media.tsv", tmp_path)


def test_the_list_for_the_next_training_is_allowed(tmp_path):
    listed = ROOT / "training" / "media.tsv"
    for line in listed.read_text().splitlines()[1:]:
        (tmp_path / line.split("\t")[1]).touch()
    media = read_media(listed, tmp_path)
    assert len(media.clips) > 50 and len(media.photos) > 200
    held = {scene for scene in HELD_OUT if any(scene_of(clip).startswith(scene) for clip in media.clips)}
    assert held == set(HELD_OUT)
