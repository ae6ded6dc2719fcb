# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The same target as `stream`, with the bundled prior that has a network."""

import torch

from . import stream
from .stream import golden, made, mutate

__all__ = ["mutate", "run", "seeds"]

MOST_SAMPLES = 3e4
torch.set_num_threads(1)


def seeds() -> dict[str, bytes]:
    return made("neural", [{"mode": mode} for mode in ("t2v", "i2v", "flf2v")]) | golden("neural")


def run(data: bytes) -> None:
    stream.run(data, MOST_SAMPLES)
