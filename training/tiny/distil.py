# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m training.tiny.distil RUN`: a network for few steps from a trained `wan-tiny`, to measure what it is worth.

Its clean latent at any time is the end of the teacher's deterministic path from there, a sample of what is possible,
as in published models for few steps. That of the teacher is the mean of what is possible. RUN is the folder of
training.tiny; the model is written to RUN/wan-tiny-distilled.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanVACETransformer3DModel
from numpy.random import Generator
from torch import Tensor

from gvc.modes import Mode
from training.data import divided
from training.loop import State, train
from training.tiny.clips import PICTURES
from training.tiny.flow import HELD_OUT_CLIPS, TIMES, Latents, draw_batch, noisy, times, velocity
from training.tiny.models import export
from training.tiny.run import CHECKPOINT_SECONDS, normal

STRIDES = 5  # strides of the teacher's path to time 0, the shorter the nearer it is
RATE = 2e-4


class Distillation:
    """Implements training.loop.Task: the velocity from x_t straight to the end of the teacher's path."""

    def __init__(self, teacher: WanVACETransformer3DModel, latents: Latents, held_out: Latents, batch: int):
        self._teacher, self._latents, self._batch = teacher, latents, batch
        rng = np.random.default_rng(0)
        self._held_out = held_out.draw([list(Mode)[i % len(Mode)] for i in range(HELD_OUT_CLIPS)], PICTURES, rng)
        self._noise = normal(self._held_out[0].shape, rng)

    def loss(self, network: WanVACETransformer3DModel, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        clean, control = draw_batch(self._latents, self._batch, rng)
        t = torch.from_numpy(times(self._batch, rng)).float()
        x = noisy(clean, normal(clean.shape, rng), t)
        target = (x - self._end(x, t, control)) / t.view(-1, 1, 1, 1, 1)
        return (velocity(network, x, t, control) - target).square().mean(), {}

    @torch.inference_mode()
    def evaluate(self, network: WanVACETransformer3DModel) -> dict[str, list[float]]:
        """Return the mean squared errors of the clean latents of held-out clips, by time: [teacher, network]."""
        clean, control = self._held_out
        found = {}
        for time in TIMES:
            t = torch.full([len(clean)], time)
            x = noisy(clean, self._noise, t)
            ends = (x - time * velocity(model, x, t, control) for model in (self._teacher, network))
            found[str(time)] = [round(float((end - clean).square().mean()), 4) for end in ends]
        return found

    @torch.no_grad()
    def _end(self, x: Tensor, t: Tensor, control: Tensor) -> Tensor:
        """Return the end of the teacher's path from x_t by Euler's method."""
        shares = [((STRIDES - i) / STRIDES) ** 2 for i in range(STRIDES + 1)]
        for share, following in pairwise(shares):
            stride = (t * (share - following)).view(-1, 1, 1, 1, 1)
            x = x - stride * velocity(self._teacher, x, t * share, control)
        return x


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.tiny.distil", description=__doc__)
    parser.add_argument("run", type=Path, help="folder that python -m training.tiny has filled")
    parser.add_argument("--steps", type=int, default=500, help="steps; default: 500")
    parser.add_argument("--batch", type=int, default=6, help="clips a step; default: 6")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = arguments.run / "wan-tiny"
    vae = AutoencoderKLWan.from_pretrained(model / "vae", dtype=torch.float32)
    teacher, student = (
        WanVACETransformer3DModel.from_pretrained(model / "transformer", dtype=torch.float32) for _ in range(2)
    )
    latents = (Latents(part, vae) for part in divided((arguments.run / "latents").glob("*.safetensors")))
    state = State.of(student.train(), betas=(0.9, 0.99))
    task = Distillation(teacher.requires_grad_(False), *latents, arguments.batch)
    settings = {"steps": arguments.steps, "rate": RATE, "seed": 1, "pause": CHECKPOINT_SECONDS}
    train(state, task, arguments.run / "distillation", **settings)
    # The average over so few steps would still be much of the teacher.
    export(arguments.run / "wan-tiny-distilled", vae, state.network, model / "CREDITS.tsv")


if __name__ == "__main__":
    main()
