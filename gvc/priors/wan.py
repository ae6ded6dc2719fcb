# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan 2.1 (T2V, I2V, FLF2V, VACE) and Wan 2.2 (A14B, TI2V) through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' Wan pipelines. Conditioning is as in these pipelines
(gvc.priors.wan_conditioned); the time enters as 1000 * t. There is no guidance, so a velocity is one call of a network.
The times, the loop and the noise are the codec's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from PIL import Image
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

from ..errors import PriorError
from ..machine.file_state import file_states
from ..prior import DEFAULT_OPTIONS, ModelOptions
from .catalogue import Model
from .device import check_options
from .diffusion import DiffusionPrior, LatentSpace
from .loading import (
    check_files,
    find_model,
    load_image_processor,
    load_network,
    network_dtype,
    place_another,
    quietly,
    read_index,
)
from .lora import load_denoiser, loras_for
from .lora_files import HIGH, LOW, Lora, lora_states, parse_loras
from .prompts import Embedding
from .umt5 import no_text, umt5_prompts
from .untrained import untrained
from .wan_conditioned import ConditionedByChannels, ConditionedByControl, ConditionedByTokens, ConditionedWan
from .wan_variants import CLIP_CONFIG, MODES, kind_of
from .weights import weights_hash

with quietly():  # Without torchvision these imports warn about an image processor that is not used here.
    from diffusers import WanImageToVideoPipeline, WanPipeline, WanVACEPipeline

NETWORKS = {  # pipeline that a model's index names -> class of its denoising networks
    "WanPipeline": WanTransformer3DModel,
    "WanImageToVideoPipeline": WanTransformer3DModel,
    "WanVACEPipeline": WanVACETransformer3DModel,
}
CONDITIONED = {  # the last part of a kind's name -> classes of the pipeline and of a conditioned model
    "t2v": (WanPipeline, ConditionedWan),
    "i2v": (WanImageToVideoPipeline, ConditionedByChannels),
    "flf2v": (WanImageToVideoPipeline, ConditionedByChannels),
    "vace": (WanVACEPipeline, ConditionedByControl),
    "ti2v": (WanPipeline, ConditionedByTokens),
}
COMPONENTS = ("transformer", "vae", "image_encoder", "image_processor")  # parts that determine the decoded pictures
SECOND = "transformer_2"  # the network for low noise of models with two; it determines the decoded pictures too


@dataclass(frozen=True)
class LowNoise:
    """The second network of a model that has one for high and one for low noise.

    boundary: time below which it computes.
    load: function that returns it in main memory. It is called when the network is needed for the first time, since
        streams that end above the boundary do without it.
    """

    boundary: float
    load: Callable[[], torch.nn.Module]


