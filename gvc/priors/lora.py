# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LoRAs: files with changes to the weights of a network, which are added before the network is used.

diffusers reads the files, in each of the layouts that it knows, and peft adds them to the weights.
"""

import gc
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers import ModelMixin
from safetensors import SafetensorError, safe_open

from ..errors import PriorError
from ..prior import ModelOptions
from .device import one_line
from .loading import is_quantised, load_network, network_dtype, quietly
from .lora_files import HIGH, LOW, Lora, parse_loras

PREFIX = "transformer."  # beginning of the names of all weights, as diffusers' pipelines read them


def load_denoiser(model_class, folder: Path, options: ModelOptions, pipeline_class, network: str = "") -> ModelMixin:
    """Load a denoising network into main memory, with LoRAs and quantised as options say.

    model_class, folder: as for load_network.
    pipeline_class: class of pipelines of diffusers that knows the family's layouts of LoRAs.
    network: which of two networks it is, HIGH or LOW; default "", for the only one.
    Raises OptionError, PriorError.
    """
    dtype, loras = network_dtype(options), loras_for(network, options)
    if not loras:
        return load_network(model_class, folder, dtype, options.quantize)
    if is_quantised(folder):
        raise PriorError(
            f"the weights in {folder} are quantised, so that no LoRA can be added; use the original weights"
        )
    loaded = load_network(model_class, folder, dtype)
    for lora in loras:
        _add(lora, loaded, pipeline_class)
    if options.quantize == "none":
        return loaded
    # Libraries quantise while they load, so the changed weights become files again.
    with TemporaryDirectory(prefix="gvc-lora-") as changed:
        loaded.save_pretrained(changed)
        del loaded
        gc.collect()
        return load_network(model_class, Path(changed), dtype, options.quantize)


def loras_for(network: str, options: ModelOptions) -> Sequence[Lora]:
    """Return the LoRAs for a network. network: HIGH or LOW; "" for the only one. Raises OptionError, PriorError."""
    loras = parse_loras(options.lora)
    for lora in loras:
        if network and not lora.network:
            raise PriorError(
                f"the model has two networks; append :{HIGH} or :{LOW} to lora={lora.path}, for the one with much or "
                "with little noise"
            )
        if lora.network and not network:
            raise PriorError(f"the model has one network; leave out :{lora.network} of lora={lora.path}")
    return [lora for lora in loras if lora.network == network]


def _add(lora: Lora, network: ModelMixin, pipeline_class) -> None:
    """Add a LoRA to the weights of a network. Raises PriorError."""
    try:
        import peft  # noqa: F401 - imported here because diffusers' error for its absence names no command
    except ImportError as error:
        raise PriorError(f"a LoRA needs the package peft ({error}); run pip install 'gvc[models]'") from error
    state, scale = _read(lora.path, pipeline_class)
    left_out = set(getattr(network, "left_out", ()))  # what a family does without; LoRAs may know it
    state = {name: changes for name, changes in state.items() if not left_out & set(name.split("."))}
    _check_fit(state, network, lora.path)
    try:
        with quietly():
            pipeline_class.load_lora_into_transformer(state, network, adapter_name="gvc", metadata=scale)
            network.fuse_lora(lora_scale=lora.weight, safe_fusing=True, adapter_names=["gvc"])
            network.unload_lora()
    except Exception as error:  # Errors of damaged files have types of several libraries.
        raise PriorError(f"the LoRA {lora.path} cannot be added ({one_line(error)}); fetch it again") from error


def _read(path: Path, pipeline_class) -> tuple[dict[str, torch.Tensor], dict | None]:
    """Return the changes in a file by diffusers' names, and what it says of their scale. Raises PriorError."""
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
        with quietly():
            settings = {"local_files_only": True, "use_safetensors": True, "return_lora_metadata": True}
            state, scale = pipeline_class.lora_state_dict(str(path), **settings)
    except Exception as error:  # The layouts of LoRAs are many, and their readers fail in as many ways.
        what = "is no file of safetensors" if isinstance(error, SafetensorError) else "cannot be read"
        raise PriorError(f"the LoRA {path} {what} ({one_line(error)}); fetch it again, or give another") from error
    if not state or any("dora_scale" in name for name in names) or any("lora" not in name for name in state):
        raise PriorError(f"{path} has other changes to weights than those of a plain LoRA; give another file")
    return state, scale


def _check_fit(state: dict[str, torch.Tensor], network: ModelMixin, path: Path) -> None:
    """Raise PriorError if a LoRA changes what the network does not have."""
    if not state:
        raise PriorError(f"the LoRA {path} changes nothing that GVC uses of this model; leave it out")
    modules = {name for name, _ in network.named_modules()}
    for name in state:
        changed = name.removeprefix(PREFIX).partition(".lora_")[0]
        if not name.startswith(PREFIX) or changed not in modules:
            raise PriorError(
                f"the LoRA {path} is for another model: this one has no {changed}; give one for this model"
            )
