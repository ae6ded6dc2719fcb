# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny Kandinsky 5 Video models with random weights for tests: all parts of both kinds, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    FlowMatchEulerDiscreteScheduler,
    Kandinsky5I2VPipeline,
    Kandinsky5T2VPipeline,
    Kandinsky5Transformer3DModel,
)
from tiny_wan import LETTERS
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
)

PIPELINES = {"t2v": Kandinsky5T2VPipeline, "i2v": Kandinsky5I2VPipeline}  # by mode
LATENT_CHANNELS, TEXT_CHANNELS, POOLED_CHANNELS = 16, 16, 8

torch.set_num_threads(1)  # On a busy machine several threads make these tiny networks far slower.


def build_tiny_kandinsky(folder: Path, mode: str, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny Kandinsky 5 to `folder` and return it. Only text encoders are bfloat16."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = PIPELINES[mode](
            transformer=_transformer(),
            vae=_vae(),
            text_encoder=qwen_vl(),
            tokenizer=qwen_tokenizer(),
            text_encoder_2=_second_text_encoder(),
            tokenizer_2=_second_tokenizer(),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
        )
    pipeline.save_pretrained(folder)
    return folder


def _transformer() -> Kandinsky5Transformer3DModel:
    transformer = Kandinsky5Transformer3DModel(
        in_visual_dim=LATENT_CHANNELS,
        in_text_dim=TEXT_CHANNELS,
        in_text_dim2=POOLED_CHANNELS,
        time_dim=16,
        out_visual_dim=LATENT_CHANNELS,
        model_dim=24,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=2,
        axes_dims=(4, 4, 4),
        visual_cond=True,
    )
    for name, parameter in transformer.named_parameters():
        if "modulation" in name:  # These are created as zeros, with which no block would have an effect.
            torch.nn.init.normal_(parameter, std=0.3)
    return transformer


def _vae() -> AutoencoderKLHunyuanVideo:
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=LATENT_CHANNELS, block_out_channels=(4, 4, 4, 8), layers_per_block=1, norm_num_groups=2
    )
    # Diffusers' pipeline samples the latent of a known picture; a variance near 0 makes this deterministic.
    torch.nn.init.zeros_(vae.quant_conv.weight[LATENT_CHANNELS:])
    torch.nn.init.constant_(vae.quant_conv.bias[LATENT_CHANNELS:], -30.0)
    return vae


def qwen_vl(layers: int = 1) -> Qwen2_5_VLForConditionalGeneration:
    """Return a tiny Qwen2.5-VL in bfloat16, for words of `qwen_tokenizer`. layers: layers that see text."""
    shared = {"hidden_size": TEXT_CHANNELS, "intermediate_size": 16}
    text = {
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "vocab_size": 1024,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
    }
    eyes = {"depth": 1, "num_heads": 2, "out_hidden_size": TEXT_CHANNELS, "fullatt_block_indexes": [0]}
    config = Qwen2_5_VLConfig(text_config=shared | text, vision_config=shared | eyes)
    return Qwen2_5_VLForConditionalGeneration(config).to(torch.bfloat16).eval()


def qwen_tokenizer() -> Qwen2Tokenizer:
    """Return a tokenizer whose words are pairs of letters; the pipelines' template makes about 400 of them."""
    pairs = [(a, b) for a in LETTERS for b in LETTERS]
    words = ["<|endoftext|>", *LETTERS, *(a + b for a, b in pairs)]
    return Qwen2Tokenizer(vocab={word: i for i, word in enumerate(words)}, merges=pairs)


def _second_text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=2 + 2 * len(LETTERS),
        hidden_size=POOLED_CHANNELS,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=0,
        eos_token_id=1,
    )
    return CLIPTextModel(config).to(torch.bfloat16).eval()


def _second_tokenizer() -> CLIPTokenizer:
    words = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[])
