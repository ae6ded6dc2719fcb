# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny SkyReels-V2 DF models with random weights for tests: all parts of both sizes, with very few channels."""

from pathlib import Path

import torch
from diffusers import SkyReelsV2DiffusionForcingPipeline, SkyReelsV2Transformer3DModel, UniPCMultistepScheduler
from tiny_wan import LATENT_CHANNELS, TEXT_CHANNELS, tiny_pipeline

KNOWS_RATE = {"1.3b": True, "14b": False}  # whether a model is told the frame rate, by size


def build_tiny_skyreels(folder: Path, size: str = "1.3b", seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny SkyReels-V2 DF to `folder` and return it. Only its text encoder is bfloat16."""
    wan = tiny_pipeline("t2v", seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        transformer = SkyReelsV2Transformer3DModel(
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            text_dim=TEXT_CHANNELS,
            freq_dim=32,
            ffn_dim=32,
            num_layers=2,
            inject_sample_info=KNOWS_RATE[size],
        )
    pipeline = SkyReelsV2DiffusionForcingPipeline(
        transformer=transformer,
        vae=wan.vae,
        text_encoder=wan.text_encoder,
        tokenizer=wan.tokenizer,
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=8.0),
    )
    pipeline.save_pretrained(folder)
    return folder
