# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The loop of all trainings: a schedule, an average of the weights, checkpoints and a log.

A run that was interrupted continues from its last checkpoint. The same seed, material and number of threads give the
same weights on the same machine.
"""

import json
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

WARM_UP = 200  # steps in which the learning rate rises
AVERAGE = 0.998  # decay of the moving average of the weights, which is the result
CHECKPOINT_SECONDS = 120


class Task(Protocol):
    """What a network is trained for."""

    def loss(self, network: nn.Module, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of one batch and figures for the log. rng: generator of all random choices."""

    def evaluate(self, network: nn.Module) -> dict[str, Any]:
        """Return figures of held-out material for the log."""


@dataclass
class State:
    """Everything that a run needs to continue."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def of(cls, network: nn.Module, betas: tuple[float, float]) -> "State":
        """Return the state before the first step. betas: decays of Adam's averages."""
        optimizer = torch.optim.Adam(network.parameters(), betas=betas)
        return cls(network, deepcopy(network).requires_grad_(False), optimizer)

    def descend(self, loss: Tensor, rate: float) -> None:
        """Change the weights by one step against the gradient of a loss, and their average with them."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        weight = min(AVERAGE, self.step / (self.step + 10))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            kept.data.lerp_(new.data, 1 - weight)

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


def train(
    state: State,
    task: Task,
    folder: Path,
    *,
    steps: int,
    rate: float,
    seed: int,
    pause: float = CHECKPOINT_SECONDS,
) -> None:
    """Train until `steps` are done, from the last checkpoint if there is one.

    folder: place of checkpoint.pt and log.jsonl, which gets a line for each checkpoint; the line is printed too.
    rate: learning rate at its highest. seed: seed of all random choices.
    pause: seconds between two checkpoints, default CHECKPOINT_SECONDS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, figures = folder / "checkpoint.pt", []
    if checkpoint.exists():
        state.restore(checkpoint)
    saved = time.monotonic()
    while state.step < steps:
        rng = np.random.default_rng([seed, state.step])  # A resumed run makes the same choices.
        loss, found = task.loss(state.network, rng)
        state.descend(loss, rate * schedule(state.step, steps))
        figures.append({"loss": float(loss.detach())} | found)
        if time.monotonic() - saved > pause or state.step == steps:
            state.save(checkpoint)
            means = {name: round(float(np.mean([row[name] for row in figures])), 4) for name in figures[0]}
            report = json.dumps({"step": state.step, **means, "held_out": task.evaluate(state.average)})
            with (folder / "log.jsonl").open("a") as log:
                print(report, file=log)
            print(report, flush=True)
            saved, figures = time.monotonic(), []


def schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step: a short linear rise, then half a cosine down to 0."""
    return min((step + 1) / WARM_UP, 1.0) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
