# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The networks of `wan-tiny`, and how they are called and stored.

The layout is that of Wan 2.1 VACE in diffusers, so one model codes t2v, i2v and flf2v.
"""

import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from safetensors.torch import save_file
from torch import Tensor

from gvc.priors.loading import quietly
from gvc.priors.prompts import EMBEDDING_FILE
from gvc.priors.umt5 import TEXT_TOKENS

TEMPORAL_STRIDE, SPATIAL_STRIDE = 4, 8
TEXT_CHANNELS = 16
# 4.6 million parameters. Few channels at full size, where a convolution costs most; 16 latent channels, since VACE has
# 96 input channels: two latents and 8 x 8 of the mask.
VAE = {
    "base_dim": 8,
    "dim_mult": [1, 4, 8, 12],
    "num_res_blocks": 1,
    "z_dim": 16,
    "temperal_downsample": [False, True, True],
}
# 5.9 million parameters; the known pictures join after the first layer.
TRANSFORMER = {
    "num_attention_heads": 4,
    "attention_head_dim": 48,
    "ffn_dim": 768,
    "num_layers": 8,
    "vace_layers": [0],
    "text_dim": TEXT_CHANNELS,
}


def latent_frames(pictures: int) -> int:
    """Return the number of latent frames of a clip of 4k + 1 pictures."""
    return (pictures - 1) // TEMPORAL_STRIDE + 1


def encode(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    """Encode R'G'B' [N, 3, T, H, W] in [-1, 1] to normalised latents [N, 16, T', H/8, W/8]."""
    mean, std = (
        torch.tensor(values, device=video.device).view(1, -1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    return (vae.encode(video).latent_dist.mode() - mean) / std


def export(folder: Path, vae: AutoencoderKLWan, transformer: WanVACETransformer3DModel, credits: Path) -> None:
    """Write a model's folder in diffusers' layout, weights as float16.

    There is no text encoder: of all prompts only the empty one works, whose embedding is zero.

    credits: list of the media that the model was trained on.
    """
    pipeline = WanVACEPipeline(
        tokenizer=None,
        text_encoder=None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae.half(),
        transformer=transformer.half(),
    )
    with quietly():  # Parts that are None would be reported.
        pipeline.save_pretrained(folder)
    embedding = {"prompt_embeds": torch.zeros(1, TEXT_TOKENS, TEXT_CHANNELS)}
    save_file(embedding, folder / EMBEDDING_FILE, {"prompt": ""})
    shutil.copy(credits, folder / "CREDITS.tsv")
