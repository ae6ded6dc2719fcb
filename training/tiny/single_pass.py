# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan's autoencoder applied to all pictures of a clip at once.

diffusers calls the networks for one latent frame after the other, which saves memory, and passes the last frames of
each layer on. For short clips a single pass makes the same values in less time.
"""

from contextlib import AbstractContextManager
from unittest.mock import patch

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanResample, patchify, unpatchify
from torch import Tensor

_chunk = WanResample.forward


def encode(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    """Encode R'G'B' [N, 3, T, H, W] in [-1, 1] to latents [N, C, T', H/8, W/8] that are not normalised."""
    with _whole():
        moments = vae.quant_conv(vae.encoder(patchify(video, vae.config.patch_size)))
    return moments[:, : vae.config.z_dim]


def decode(vae: AutoencoderKLWan, latent: Tensor) -> Tensor:
    """Decode latents that are not normalised to R'G'B' [N, 3, T, H, W] in [-1, 1]."""
    with _whole():
        made = vae.decoder(vae.post_quant_conv(latent), first_chunk=True)
    return unpatchify(made, vae.config.patch_size).clamp(-1, 1)


def _whole() -> AbstractContextManager:
    return patch.object(WanResample, "forward", _resample)


def _resample(layer: WanResample, x: Tensor, feat_cache: None = None, feat_idx: None = None) -> Tensor:
    """Do what `layer` does for all frames; the first one has no partner in time."""
    if layer.mode == "upsample3d" and x.shape[2] > 1:
        pairs = layer.time_conv(x[:, :, 1:]).unflatten(1, (2, -1))  # [N, 2, C, T - 1, H, W]
        x = torch.cat((x[:, :, :1], pairs.movedim(1, 3).flatten(2, 3)), dim=2)
    x = _chunk(layer, x)
    if layer.mode == "downsample3d" and x.shape[2] > 1:
        x = torch.cat((x[:, :, :1], layer.time_conv(x)), dim=2)
    return x
