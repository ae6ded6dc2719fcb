# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny Wan 2.2 TI2V models with random weights for tests: all parts of the published one, with very few channels."""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, WanPipeline, WanTransformer3DModel
from tiny_wan import TEXT_CHANNELS, tiny_pipeline

TI2V_CHANNELS = 12  # channels of the latent, 48 in Wan 2.2 TI2V


def build_tiny_ti2v(folder: Path, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny Wan 2.2 TI2V to `folder` and return it. Only its text encoder is bfloat16."""
    wan = tiny_pipeline("t2v", seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = WanPipeline(
            transformer=_transformer(),
            vae=_vae(),
            text_encoder=wan.text_encoder,
            tokenizer=wan.tokenizer,
            scheduler=wan.scheduler,
            expand_timesteps=True,
        )
    pipeline.save_pretrained(folder)
    return folder


def _transformer() -> WanTransformer3DModel:
    return WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=TI2V_CHANNELS,
        out_channels=TI2V_CHANNELS,
        text_dim=TEXT_CHANNELS,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
    )


def _vae() -> AutoencoderKLWan:
    return AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=6,
        z_dim=TI2V_CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[i / 10 for i in range(TI2V_CHANNELS)],
        latents_std=[1 + i / 10 for i in range(TI2V_CHANNELS)],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
    )
