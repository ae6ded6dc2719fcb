# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Loads models of diffusers from files as ModelOptions say, and turns the libraries' errors into one sentence."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline, ModelMixin

from ..errors import PriorError
from ..prior import ModelOptions
from .device import DTYPES, accelerated, one_line
from .model_path import check_model_path

INDEX = "model_index.json"
UNUSED = ("audio_vae", "vocoder", "prompt_enhancer", "processor", "duration_head")  # parts that no prior needs
# Phrases by which torch's RuntimeError tells that memory is exhausted.
EXHAUSTED = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "bad allocation")


def network_dtype(options: ModelOptions) -> torch.dtype:
    """Return the dtype that a denoising network computes in."""
    if options.dtype != "auto":
        return DTYPES[options.dtype]
    return torch.bfloat16 if accelerated(options) or options.quantize != "none" else torch.float32


def find_model(path: str | Path, *, text_encoder: bool = False) -> Path:
    """Return the folder of a model; fetch it from the hub if `path` is no local folder. Raises PriorError.

    path: local folder in diffusers' layout, or hub ID (ORG/NAME).
    text_encoder: whether to fetch text encoders too, the largest part of many models; default False.
    """
    check_model_path(path)
    folder = Path(path)
    if not folder.is_dir():
        unwanted = UNUSED if text_encoder else (*UNUSED, "text_encoder", "text_encoder_2")
        try:
            with quietly():
                folder = Path(DiffusionPipeline.download(str(path), **dict.fromkeys(unwanted)))
        except Exception as error:  # Network, hub and disk fail with many types of their own.
            raise PriorError(
                f"there is no folder {path}, and no model of this name can be fetched "
                f"({one_line(error.__cause__ or error)}); check name and connection, or name another folder"
            ) from error
    if not (folder / INDEX).is_file():
        raise PriorError(f"{folder} has no {INDEX}; name the folder of a model in diffusers' layout")
    return folder


def read_index(folder: Path) -> dict:
    """Return a model folder's index: the classes of its pipeline and components. Raises PriorError."""
    return read_configuration(folder / INDEX)


def pipeline_of(folder: Path, known: Collection[str], family: str) -> str:
    """Return the class of pipelines that a model folder's index names. Raises PriorError if it is not a known one.

    known: names of classes.
    family: name of the family with its article, for the error.
    """
    kind = read_index(folder).get("_class_name")
    if kind not in known:
        raise PriorError(f"{folder} holds a {kind}, not {family} model; valid: {', '.join(known)}")
    return kind


def read_configuration(path: Path) -> dict:
    """Return the values of a JSON file of a model. Raises PriorError."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PriorError(f"{path} cannot be read ({one_line(error)}); fetch the model again") from error


def check_files(folder: Path) -> None:
    """Raise PriorError if the folder of a network lacks its configuration or has no weights."""
    for pattern in ("config.json", "*.safetensors"):
        if not any(folder.glob(pattern)):
            raise PriorError(f"{folder} has no {pattern}; fetch the model again, or name the folder of another")


def load_network(model_class, folder: Path, dtype: torch.dtype, quantize: str = "none"):
    """Load a network of diffusers or transformers into main memory, for inference. Raises PriorError.

    model_class: class of the network.
    folder: folder with config.json and *.safetensors, which must hold all weights.
    dtype: dtype of the loaded weights.
    quantize: quantisation to apply, none, int8 (torchao) or nf4 (bitsandbytes); default none.
    """
    check_files(folder)
    settings = {} if quantize == "none" else {"quantization_config": _quantization(folder, quantize, dtype)}
    try:
        with quietly():
            model, info = model_class.from_pretrained(
                folder,
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                **settings,
            )
    except Exception as error:  # Damaged files surface as exception types of several libraries.
        if ran_out_of_memory(error):
            raise PriorError(f"there is too little memory to load {folder}; try dtype=bfloat16") from error
        remedy = "fetch the model again"
        if settings or is_quantised(folder):
            remedy = "quantised weights need their library, and most of them a GPU"
        raise PriorError(f"cannot load {folder} ({one_line(error)}); {remedy}") from error
    absent = [*info["missing_keys"], *info["mismatched_keys"]]
    if absent:
        raise PriorError(f"{folder} lacks the weights {absent[0]} and {len(absent) - 1} more; fetch the model again")
    # Gradients are switched off here and not by torch.inference_mode, because the codec changes the tensors that
    # networks return in place, which inference mode forbids.
    return model.requires_grad_(False).eval()


def load_image_processor(processor_class, folder: Path):
    """Load what prepares pictures for an image encoder. Raises PriorError.

    processor_class: class of transformers that computes with Pillow, whose resizing uses integers, so that the result
        is the same on all machines. The default classes need torchvision.
    folder: folder with its configuration.
    """
    try:
        return processor_class.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise PriorError(f"cannot load {folder} ({one_line(error)}); fetch it again") from error


def place_on_device(pipeline: DiffusionPipeline, options: ModelOptions) -> None:
    """Move the networks of a pipeline to the device, or with offload let each go there when used. Raises PriorError."""
    device = torch.device(options.device)
    with _placing(options):
        match options.offload:
            case "none":
                pipeline.to(device, silence_dtype_warnings=True)
            case "model":
                pipeline.enable_model_cpu_offload(device=device)
            case "sequential":
                pipeline.enable_sequential_cpu_offload(device=device)
            case "group":
                # VAEs are small and call their layers in a varying order, which prefetching cannot follow.
                pipeline.enable_group_offload(device, exclude_modules=["vae"], **_group_settings(device))


def place_another(pipeline: DiffusionPipeline, name: str, network: ModelMixin, options: ModelOptions) -> None:
    """Add a network to a pipeline whose other networks are placed already, and place it like them. Raises PriorError.

    name: name of the component in the pipeline.
    """
    pipeline.register_modules(**{name: network})
    if options.offload != "group":
        place_on_device(pipeline, options)  # For the other networks this has no effect.
        return
    device = torch.device(options.device)
    with _placing(options):
        network.enable_group_offload(device, **_group_settings(device))


def _group_settings(device: torch.device) -> dict:
    """Return diffusers' settings with which each layer is fetched while the layer before it computes."""
    return {"offload_type": "leaf_level", "use_stream": device.type == "cuda"}


