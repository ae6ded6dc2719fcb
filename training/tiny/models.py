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
from torch import Tensor, nn

from gvc.priors.loading import quietly
from gvc.priors.prompts import EMBEDDING_FILE
from gvc.priors.umt5 import TEXT_TOKENS
from training.tiny import single_pass

TEMPORAL_STRIDE, SPATIAL_STRIDE = 4, 8
TEXT_CHANNELS = 16
# 2.7 million parameters. As in Wan 2.2, a patch of 2 x 2 samples is one position, since convolutions at full size cost
# most, and shortcuts pass averages on. There are 16 latent channels, as in Wan 2.1 with its VACE.
VAE = {
    "base_dim": 32,
    "dim_mult": [1, 2, 2],
    "num_res_blocks": 1,
    "z_dim": 16,
    "temperal_downsample": [True, True],
    "is_residual": True,
    "patch_size": 2,
    "in_channels": 12,
    "out_channels": 12,
    "scale_factor_spatial": SPATIAL_STRIDE,
}
# 7.2 million parameters; the known pictures join after the first layer.
TRANSFORMER = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "ffn_dim": 768,
    "num_layers": 6,
    "vace_layers": [0],
    "text_dim": TEXT_CHANNELS,
}


def latent_frames(pictures: int) -> int:
    """Return the number of latent frames of a clip of 4k + 1 pictures."""
    return (pictures - 1) // TEMPORAL_STRIDE + 1


def new_vae() -> AutoencoderKLWan:
    """Return an untrained autoencoder that is nearly linear, since such a one learns in far fewer steps.

    Branches beside a shortcut begin as zero, and other convolutions keep the variance of their input.
    """
    vae = AutoencoderKLWan(**VAE)
    for name, part in vae.named_modules():
        if name.endswith((".conv2", ".proj")):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)
        elif isinstance(part, (nn.Conv2d, nn.Conv3d)) and not name.endswith((".conv1", ".to_qkv")):
            part.weight.data *= 3**0.5  # torch begins with a third of that variance.
    return channels_last(vae)


def channels_last(vae: AutoencoderKLWan) -> AutoencoderKLWan:
    """Store the weights of convolutions so that these compute with channels last, which is faster; return `vae`."""
    for part in vae.modules():
        if isinstance(part, nn.Conv3d):
            part.to(memory_format=torch.channels_last_3d)
        elif isinstance(part, nn.Conv2d):
            part.to(memory_format=torch.channels_last)
    return vae


def encode(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    """Encode R'G'B' [N, 3, T, H, W] in [-1, 1] to normalised latents [N, 16, T', H/8, W/8]."""
    mean, std = (
        torch.tensor(values, device=video.device).view(1, -1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    return (single_pass.encode(vae, video) - mean) / std


def export(folder: Path, vae: AutoencoderKLWan, transformer: WanVACETransformer3DModel, credits: Path) -> None:
    """Write a model's folder in diffusers' layout, weights as float16.

    There is no text encoder: of all prompts only the empty one works, whose embedding is zero.

    credits: list of the media that the model was trained on.
    """
    for network in (vae, transformer):
        network.register_to_config(_name_or_path="")  # Else the path on this machine is published
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
