# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""HunyuanVideo 1.5 through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' HunyuanVideo 1.5 pipelines. A known first picture enters by
channels beside the state, its latent and a mask, and as tokens of an image encoder. The time enters as 1000 * t. There
is no guidance, and weights that contain guidance are refused.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKLHunyuanVideo15, DiffusionPipeline, HunyuanVideo15Transformer3DModel
from PIL import Image
from torch import Tensor
from transformers import SiglipImageProcessorPil, SiglipVisionConfig, SiglipVisionModel

from ..errors import PriorError
from ..prior import DEFAULT_OPTIONS, Condition, KnownLatent, ModelOptions
from .catalogue import Model
from .device import check_options
from .diffusion import ConditionedDiffusion, DiffusionPrior, LatentSpace, flatten
from .loading import (
    find_model,
    load_image_processor,
    load_network,
    network_dtype,
    pipeline_of,
    quietly,
    read_configuration,
)
from .low_band import DiffusionLowBand
from .prompts import TWO_ENCODERS, Embedding, Prompts, text_pipeline
from .untrained import untrained
from .weights import weights_hash

with quietly():  # Without torchvision these imports warn about an image processor that is not used here.
    from diffusers import HunyuanVideo15ImageToVideoPipeline, HunyuanVideo15Pipeline

PIPELINES = {"t2v": HunyuanVideo15Pipeline, "i2v": HunyuanVideo15ImageToVideoPipeline}  # by mode
COMPONENTS = ("transformer", "vae", "image_encoder", "feature_extractor")  # parts that determine the decoded pictures
ABSENT = dict.fromkeys((*TWO_ENCODERS, "scheduler", "guider"))  # parts of a pipeline that the codec does not use
GUIDER = Path("guider", "guider_config.json")
SIGLIP_CONFIG = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}


