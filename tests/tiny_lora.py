# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LoRAs with random changes to one layer."""

import torch
from safetensors.torch import save_file

RANK = 2
TARGET = "blocks.0.attn1.to_q"  # a layer of Wan's networks


def changes(network, target, seed=0):
    """Return a random LoRA for one layer: the tensors that it multiplies, [r, in] and [out, r]."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = network.get_submodule(target).weight.shape
    return torch.randn(RANK, columns, generator=generator), torch.randn(rows, RANK, generator=generator)


def write(path, down, up, target=TARGET, prefix="transformer."):
    """Write a LoRA in diffusers' layout."""
    names = (f"{prefix}{target}.lora_A.weight", f"{prefix}{target}.lora_B.weight")
    save_file(dict(zip(names, (down, up), strict=True)), path)
    return path
