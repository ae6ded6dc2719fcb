# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""SANA-Video through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' SANA-Video pipelines. One set of weights serves t2v and i2v: a
known first picture is the first latent frame, clean and at time 0 (gvc.priors.known_frames), and the network is told a
time for each token. There is no guidance. Models were published with two VAEs, those of Wan 2.1 and of LTX-2.
"""

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLLTX2Video, AutoencoderKLWan, SanaVideoPipeline, SanaVideoTransformer3DModel
from torch import Tensor

from ..errors import PriorError
from ..prior import DEFAULT_OPTIONS, Condition, ModelOptions
from .catalogue import Model
from .device import check_options
from .diffusion import DiffusionPrior, LatentSpace
from .known_frames import ConditionedByFrames
from .loading import INDEX, find_model, load_network, network_dtype, pipeline_of, read_index
from .lora import load_denoiser
from .lora_files import parse_loras
from .ltx2_vae import decode_latent
from .prompts import Embedding, Prompts, masked_text, text_pipeline
from .untrained import untrained
from .weights import weights_hash

TEXT_TOKENS = 300  # tokens of an embedding
COMPONENTS = ("transformer", "vae")  # parts of a model that determine the decoded pictures
MODES = ("t2v", "i2v")
PIPELINES = ("SanaVideoPipeline", "SanaImageToVideoPipeline")
VAES = {vae.__name__: vae for vae in (AutoencoderKLWan, AutoencoderKLLTX2Video)}
# Diffusers' pipelines put this text in front of a prompt, as in training.
INSTRUCTION = inspect.signature(SanaVideoPipeline.__call__).parameters["complex_human_instruction"].default


class ConditionedSana(ConditionedByFrames):
    """SANA-Video conditioned on one GOP."""

    def __init__(self, prior: "SanaPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = masked_text(prior, condition.prompt, prior.network.config.caption_channels)

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W'].

        Some models predict a deviation too, in as many channels behind those of the mean. It is not used.
        """
        channels, patch = self.prior.space.channels, self.prior.space.patch
        (output,) = self.prior.network(
            hidden_states=frames.to(self.prior.dtype),
            timestep=self.token_times(timestep, frames.shape[3] * frames.shape[4] // patch**2),
            return_dict=False,
            **self.text,
        )
        return output[:, :channels]


class SanaPrior(DiffusionPrior):
    """A SANA-Video ready to be conditioned.

    weights_hash, space, prompts, options: as for DiffusionPrior.
    transformer, vae: its networks in main memory, or on the device without offload.
    Raises PriorError if the device has too little memory for the model.
    """

    conditioned = ConditionedSana
    has_low_band = True
    takes_loras = True

    def __init__(
        self,
        weights_hash: bytes,
        transformer: SanaVideoTransformer3DModel,
        vae: AutoencoderKLWan | AutoencoderKLLTX2Video,
        space: LatentSpace,
        *,
        prompts: Callable[[str], Embedding],
        options: ModelOptions,
    ):
        super().__init__(
            "sana/ti2v",
            MODES,
            weights_hash,
            pipeline=SanaVideoPipeline(
                transformer=transformer, vae=vae, tokenizer=None, text_encoder=None, scheduler=None
            ),
            space=space,
            prompts=prompts,
            options=options,
        )

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "SanaPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete SANA-Video or cannot be run with these options.
        """
        check_options(options)
        _check_dtype(options)
        folder = find_model(path)
        vae_class = _class_of_vae(folder)
        transformer = load_denoiser(SanaVideoTransformer3DModel, folder / "transformer", options, SanaVideoPipeline)
        vae = load_network(vae_class, folder / "vae", torch.float32)
        space = _latent_space(transformer.config, vae)
        _check_fit(transformer.config, vae.config, space, folder)
        prompts = Prompts(folder, path, "sana", lambda where, prompt: _embed(where, prompt, options))
        identity = weights_hash(folder, COMPONENTS, options.quantize, loras=parse_loras(options.lora))
        return cls(identity, transformer, vae, space, prompts=prompts, options=options)

    @classmethod
    def from_config(cls, model: Model, options: ModelOptions = DEFAULT_OPTIONS) -> "SanaPrior":
        """Make a model of full size with random weights, which takes the time and memory of the real one.

        model: entry of the catalogue that has a shape. The text encoder is left out; all embeddings are zero.
        options: device, dtype and placement of the networks.
        Raises PriorError.
        """
        check_options(options)
        _check_dtype(options)
        shape, dtype = model.shape, network_dtype(options)
        transformer = untrained(SanaVideoTransformer3DModel, shape.network, dtype, options)
        vae = untrained(VAES[shape.vae_class], shape.vae, torch.float32, options)
        text = {
            "prompt_embeds": torch.zeros(1, TEXT_TOKENS, transformer.config.caption_channels),
            "prompt_attention_mask": torch.ones(1, TEXT_TOKENS, dtype=torch.long),
        }
        channels, patch = transformer.config.in_channels, transformer.config.patch_size[-1]
        space = LatentSpace((0.0,) * channels, (1.0,) * channels, *_strides(vae), patch)
        return cls(bytes(8), transformer, vae, space, prompts=lambda prompt: text, options=options)

    def decode(self, latent: Tensor) -> Tensor:
        """Decode a normalised latent [1, C, T', H', W'] to R'G'B' [1, 3, T, H, W] in [-1, 1]."""
        if isinstance(self.vae, AutoencoderKLLTX2Video):
            return decode_latent(self.vae, latent * self.latents_std + self.latents_mean)
        return super().decode(latent)


def _check_dtype(options: ModelOptions) -> None:
    """Raise PriorError if the numbers of the denoising network would be too small."""
    if network_dtype(options) == torch.float16:
        raise PriorError("the sums of SANA-Video's attention overflow in float16; set dtype=bfloat16 or float32")


def _class_of_vae(folder: Path) -> type:
    """Return the class of a model's VAE. Raises PriorError if GVC cannot use what the index describes."""
    pipeline_of(folder, PIPELINES, "a SANA-Video")
    index = read_index(folder)
    try:
        (_, transformer), (_, vae) = index["transformer"], index["vae"]
    except (KeyError, TypeError, ValueError) as error:
        raise PriorError(f"{folder / INDEX} does not name transformer and vae; fetch the model again") from error
    if transformer != SanaVideoTransformer3DModel.__name__:
        raise PriorError(
            f"the network of {folder} is a {transformer}, which wants the pictures of GOPs before; "
            "use a SANA-Video 2B, not a LongLive or LongSANA"
        )
    if vae not in VAES:
        raise PriorError(
            f"the VAE of {folder} is a {vae}, which diffusers cannot use for videos; "
            f"use a SANA-Video with one of {', '.join(VAES)}"
        )
    return VAES[vae]


def _latent_space(transformer, vae: AutoencoderKLWan | AutoencoderKLLTX2Video) -> LatentSpace:
    patch = transformer.patch_size[-1]
    if isinstance(vae, AutoencoderKLWan):
        return LatentSpace.of_wan(vae.config, patch)
    mean, std = tuple(vae.latents_mean.tolist()), tuple(vae.latents_std.tolist())
    return LatentSpace(mean, std, *_strides(vae), patch)


def _strides(vae: AutoencoderKLWan | AutoencoderKLLTX2Video) -> tuple[int, int]:
    """Return the pictures of a latent frame and the luma samples of a latent value, horizontally and vertically."""
    if isinstance(vae, AutoencoderKLWan):
        return vae.config.scale_factor_temporal, vae.config.scale_factor_spatial
    return vae.temporal_compression_ratio, vae.spatial_compression_ratio


def _check_fit(transformer, vae, space: LatentSpace, folder: Path) -> None:
    """Raise PriorError unless transformer and VAE use the same latents, with neither further inputs nor random noise.

    transformer, vae: configurations of these networks.
    """
    channels, outputs, patch = transformer.in_channels, transformer.out_channels, tuple(transformer.patch_size)
    fits = {
        f"{channels} channels for {space.channels} of its VAE": channels == space.channels,
        f"{outputs} channels of output": outputs in (channels, 2 * channels),
        f"a patch of {patch}": patch == (1, space.patch, space.patch),
        "guidance as an input": not transformer.guidance_embeds,
        "a VAE that takes a time": not vae.get("timestep_conditioning"),
        "a VAE that adds noise": not np.any(vae.get("decoder_inject_noise", False)),
    }
    wrong = [what for what, is_so in fits.items() if not is_so]
    if wrong:
        raise PriorError(f"{folder} is no SANA-Video that GVC knows, with {' and '.join(wrong)}; use a SANA-Video 2B")


def _embed(folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do; the tensors are on the CPU.

    The empty text is embedded alone, as for the videos that were shown without a text in training.
    """
    with text_pipeline(SanaVideoPipeline, folder, options, transformer=None, vae=None, scheduler=None) as pipeline:
        embedding, mask, _, _ = pipeline.encode_prompt(
            prompt,
            do_classifier_free_guidance=False,
            complex_human_instruction=INSTRUCTION if prompt else None,
        )
    return {"prompt_embeds": embedding.cpu(), "prompt_attention_mask": mask.cpu()}
