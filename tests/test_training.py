"""The recipe for the weights of `neural`, on very little of everything."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from gvc.metrics.errors import MetricError
from gvc.metrics.weights import lpips_weights
from gvc.priors.base import DEFAULT_OPTIONS
from gvc.priors.neural import NeuralPrior

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "assets" / "city_416x240.mp4"


def training(module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", f"training.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    """Two windows of a clip that is trained on, and of one whose name says that it is held out."""
    folder = tmp_path_factory.mktemp("training")
    clips = [folder / "city_centre_00.mp4", folder / "mdn_friday_00.mp4"]
    for clip in clips:
        shutil.copy(CLIP, clip)
    training("pack", folder / "packs", "--clips", *clips, "--windows", 1)
    return folder / "packs"


@pytest.fixture(scope="module")
def lpips():
    """The loss needs AlexNet; nothing but the download may fail."""
    try:
        lpips_weights("alexnet")
    except MetricError as error:
        if "cannot be downloaded" in str(error):
            pytest.skip(str(error))
        raise


def train(packs: Path, output: Path, steps: int, *more: object) -> dict:
    training("train", packs, output, "--steps", steps, "--batch", 2, "--held_out", 4, "--threads", 1, *more)
    return load_file(output / "weights.safetensors")


def test_packs_are_kept(packs):
    assert sorted(path.name for path in packs.iterdir()) == [
        "city_centre_00_s1_0.safetensors",
        "mdn_friday_00_s1_0.safetensors",
    ]
    rows = load_file(packs / "city_centre_00_s1_0.safetensors")
    estimate, source = rows["estimate"].float(), rows["source"].float()
    assert rows["way"].min() == 0 and rows["way"].max() <= 1
    assert (estimate - source).abs().mean() < 12 < source.std()


def test_the_same_seed_gives_the_same_weights(packs, lpips, tmp_path):
    whole = train(packs, tmp_path / "whole", 4)
    again = train(packs, tmp_path / "again", 4)
    resumed = train(packs, tmp_path / "whole", 4)  # has nothing left to do
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
