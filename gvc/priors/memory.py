# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How much memory a model of the catalogue needs, and the settings with which it fits into a machine.

Weights are counted exactly; the rest is an estimate from what was measured (docs/WAN.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..prior import ModelOptions
from .catalogue.model import Model

GIB = 1 << 30
BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "nf4": 4.5 / 8}  # bytes of a weight
VAE_FORMAT, TEXT_FORMAT = "float32", "bfloat16"  # formats of the VAE and the image encoder, of encoders of text
TILED = 2 * GIB  # bytes that the pictures of a GOP need beside the weights if the VAE works in tiles
USABLE = 0.9  # share of a memory that a model may fill; the rest is for libraries, the driver and other programs
OF_A_SAMPLE = 20_000  # bytes that each sample of a picture's width times height needs if it does not


@dataclass(frozen=True)
class Machine:
    """The memory of a machine.

    main: bytes of main memory.
    device: accelerator, such as cuda:0; default "", for none.
    accelerator: bytes of its memory; default 0.
    """

    main: int
    device: str = ""
    accelerator: int = 0

    def holds(self, need: "Need") -> bool:
        """Return whether a need fits."""
        return need.main <= USABLE * self.main and need.accelerator <= USABLE * self.accelerator


@dataclass(frozen=True)
class Need:
    """Bytes of memory that a model needs."""

    main: float
    accelerator: float = 0.0


def weights(billions: float, number_format: str) -> float:
    """Return the bytes of weights. number_format: key of BYTES."""
    return billions * 1e9 * BYTES[number_format]


def network_weights(model: Model, number_format: str) -> float:
    """Return the bytes of a denoising network's weights. number_format: key of BYTES."""
    return weights(model.network - model.float32, number_format) + weights(model.float32, "float32")


def number_format(options: ModelOptions) -> str:
    """Return the key of BYTES that says how the denoising networks are kept."""
    if options.quantize != "none":
        return options.quantize
    if options.dtype != "auto":
        return options.dtype
    return "float32" if options.device == "cpu" else "bfloat16"


def need(model: Model, options: ModelOptions) -> Need:
    """Return the memory that a model needs to code pictures of its smallest trained size, for a new prompt."""
    network = network_weights(model, number_format(options))
    vae, eyes = weights(model.vae, VAE_FORMAT), weights(model.image_encoder, VAE_FORMAT)
    text = weights(model.text_encoder, TEXT_FORMAT)
    together = model.networks * network + vae + eyes + text
    width, height = model.sizes[0]
    pictures = TILED if options.tiling else OF_A_SAMPLE * width * height
    if options.device == "cpu":
        return Need(together + pictures)
    match options.offload:
        case "none":
            return Need(max(network + vae + eyes, text), together + pictures)
        case "model":
            return Need(together, max(network, vae, eyes, text) + pictures)
        case "group":
            return Need(together, vae + pictures)
        case _:
            return Need(together, pictures)


def settings(device: str) -> Iterator[ModelOptions]:
    """Yield the settings to try on a device, the best ones first. device: torch device."""
    if device == "cpu":
        ways = [("auto", "none", "none"), ("bfloat16", "none", "none"), ("auto", "none", "int8")]
    else:
        ways = [("auto", offload, "none") for offload in ("none", "model", "group")]
        ways += [("auto", "none", "int8")] + [("auto", "none", "nf4")] * device.startswith("cuda")
    for dtype, offload, quantize in ways:
        for tiling in (False, True):
            yield ModelOptions(device, dtype, offload, tiling, quantize)


def fitting(model: Model, machine: Machine) -> ModelOptions | None:
    """Return the best settings with which a model fits into a machine; None if it does not fit."""
    return next((options for options in settings(machine.device or "cpu") if machine.holds(need(model, options))), None)
