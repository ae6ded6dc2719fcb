# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""ModelOptions in torch's terms, for every prior with a network: light, unlike gvc.priors.loading."""

import torch

from ..errors import PriorError
from ..prior import ModelOptions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_options(options: ModelOptions) -> None:
    """Raise PriorError where a model cannot be run as asked, before anything large is loaded."""
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        raise PriorError(
            f"the device {options.device} cannot be used ({one_line(error)}); name another device"
        ) from error
    if options.offload != "none" and not accelerated(options):
        raise PriorError(
            f"offload={options.offload} moves parts of a model between main memory and an accelerator; "
            "name one with device=..., or leave offload=none"
        )


def accelerated(options: ModelOptions) -> bool:
    """Tell whether a model runs elsewhere than on the CPU."""
    return torch.device(options.device).type != "cpu"


def accelerator_name(options: ModelOptions) -> str:
    """Return what an accelerator is called, as far as torch knows it; empty for the CPU."""
    name_of = getattr(torch.get_device_module(options.device), "get_device_name", None)
    return name_of(options.device) if name_of and accelerated(options) else ""


def has_bfloat16(device: str) -> bool:
    """Tell whether a device has instructions for bfloat16; without them it is many times slower than float32."""
    return torch.device(device).type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def one_line(error: Exception) -> str:
    """Return the start of an error's message as one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:200] + " ..."
