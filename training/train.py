# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Train the network of `neural` on packed material, and write its weights (training.loop says how a run goes on)."""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from safetensors.torch import load_file, save_file
from torch import Tensor

from gvc.priors.device import has_bfloat16
from gvc.priors.neural.network import WIDTHS, Network
from training.data import Packs, divided
from training.loop import State, train
from training.loss import Loss, squared_error
from training.media import MediaError

ERROR_EDGES = (0, 3, 6, 100)  # limits of the expected error, in sample values, that group held-out crops
PLAIN_SHARE = 0.5  # share of crops trained at realism 0; half of the others are trained at 1


class Improvement:
    """Implements training.loop.Task: pictures that `gp` has decoded become more like their source."""

    def __init__(self, packs: Packs, held_out: Packs, arguments: argparse.Namespace):
        self._packs, self._held_out = packs, held_out
        self._batch, self._held_out_crops, self._device = arguments.batch, arguments.held_out, arguments.device
        self._loss = Loss(arguments.device)

    def loss(self, network: Network, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        view, source = self._packs.draw(self._batch, rng)
        view, source = view.to(self._device), source.to(self._device)
        realism = torch.from_numpy(_realisms(self._batch, rng)).to(self._device)
        with torch.autocast(self._device, torch.bfloat16, enabled=has_bfloat16(self._device)):
            answer = network(view.inputs(realism).contiguous(memory_format=torch.channels_last))
            made = view.improved(answer.float())
            total, squared, distance = self._loss(made, source, realism, rng)
        before = squared_error(view.estimate, source)
        plain = realism == 0
        share, lpips = squared[plain].mean() / before[plain].mean(), distance[~plain].mean()
        return total, {"error_share": float(share.detach()), "lpips": float(lpips.detach())}

    @torch.inference_mode()
    def evaluate(self, network: Network) -> dict[str, dict]:
        """Return PSNR and LPIPS of held-out crops, grouped by expected error: for `gp`, and for realism 0 and 1."""
        view, source = self._held_out.draw(self._held_out_crops, np.random.default_rng(0))
        view, source = view.to(self._device), source.to(self._device)
        level, found = view.error.mean((1, 2, 3)).cpu(), {}
        made = {"gp": view.estimate}
        for realism in (0.0, 1.0):
            made[f"realism {realism:g}"] = view.improved(network(view.inputs(torch.full_like(view.way, realism))))
        for low, high in pairwise(ERROR_EDGES):
            chosen = (level >= low) & (level < high)
            if chosen.any():
                found[f"error {low}-{high}"] = {"crops": int(chosen.sum())} | {
                    name: self._quality(pictures[chosen], source[chosen]) for name, pictures in made.items()
                }
        return found

    def _quality(self, made: Tensor, source: Tensor) -> list[float]:
        """Return the means over crops of luma's PSNR in dB and of LPIPS."""
        squared = ((made - source)[:, :4] ** 2).mean((1, 2, 3))
        psnr = 10 * torch.log10(65025 / squared.clamp(min=1e-3))
        return [round(float(psnr.mean()), 3), round(float(self._loss.lpips(made, source).mean()), 4)]


def _realisms(count: int, rng: Generator) -> np.ndarray:
    plain, between = rng.random(count) < PLAIN_SHARE, rng.random(count) < 0.5
    return np.where(plain, 0.0, np.where(between, rng.random(count), 1.0)).astype(np.float32)


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
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    network = Network.of(load_file(arguments.start)) if arguments.start else Network(arguments.widths)
    network.to(arguments.device, memory_format=torch.channels_last)
    try:
        material, held_out = map(Packs, divided(arguments.packs.glob("*.safetensors")))
    except MediaError as error:
        sys.exit(str(error))
    state, task = State.of(network, betas=(0.9, 0.99)), Improvement(material, held_out, arguments)
    train(state, task, arguments.output, steps=arguments.steps, rate=arguments.rate, seed=arguments.seed)
    weights = {name: tensor.half().contiguous() for name, tensor in state.average.state_dict().items()}
    save_file(weights, arguments.output / "weights.safetensors")


if __name__ == "__main__":
    main()