@contextmanager
def _placing(options: ModelOptions) -> Iterator[None]:
    """Turn errors of placing networks as `options` say into a PriorError."""
    try:
        yield
    except (RuntimeError, ValueError, ImportError) as error:
        if ran_out_of_memory(error):
            raise PriorError(
                f"{options.device} has too little memory for this model; "
                "try offload=model, then offload=group, or quantize=int8"
            ) from error
        raise PriorError(
            f"the model cannot be run on {options.device} with offload={options.offload} ({one_line(error)}); "
            "choose another device or offload"
        ) from error


@contextmanager
def network_call(what: str) -> Iterator[None]:
    """Run a network without gradients, and turn exhausted memory into a PriorError.

    what: description of the work for the error's sentence, such as "33 pictures of 832x480".
    """
    try:
        with torch.no_grad():
            yield
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        raise PriorError(
            f"there is too little memory for {what}; try tiling=1, offload=group or dtype=bfloat16, "
            "or code smaller pictures or shorter GOPs (gop)"
        ) from error


def ran_out_of_memory(error: Exception) -> bool:
    """Return whether an error of torch means exhausted memory, of an accelerator or of the machine."""
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or any(phrase in str(error).lower() for phrase in EXHAUSTED)


def _quantization(folder: Path, quantize: str, dtype: torch.dtype):
    """Return diffusers' configuration for quantising while loading. Raises PriorError."""
    if is_quantised(folder):
        raise PriorError(f"the weights in {folder} are quantised already; leave quantize=none")
    try:
        if quantize == "int8":
            from diffusers import TorchAoConfig
            from torchao.quantization import Int8WeightOnlyConfig

            return TorchAoConfig(Int8WeightOnlyConfig())
        import bitsandbytes  # noqa: F401 - imported here because diffusers' error for its absence fills a page
        from diffusers import BitsAndBytesConfig
    except ImportError as error:
        package = {"int8": "torchao", "nf4": "bitsandbytes"}[quantize]
        raise PriorError(f"quantize={quantize} needs the package {package} ({error}); pip install {package}") from error
    if not torch.cuda.is_available():
        raise PriorError("quantize=nf4 needs a CUDA device; use quantize=int8, or none")
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def is_quantised(folder: Path) -> bool:
    """Return whether the weights of a network are quantised in its files."""
    return b'"quantization_config"' in (folder / "config.json").read_bytes()


@contextmanager
def quietly() -> Iterator[None]:
    """Silence the libraries' warnings and progress bars of loading, since stderr may belong to FFmpeg or to a report.

    Errors are still raised, and the progress of a download is still shown.
    """
    libraries = [library.utils.logging for library in (transformers, diffusers)]
    before = [(logging.get_verbosity(), logging.is_progress_bar_enabled()) for logging in libraries]
    for logging in libraries:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    try:
        yield
    finally:
        for logging, (verbosity, bars) in zip(libraries, before, strict=True):
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()
