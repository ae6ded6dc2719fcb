# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Devices and dtypes of torch for ModelOptions. Unlike gvc.priors.loading this imports no library but torch."""

import torch

from ..errors import PriorError
from ..prior import ModelOptions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_options(options: ModelOptions) -> None:
    """Raise PriorError if a model cannot be run with these options; called before anything large is loaded."""
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: this torch was built without CUDA.
        raise PriorError(
            f"the device {options.device} cannot be used ({one_line(error)}); name another device"
        ) from error
    if options.offload != "none" and not accelerated(options):
        raise PriorError(
            f"offload={options.offload} moves parts of a model between main memory and an accelerator; "
            "name one with device=..., or leave offload=none"
        )


def accelerated(options: ModelOptions) -> bool:
    """Return whether a model runs on an accelerator and not on the CPU."""
    return torch.device(options.device).type != "cpu"


def accelerator_name(options: ModelOptions) -> str:
    """Return torch's name of the accelerator; "" for the CPU or where torch knows no name."""
    name_of = getattr(torch.get_device_module(options.device), "get_device_name", None)
    return name_of(options.device) if name_of and accelerated(options) else ""


def accelerators() -> list[tuple[str, str, int]]:
    """Return the accelerators of this machine, each as (torch's device, its name, bytes of its memory)."""
    if not torch.accelerator.is_available():
        return []
    kind = torch.accelerator.current_accelerator().type
    properties = getattr(torch.get_device_module(kind), "get_device_properties", None)
    found = [properties(index) for index in range(torch.accelerator.device_count())] if properties else []
    return [(f"{kind}:{index}", device.name, device.total_memory) for index, device in enumerate(found)]


def has_bfloat16(device: str) -> bool:
    """Return whether a device has bfloat16 instructions; without them bfloat16 is much slower than float32."""
    return torch.device(device).type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def one_line(error: Exception) -> str:
    """Return an error's message as one line, cut after 200 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:200] + " ..."
