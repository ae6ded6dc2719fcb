"""Networks of diffusers from files, as ModelOptions ask; whatever goes wrong is one sentence."""

from pathlib import Path

import torch

from ..errors import PriorError
from .base import ModelOptions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def network_dtype(options: ModelOptions) -> torch.dtype:
    """Return what a denoising network computes with."""
    if options.dtype == "auto":
        return torch.float32 if torch.device(options.device).type == "cpu" else torch.bfloat16
    return DTYPES[options.dtype]


def load_network(model_class, folder: Path, device: str, dtype: torch.dtype):
    """Return a network of diffusers in inference mode, all of its weights read from `folder`. Raises PriorError."""
    for pattern in ("config.json", "*.safetensors"):
        if not any(folder.glob(pattern)):
            raise PriorError(f"{folder} has no {pattern}; name the folder of a model in diffusers' layout")
    try:
        model, info = model_class.from_pretrained(
            folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # what is wrong with the files surfaces as some library's own type
        raise PriorError(f"cannot load {folder} ({error}); fetch the model again") from error
    absent = [*info["missing_keys"], *info["mismatched_keys"]]
    if absent:
        raise PriorError(f"{folder} lacks the weights {absent[0]} and {len(absent) - 1} more; fetch the model again")
    try:
        model = model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        raise PriorError(f"the device {device} cannot take {folder} ({error}); name another device") from error
    # Without parameters that ask for a gradient none is recorded; and, unlike results of torch.inference_mode, the
    # vectors that the networks return can be changed in place by the codec.
    return model.requires_grad_(False).eval()
