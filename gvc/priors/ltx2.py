# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LTX-2 through diffusers as a prior of the codec, without its sound.

A folder or hub repository has the layout of diffusers' LTX-2 pipelines; LTX-2.3 and LTX-2.5 have it, too. As with
LTX-Video, one set of weights serves all modes, a known first picture fills the first latent frame, and a known last
picture adds tokens at its position in time. There is no guidance.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLLTX2Video, LTX2ConditionPipeline
from diffusers.pipelines.ltx2 import LTX2TextConnectors
from torch import Tensor

from ..errors import PriorError
from ..media import Planes
from ..prior import DEFAULT_OPTIONS, Condition, ModelOptions
from .device import check_options
from .loading import find_model, load_network, pipeline_of
from .lora import load_denoiser
from .lora_files import parse_loras
from .ltx import ConditionedLtx, LtxPrior, latent_space
from .ltx2_network import VideoNetwork, no_sound
from .ltx2_vae import decode_latent
from .prompts import ENCODER_PARTS, Embedding, Prompts, text_pipeline
from .weights import weights_hash

NOMINAL_RATE = 24  # pictures a second of a video without a frame rate; diffusers' pipelines assume the same
COMPONENTS = ("transformer", "vae")  # parts of a model that determine the decoded pictures
MODES = ("t2v", "i2v", "flf2v")
PIPELINES = ("LTX2Pipeline", "LTX2ImageToVideoPipeline", "LTX2ConditionPipeline", "LTX2DFRPipeline")
SOUND = dict.fromkeys(("audio_vae", "vocoder"))  # parts of the pipeline that are not loaded


class ConditionedLtx2(ConditionedLtx):
    """LTX-2 conditioned on one GOP."""

    def __init__(self, prior: "Ltx2Prior", condition: Condition):
        super().__init__(prior, condition)
        self._no_sound = no_sound(prior.network.config, prior.device, prior.dtype)

    def places(self, condition: Condition) -> dict[int, Planes | None]:
        """Return the known pictures by place: the tokens of the last one follow those of the video."""
        return {0: condition.first, self.shape[0]: condition.last}

    def further_inputs(self, timestep: Tensor) -> dict[str, Any]:
        """Return the inputs that LTX-Video's network lacks. timestep: 1000 times the time of each frame, [F]."""
        noisy = timestep.max()[None]  # All frames with noise have the time of the step, and known ones have 0.
        # LTX-2.5 has an embedding for the latent frame of the video that stands for a single picture, which is the
        # first one. Diffusers gives it in its DFR pipelines only, the publisher's code always.
        _, _, height, width = self.shape
        single = torch.arange(self.coordinates.shape[2], device=noisy.device)[None, :, None] < height * width
        return {"sigma": noisy, "audio_timestep": noisy, "video_keyframes_mask": single, **self._no_sound}

    def token_coordinates(self) -> Tensor:
        """Return start and end of each token: time in seconds, row and column in pixels, as [1, 3, tokens, 2]."""
        frames, _, height, width = self.shape
        rate = float(self.format.frame_rate or NOMINAL_RATE)
        places = self.prior.network.rope.prepare_video_coords(1, frames, height, width, self.prior.device, fps=rate)
        if self.after.shape[2]:
            last = places[:, :, : height * width].clone()
            last[:, 0] = torch.tensor([self.padded[0] - 1.0, self.padded[0]], device=self.prior.device) / rate
            places = torch.cat((places, last), dim=2)
        return places


class Ltx2Prior(LtxPrior):
    """An LTX-2 ready to be conditioned. It takes text as LTX-Video does."""

    conditioned = ConditionedLtx2

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "Ltx2Prior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete LTX-2 model or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        pipeline_of(folder, PIPELINES, "an LTX-2")
        transformer = load_denoiser(VideoNetwork, folder / "transformer", options, LTX2ConditionPipeline)
        vae = load_network(AutoencoderKLLTX2Video, folder / "vae", torch.float32)
        _check_fit(transformer.config, vae, folder)
        text = dict.fromkeys((*ENCODER_PARTS, "connectors"))
        return cls(
            "ltx2/all",
            MODES,
            weights_hash(folder, COMPONENTS, options.quantize, loras=parse_loras(options.lora)),
            pipeline=LTX2ConditionPipeline(transformer=transformer, vae=vae, scheduler=None, **text, **SOUND),
            space=latent_space(vae),
            prompts=Prompts(folder, path, "ltx2", lambda where, prompt: _embed(where, prompt, options), tuple(text)),
            options=options,
        )

    def decode(self, latent: Tensor) -> Tensor:
        """Decode a normalised latent [1, C, T', H', W'] to R'G'B' [1, 3, T, H, W] in [-1, 1]."""
        return decode_latent(self.vae, latent * self.latents_std + self.latents_mean)

    @property
    def text_channels(self) -> int:
        """Channels of a prompt's embedding."""
        config = self.network.config
        return config.caption_channels if config.use_prompt_embeddings else config.cross_attention_dim


def _check_fit(transformer, vae: AutoencoderKLLTX2Video, folder: Path) -> None:
    """Raise PriorError unless the networks use the same latents and tokens, and the VAE neither a time nor noise."""
    channels, strides = [transformer.in_channels, transformer.out_channels], list(transformer.vae_scale_factors)
    fits = {
        f"channels {channels}": channels == 2 * [vae.config.latent_channels],
        f"strides {strides}": strides == [vae.temporal_compression_ratio] + 2 * [vae.spatial_compression_ratio],
        f"a patch of {transformer.patch_size}": transformer.patch_size == transformer.patch_size_t == 1,
        "a VAE that takes a time": not vae.config.timestep_conditioning,
        "a VAE that adds noise": not np.any(vae.config.decoder_inject_noise),
    }
    wrong = [what for what, is_so in fits.items() if not is_so]
    if wrong:
        raise PriorError(f"{folder} is no LTX-2 that GVC knows, with {' and '.join(wrong)}; use LTX-2 or LTX-2.3")


def _embed(folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do; the tensors are on the CPU.

    The connectors turn what Gemma makes of the prompt into what the layers for video take.
    """
    connectors = load_network(LTX2TextConnectors, folder / "connectors", torch.bfloat16)
    others = {"connectors": connectors, "transformer": None, "vae": None, "scheduler": None, **SOUND}
    with text_pipeline(LTX2ConditionPipeline, folder, options, **others) as pipeline:
        states, mask, _, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)
        text, _, mask = pipeline.connectors(states, mask, padding_side=pipeline.tokenizer_padding_side)
    return {"prompt_embeds": text.cpu(), "prompt_attention_mask": mask.cpu()}
