# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Train the network of `neural` on packed material, and write its weights.

A run that was interrupted continues from its last checkpoint. The same seed, material and number of threads give the
same weights on the same machine.
"""

import argparse
import json
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from gvc.priors.device import has_bfloat16
from gvc.priors.neural.network import WIDTHS, Network
from training.data import Packs, scene_of
from training.loss import Loss, squared_error

HELD_OUT = ("gopro_karma", "winui_fishes", "clm_cap13", "ffmpegconcat_2-skater")  # scenes for evaluation only
ERROR_EDGES = (0, 3, 6, 100)  # limits of the expected error, in sample values, that group held-out crops
WARM_UP = 200  # steps in which the learning rate rises
AVERAGE = 0.998  # decay of the moving average of the weights, which is the result
PLAIN_SHARE = 0.5  # share of crops trained at realism 0; half of the others are trained at 1
CHECKPOINT_SECONDS = 120


@dataclass
class State:
    """Everything that a run needs to continue."""

    network: Network
    average: Network
    optimizer: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def new(cls, arguments: argparse.Namespace) -> "State":
        """Return the state before the first step."""
        torch.manual_seed(arguments.seed)
        network = Network.of(load_file(arguments.start)) if arguments.start else Network(arguments.widths)
        network.to(arguments.device, memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(network.parameters(), arguments.rate, betas=(0.9, 0.99))
        return cls(network, deepcopy(network), optimizer)

    def save(self, path: Path) -> None:
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        partial = path.with_suffix(".partial")
        torch.save(parts | {"step": self.step}, partial)
        partial.rename(path)

    def restore(self, path: Path) -> None:
        parts = torch.load(path, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(parts[name])
        self.step = parts["step"]


def train(packs: Packs, held_out: Packs, state: State, arguments: argparse.Namespace) -> None:
    """Train until arguments.steps are done; write checkpoints and print a line of JSON for each."""
    loss, saved = Loss(arguments.device), time.monotonic()
    sums: list[list[float]] = []
    while state.step < arguments.steps:
        rng = np.random.default_rng([arguments.seed, state.step])  # A resumed run draws the same crops.
        for group in state.optimizer.param_groups:
            group["lr"] = arguments.rate * _schedule(state.step, arguments.steps)
        view, source = packs.draw(arguments.batch, rng)
        view, source = view.to(arguments.device), source.to(arguments.device)
        realism = torch.from_numpy(_realisms(arguments.batch, rng)).to(arguments.device)
        with torch.autocast(arguments.device, torch.bfloat16, enabled=has_bfloat16(arguments.device)):
            answer = state.network(view.inputs(realism).contiguous(memory_format=torch.channels_last))
            made = view.improved(answer.float())
            total, squared, distance = loss(made, source, realism, rng)
        state.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
        state.optimizer.step()
        state.step += 1
        weight = min(AVERAGE, state.step / (state.step + 10))
        for kept, new in zip(state.average.parameters(), state.network.parameters(), strict=True):
            kept.data.lerp_(new.data, 1 - weight)
        before = squared_error(view.estimate, source)
        plain = realism == 0
        figures = (total, squared[plain].mean() / before[plain].mean(), distance[~plain].mean())
        sums.append([float(figure.detach()) for figure in figures])
        if time.monotonic() - saved > CHECKPOINT_SECONDS or state.step == arguments.steps:
            state.save(arguments.output / "checkpoint.pt")
            means = dict(zip(("loss", "error_share", "lpips"), np.round(np.mean(sums, 0), 4).tolist(), strict=True))
            report = {"step": state.step, **means, "held_out": evaluate(state.average, held_out, loss, arguments)}
            with (arguments.output / "log.jsonl").open("a") as log:
                print(json.dumps(report), file=log)
            print(json.dumps(report), flush=True)
            saved, sums = time.monotonic(), []


@torch.inference_mode()
def evaluate(network: Network, held_out: Packs, loss: Loss, arguments: argparse.Namespace) -> dict[str, dict]:
    """Return PSNR and LPIPS of held-out crops, grouped by expected error: for `gp`, and for realism 0 and 1."""
    view, source = held_out.draw(arguments.held_out, np.random.default_rng(0))
    view, source = view.to(arguments.device), source.to(arguments.device)
    level, found = view.error.mean((1, 2, 3)).cpu(), {}
    made = {"gp": view.estimate}
    for realism in (0.0, 1.0):
        made[f"realism {realism:g}"] = view.improved(network(view.inputs(torch.full_like(view.way, realism))))
    for low, high in pairwise(ERROR_EDGES):
        chosen = (level >= low) & (level < high)
        if chosen.any():
            found[f"error {low}-{high}"] = {"crops": int(chosen.sum())} | {
                name: [_psnr(x[chosen], source[chosen]), round(float(loss.lpips(x[chosen], source[chosen]).mean()), 4)]
                for name, x in made.items()
            }
    return found


def _psnr(made: torch.Tensor, source: torch.Tensor) -> float:
    """Return the mean over crops of luma's PSNR in dB."""
    squared = ((made - source)[:, :4] ** 2).mean((1, 2, 3))
    return round(float(10 * torch.log10(65025 / squared.clamp(min=1e-3)).mean()), 3)


def _realisms(count: int, rng: np.random.Generator) -> np.ndarray:
    plain, between = rng.random(count) < PLAIN_SHARE, rng.random(count) < 0.5
    return np.where(plain, 0.0, np.where(between, rng.random(count), 1.0)).astype(np.float32)


def _schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step: a short linear rise, then half a cosine down to 0."""
    return min((step + 1) / WARM_UP, 1.0) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("packs", type=Path, help="folder that training.pack has filled")
    parser.add_argument("output", type=Path, help="folder for checkpoint.pt, log.jsonl and weights.safetensors")
    parser.add_argument("--widths", type=int, nargs=3, default=WIDTHS, help="channels at half, quarter and eighth size")
    parser.add_argument(
        "--start", type=Path, help="weights to begin with, as a safetensors file; they have their widths"
    )
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=16, help="crops a step")
    parser.add_argument("--held_out", type=int, default=256, help="crops to look at for each checkpoint")
    parser.add_argument("--rate", type=float, default=6e-4, help="learning rate at its highest")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    files = sorted(arguments.packs.glob("*.safetensors"))
    held = [path for path in files if scene_of(path).startswith(HELD_OUT)]
    state = State.new(arguments)
    if (arguments.output / "checkpoint.pt").exists():
        state.restore(arguments.output / "checkpoint.pt")
    train(Packs([path for path in files if path not in held]), Packs(held), state, arguments)
    weights = {name: tensor.half().contiguous() for name, tensor in state.average.state_dict().items()}
    save_file(weights, arguments.output / "weights.safetensors")


if __name__ == "__main__":
    main()
