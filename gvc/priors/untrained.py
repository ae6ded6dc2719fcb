# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Networks with random weights, to measure a model's cost in time and memory without its files."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..prior import ModelOptions


def untrained(model_class, config: dict, dtype: torch.dtype, options: ModelOptions, seed: int = 0):
    """Return a network like `load_network`, but with random weights; without offload it is created on the device.

    model_class, config: class of diffusers or transformers, and the arguments of its constructor.
    options: device of the network, and whether there is offload.
    seed: seed of the random weights, default 0.
    """
    with _making(dtype, torch.device(options.device if options.offload == "none" else "cpu"), seed):
        model = model_class(**config)
    for name, parameter in model.named_parameters():
        if set(name.split(".")) & set(model._keep_in_fp32_modules or ()):  # diffusers does the same when loading
            parameter.data = parameter.data.float()
    return model.requires_grad_(False).eval()


@contextmanager
def _making(dtype: torch.dtype, device: torch.device, seed: int) -> Iterator[None]:
    """Create tensors with `dtype` on `device` inside the block; torch's defaults and generators are restored after."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        # Tensors on "meta" have a shape only, so that device has no generator.
        devices = [] if device.type in ("cpu", "meta") else [device]
        with torch.random.fork_rng(devices, device_type=device.type if devices else "cuda"), device:
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_default_dtype(before)