class WanPrior(DiffusionPrior):
    """A Wan model ready to be conditioned.

    kind: kind of the model, a key of gvc.priors.wan_variants.MODES.
    weights_hash: 8 bytes that identify the weights.
    parts: networks and other components of the pipeline, by name.
    prompts, options: as for DiffusionPrior.
    low_noise: second network; None (the default) if the model has a single one.
    Raises PriorError if the device has too little memory for the model.
    """

    has_low_band = True
    takes_loras = True

    def __init__(
        self,
        kind: str,
        weights_hash: bytes,
        parts: dict,
        *,
        prompts: Callable[[str], Embedding],
        options: ModelOptions,
        low_noise: LowNoise | None = None,
    ):
        pipeline_class, self.conditioned = CONDITIONED[kind.removeprefix("2.2-")]
        pipeline = pipeline_class(tokenizer=None, text_encoder=None, scheduler=None, **parts)
        super().__init__(
            f"wan/{kind}",
            MODES[kind],
            weights_hash,
            pipeline=pipeline,
            space=LatentSpace.of_wan(pipeline.vae.config, pipeline.transformer.config.patch_size[-1]),
            prompts=prompts,
            options=options,
        )
        self._low_noise, self._options, self._latest = low_noise, options, self.network

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "WanPrior":
        """Load a model. The second network of a model with two is loaded when it is needed.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete Wan model or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        network_class, boundary, token_times = _described(folder)
        load = partial(load_denoiser, network_class, options=options, pipeline_class=WanPipeline)
        parts = {"transformer": load(folder / "transformer", network=HIGH if boundary else "")}
        parts["vae"] = load_network(AutoencoderKLWan, folder / "vae", torch.float32)
        transformer, vae = (parts[name].config for name in ("transformer", "vae"))
        kind = kind_of(transformer, vae, folder, two_networks=boundary is not None, token_times=token_times)
        if transformer.image_dim is not None:
            parts |= _load_image_encoder(folder)
        prompts = umt5_prompts(folder, path, options)
        components, settings, low_noise = COMPONENTS, {}, None
        if boundary is not None:
            later = _later(partial(load, network=LOW), folder / SECOND, transformer, loras_for(LOW, options))
            low_noise = LowNoise(boundary, later)
            components, settings = (*COMPONENTS, SECOND), {"boundary_ratio": boundary}
        identity = weights_hash(folder, components, options.quantize, settings, parse_loras(options.lora))
        return cls(kind, identity, parts, prompts=prompts, options=options, low_noise=low_noise)

    @classmethod
    def from_config(cls, model: Model, options: ModelOptions = DEFAULT_OPTIONS, seed: int = 0) -> "WanPrior":
        """Make a model of full size with random weights, which takes the time and memory of the real one.

        model: entry of the catalogue that has a shape. The text encoder is left out; all embeddings are zero.
        options: device, dtype and placement of the networks; quantize has no effect.
        seed: seed of the random weights, default 0.
        Raises PriorError.
        """
        check_options(options)
        shape, kind = model.shape, model.stream_name.partition("/")[2]
        network_class = WanVACETransformer3DModel if kind == "vace" else WanTransformer3DModel
        make = partial(untrained, network_class, shape.network, network_dtype(options), options)
        vae = untrained(AutoencoderKLWan, shape.vae, torch.float32, options, seed)
        parts = {"transformer": make(seed), "vae": vae}
        if parts["transformer"].config.image_dim is not None:
            config = {"config": CLIPVisionConfig(**CLIP_CONFIG)}
            parts["image_encoder"] = untrained(CLIPVisionModel, config, torch.float32, options, seed)
            parts["image_processor"] = CLIPImageProcessorPil()
        text = no_text(parts["transformer"].config.text_dim)
        low_noise = None if shape.boundary is None else LowNoise(shape.boundary, lambda: make(seed + 1))
        return cls(kind, bytes(8), parts, prompts=lambda prompt: text, options=options, low_noise=low_noise)

    def network_at(self, t: float) -> torch.nn.Module:
        """Return the network that computes at time t, on the device or on its way there. Raises PriorError."""
        wanted = self.network
        if self._low_noise and t < self._low_noise.boundary:
            if self.pipeline.transformer_2 is None:
                place_another(self.pipeline, SECOND, self._low_noise.load(), self._options)
            wanted = self.pipeline.transformer_2
        if wanted is not self._latest:
            # With offload=model a network stays on the device until another one follows it in the pipeline's own
            # order. The codec's order is another one, and there may be no room for both of these.
            self.pipeline.maybe_free_model_hooks()
            self._latest = wanted
        return wanted

    def embed_pictures(self, pictures: list[Image.Image]) -> Tensor | None:
        """Return the CLIP embeddings [pictures, tokens, image_dim]; None where the model wants none."""
        if self.network.config.image_dim is None:
            return None
        return self.pipeline.encode_image(pictures, self.device).to(self.dtype)


def _described(folder: Path) -> tuple[type, float | None, bool]:
    """Return what a model's index says of it.

    The first value is the class of its denoising networks. The second one is the time below which the second network
    computes, None for a model with a single network. The third one is whether a network is told a time for each token.
    Raises PriorError if the index describes a model that GVC cannot use.
    """
    index = read_index(folder)
    kind, boundary = index.get("_class_name"), index.get("boundary_ratio")
    second = (index.get(SECOND) or [None])[0] is not None
    if kind not in NETWORKS:
        raise PriorError(
            f"{folder} holds a {kind}, which GVC cannot use; "
            "use a T2V, I2V, FLF2V or VACE model of Wan 2.1, or an A14B or TI2V model of Wan 2.2"
        )
    token_times = bool(index.get("expand_timesteps"))
    if not second and boundary is None:
        return NETWORKS[kind], None, token_times
    if not (second and isinstance(boundary, float) and 0 < boundary < 1):
        raise PriorError(
            f"the index of {folder} must name both {SECOND} and a boundary_ratio between 0 and 1, or neither; "
            "fetch the model again"
        )
    check_files(folder / SECOND)
    return NETWORKS[kind], boundary, token_times


def _later(
    load: Callable[[Path], torch.nn.Module], folder: Path, shape: dict, loras: Sequence[Lora]
) -> Callable[[], torch.nn.Module]:
    """Return a function that loads a network as its files are now.

    load: function that loads the network in a folder.
    folder: the folder.
    shape: configuration of the model's first network, whose inputs the second one must have.
    loras: LoRAs that `load` adds.
    """
    state = file_states(folder, ("*",)) + lora_states(loras)

    def load_unchanged() -> torch.nn.Module:
        network = load(folder)
        if file_states(folder, ("*",)) + lora_states(loras) != state:
            raise PriorError(f"files of {folder} have changed since the model was opened; open it again")
        for name in ("in_channels", "out_channels", "patch_size", "text_dim", "image_dim"):
            if network.config[name] != shape[name]:
                raise PriorError(f"the networks of {folder.parent} have different {name}; fetch the model again")
        return network

    return load_unchanged


def _load_image_encoder(folder: Path) -> dict:
    """Load the CLIP image encoder (in float32) and its preprocessing, as components of a pipeline.

    Some published models lack the encoder's last projection, and some name a processor with more features. Neither is
    needed here.
    """
    encoder = load_network(CLIPVisionModel, folder / "image_encoder", torch.float32)
    processor = load_image_processor(CLIPImageProcessorPil, folder / "image_processor")
    return {"image_encoder": encoder, "image_processor": processor}