class ConditionedHunyuan(ConditionedDiffusion):
    """HunyuanVideo 1.5 conditioned on one GOP."""

    def __init__(self, prior: "HunyuanPrior", condition: Condition):
        super().__init__(prior, condition)
        self.inputs = prior.embed_text(condition.prompt)
        time, channels, height, width = self.shape
        self.channels = torch.zeros(1, channels + 1, time, height, width, device=prior.device)
        if condition.first is None:
            self.inputs["image_embeds"] = prior.no_picture()
            return
        self.inputs["image_embeds"] = prior.embed_picture(self.image(condition.first))
        latent = prior.encode(self.picture(condition.first))
        self.channels[:, :-1, :1], self.channels[:, -1, 0] = latent, 1
        # The VAE is causal, so the first latent frame depends on the first picture alone.
        self.known = (KnownLatent(self.blocks[0], flatten(latent)),)

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = latent], both [1, C, T', H', W']."""
        (velocity,) = self.prior.network(
            hidden_states=torch.cat((latent, self.channels), dim=1).to(self.prior.dtype),
            timestep=torch.full((1,), 1000.0 * t, device=self.prior.device),
            return_dict=False,
            **self.inputs,
        )
        return velocity

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        self.channels = band.shown(self.channels)


class HunyuanPrior(DiffusionPrior):
    """A HunyuanVideo 1.5 ready to be conditioned; its name ends in its mode.

    mode: mode that the model was trained for.
    weights_hash: 8 bytes that identify the weights.
    parts: networks and other components of the pipeline, by name, in main memory.
    prompts, options: as for DiffusionPrior.
    Raises PriorError if the device has too little memory for the model.
    """

    conditioned = ConditionedHunyuan
    has_low_band = True

    def __init__(
        self,
        mode: str,
        weights_hash: bytes,
        parts: dict,
        *,
        prompts: Callable[[str], Embedding],
        options: ModelOptions,
    ):
        transformer = parts["transformer"]
        # diffusers embeds the time in the precision in which it is given. It must be given in float32, and the layer
        # behind takes its embedding in the precision of the network.
        dtype = network_dtype(options)
        transformer.time_embed.timestep_embedder.register_forward_pre_hook(lambda _, given: (given[0].to(dtype),))
        super().__init__(
            f"hunyuan/1.5-{mode}",
            (mode,),
            weights_hash,
            pipeline=PIPELINES[mode](**parts, **ABSENT),
            space=LatentSpace.of_one_scale(parts["vae"].config),
            prompts=prompts,
            options=options,
        )

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "HunyuanPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete HunyuanVideo 1.5 or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        kinds = {pipeline.__name__: mode for mode, pipeline in PIPELINES.items()}
        mode = kinds[pipeline_of(folder, kinds, "a HunyuanVideo 1.5")]
        dtype, quantize = network_dtype(options), options.quantize
        parts = {
            "transformer": load_network(HunyuanVideo15Transformer3DModel, folder / "transformer", dtype, quantize),
            "vae": load_network(AutoencoderKLHunyuanVideo15, folder / "vae", torch.float32),
        }
        _check_fit(parts["transformer"].config, parts["vae"].config, folder)
        if mode == "i2v":
            parts["image_encoder"] = load_network(SiglipVisionModel, folder / "image_encoder", torch.float32)
            parts["feature_extractor"] = load_image_processor(SiglipImageProcessorPil, folder / "feature_extractor")
        prompts = Prompts(folder, path, "hunyuan", lambda where, prompt: _embed(where, prompt, options), TWO_ENCODERS)
        identity = weights_hash(folder, COMPONENTS, quantize)
        return cls(mode, identity, parts, prompts=prompts, options=options)

    @classmethod
    def from_config(cls, model: Model, options: ModelOptions = DEFAULT_OPTIONS, seed: int = 0) -> "HunyuanPrior":
        """Make a model of full size with random weights, which takes the time and memory of the real one.

        model: entry of the catalogue that has a shape. The text encoders are left out; all embeddings are zero.
        options: device, dtype and placement of the networks; quantize has no effect.
        seed: seed of the random weights, default 0.
        Raises PriorError.
        """
        check_options(options)
        shape = model.shape
        transformer = untrained(HunyuanVideo15Transformer3DModel, shape.network, network_dtype(options), options, seed)
        vae = untrained(AutoencoderKLHunyuanVideo15, shape.vae, torch.float32, options, seed)
        parts = {"transformer": transformer, "vae": vae}
        if "i2v" in model.modes:
            config = {"config": SiglipVisionConfig(**SIGLIP_CONFIG)}
            parts["image_encoder"] = untrained(SiglipVisionModel, config, torch.float32, options, seed)
            parts["feature_extractor"] = SiglipImageProcessorPil(size={"height": 384, "width": 384})
        text = {
            "prompt_embeds": torch.zeros(1, 1, transformer.config.text_embed_dim),
            "prompt_embeds_2": torch.zeros(1, 0, transformer.config.text_embed_2_dim),
        }
        return cls(model.modes[0], bytes(8), parts, prompts=lambda prompt: text, options=options)

    def embed_text(self, prompt: str) -> dict[str, Tensor]:
        """Return the network's inputs for a prompt: two embeddings [1, L, *] and their masks [1, L] of ones.

        Raises PriorError.
        """
        embedding, config = self.prompts(prompt), self.network.config
        found = [embedding.get(name) for name in ("prompt_embeds", "prompt_embeds_2")]
        widths = [text.shape[2] for text in found if text is not None and text.ndim == 3]
        if widths != [config.text_embed_dim, config.text_embed_2_dim]:
            raise PriorError(f"the embedding of the prompt {prompt!r} is of another model than {self.name}; delete it")
        text, glyphs = (text.to(self.device, self.dtype) for text in found)
        return {
            "encoder_hidden_states": text,
            "encoder_attention_mask": text.new_ones(text.shape[:2]),
            "encoder_hidden_states_2": glyphs,
            "encoder_attention_mask_2": glyphs.new_ones(glyphs.shape[:2]),
        }

    def embed_picture(self, picture: Image.Image) -> Tensor:
        """Return the image encoder's tokens of a picture, [1, tokens, image_embed_dim]."""
        return self.pipeline.encode_image(picture, 1, self.device, self.dtype)

    def no_picture(self) -> Tensor:
        """Return no tokens of pictures, [1, 0, image_embed_dim]."""
        return torch.zeros(1, 0, self.network.config.image_embed_dim, dtype=self.dtype, device=self.device)


def _check_fit(transformer, vae, folder: Path) -> None:
    """Raise PriorError unless the transformer takes the VAE's latents, one a token, and has no guidance in it."""
    guider = folder / GUIDER
    guided = guider.is_file() and read_configuration(guider).get("guidance_scale") == 1
    if guided or transformer.use_meanflow:
        raise PriorError(f"{folder} is distilled: guidance is part of its weights; use a model that is not distilled")
    channels, latent = (transformer.in_channels, transformer.out_channels), vae.latent_channels
    if channels == (2 * latent + 1, latent) and transformer.patch_size == transformer.patch_size_t == 1:
        return
    raise PriorError(
        f"{folder} is no HunyuanVideo 1.5 model (in_channels {transformer.in_channels}, latent channels {latent}, "
        f"patch {transformer.patch_size}); use a T2V or I2V model"
    )


class TextEncoders(DiffusionPipeline):
    """The text encoders of diffusers' pipelines alone, since those pipelines cannot be made without a VAE."""

    model_cpu_offload_seq = "text_encoder->text_encoder_2"

    def __init__(self, text_encoder, tokenizer, text_encoder_2, tokenizer_2):
        super().__init__()
        self.register_modules(
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
        )


def _embed(folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do, without masked tokens; it is on the CPU."""
    with text_pipeline(TextEncoders, folder, options, TWO_ENCODERS) as pipeline:
        device, whole = pipeline._execution_device, HunyuanVideo15Pipeline
        text = whole._get_mllm_prompt_embeds(pipeline.text_encoder, pipeline.tokenizer, prompt, device)
        glyphs = whole._get_byt5_prompt_embeds(pipeline.tokenizer_2, pipeline.text_encoder_2, prompt, device)
    return {"prompt_embeds": _seen(*text), "prompt_embeds_2": _seen(*glyphs)}


def _seen(embedding: Tensor, mask: Tensor) -> Tensor:
    """Return the tokens [1, L, *] of an embedding [1, *, *] whose mask [1, *] is not 0; no others have an effect."""
    return embedding[mask.bool()][None].cpu()
