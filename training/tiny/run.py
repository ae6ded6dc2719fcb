# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The settings that all steps of the training of `wan-tiny` share."""

from dataclasses import dataclass
from pathlib import Path

import torch
from numpy.random import Generator
from torch import Tensor

from gvc.priors.device import has_bfloat16

CHECKPOINT_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """One training. output: folder of all that it makes. Batches are in clips."""

    output: Path
    vae_steps: int
    vae_batch: int
    decoder_steps: int
    flow_steps: int
    flow_batch: int
    device: str
    seed: int


def faster(device: str) -> torch.autocast:
    """Return the context in which networks compute in bfloat16, if the device is faster with it."""
    return torch.autocast(device, torch.bfloat16, enabled=has_bfloat16(device))


def normal(shape: torch.Size, rng: Generator) -> Tensor:
    """Return standard normal noise that follows from the state of `rng`."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(int(rng.integers(2**62))))
