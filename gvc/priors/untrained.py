# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Networks with random weights: what a model costs can be measured without having it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def untrained(model_class, config: dict, dtype: torch.dtype, device: str | torch.device, seed: int):
    """Return a network of diffusers as `load_network` would, made on the device in its dtype. config: of its class."""
    with _making(dtype, torch.device(device), seed):
        model = model_class(**config)
    for name, parameter in model.named_parameters():
        if set(name.split(".")) & set(model._keep_in_fp32_modules or ()):  # as diffusers does when it loads one
            parameter.data = parameter.data.float()
    return model.requires_grad_(False).eval()


@contextmanager
def _making(dtype: torch.dtype, device: torch.device, seed: int) -> Iterator[None]:
    """Let new tensors be of `dtype` and on `device`, and leave no trace in torch's state."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]), device:
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_default_dtype(before)
