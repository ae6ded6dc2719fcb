# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny LTX-Video models with random weights for tests: all parts of three versions, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    FlowMatchEulerDiscreteScheduler,
    LTXConditionPipeline,
    LTXImageToVideoPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)
from tiny_wan import LETTERS
from transformers import T5Config, T5EncoderModel, T5Tokenizer

MODES = {"0.9.0": ("t2v", "i2v"), "0.9.1": ("t2v", "i2v"), "0.9.5": ("t2v", "i2v", "flf2v")}  # modes by version
PIPELINES = {"0.9.0": LTXPipeline, "0.9.1": LTXImageToVideoPipeline, "0.9.5": LTXConditionPipeline}
LATENT_CHANNELS, TEXT_CHANNELS = 8, 16  # 128 and 4096 in LTX-Video
TEXT_TOKENS = {"0.9.0": 128, "0.9.1": 128, "0.9.5": 256}

torch.set_num_threads(1)  # On a busy machine several threads make these tiny networks far slower.


def build_tiny_ltx(folder: Path, version: str, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny LTX-Video to `folder` and return it. Only its text encoder is bfloat16."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = PIPELINES[version](
            transformer=_transformer(),
            vae=_vae(version),
            text_encoder=_text_encoder(),
            tokenizer=_tokenizer(),
            scheduler=_scheduler(version),
        )
    pipeline.save_pretrained(folder)
    return folder


def _transformer() -> LTXVideoTransformer3DModel:
    return LTXVideoTransformer3DModel(
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=2,
        attention_head_dim=12,
        cross_attention_dim=24,
        num_layers=2,
        caption_channels=TEXT_CHANNELS,
    )


# The parts are like the published ones: 0.9.1 has a decoder that adds noise and takes a time, 0.9.5 an encoder with
# other blocks and a decoder that takes a time.
VAES = {
    "0.9.0": {
        "block_out_channels": (4, 8, 8, 8),
        "decoder_block_out_channels": (4, 8, 8, 8),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1, 1),
    },
    "0.9.1": {
        "block_out_channels": (4, 8, 8, 8),
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1),
        "decoder_spatio_temporal_scaling": (True, True, True),
        "decoder_inject_noise": (True, True, True, False),
        "upsample_residual": (True, True, True),
        "upsample_factor": (2, 2, 2),
        "timestep_conditioning": True,
    },
    "0.9.5": {
        "block_out_channels": (4, 8, 16, 16, 16),
        "down_block_types": ("LTXVideo095DownBlock3D",) * 4,
        "downsample_type": ("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1),
        "spatio_temporal_scaling": (True, True, True, True),
        "decoder_spatio_temporal_scaling": (True, True, True),
        "decoder_inject_noise": (False, False, False, False),
        "upsample_residual": (True, True, True),
        "upsample_factor": (2, 2, 2),
        "timestep_conditioning": True,
        "spatial_compression_ratio": 32,
        "temporal_compression_ratio": 8,
    },
}


def _vae(version: str) -> AutoencoderKLLTXVideo:
    vae = AutoencoderKLLTXVideo(latent_channels=LATENT_CHANNELS, **VAES[version])
    torch.nn.init.normal_(vae.latents_mean)
    torch.nn.init.uniform_(vae.latents_std, 0.5, 2.0)
    for name, parameter in vae.named_parameters():
        if "per_channel_scale" in name:  # These are created as zeros, with which the noise would have no effect.
            torch.nn.init.normal_(parameter)
    # Diffusers' pipelines sample the latents of known pictures; a variance near 0 makes this deterministic.
    log_variance = vae.encoder.conv_out.conv
    torch.nn.init.zeros_(log_variance.weight[-1])
    torch.nn.init.constant_(log_variance.bias[-1], -30.0)
    return vae


def _text_encoder() -> T5EncoderModel:
    config = T5Config(vocab_size=4 + len(LETTERS), d_model=TEXT_CHANNELS, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return T5EncoderModel(config).to(torch.bfloat16).eval()


def _tokenizer() -> T5Tokenizer:
    """Return a unigram tokenizer whose words are single letters."""
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer(vocab=special + [(letter, -3.0) for letter in LETTERS], extra_ids=0)


def _scheduler(version: str) -> FlowMatchEulerDiscreteScheduler:
    if version == "0.9.5":
        return FlowMatchEulerDiscreteScheduler()
    return FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.95, max_shift=2.05, base_image_seq_len=1024, shift_terminal=0.1
    )
