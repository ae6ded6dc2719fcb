# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny HunyuanVideo 1.5 models with random weights for tests: all parts of both kinds, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo15,
    ClassifierFreeGuidance,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15ImageToVideoPipeline,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
)
from tiny_kandinsky import qwen_tokenizer, qwen_vl
from transformers import (
    ByT5Tokenizer,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
)

PIPELINES = {"t2v": HunyuanVideo15Pipeline, "i2v": HunyuanVideo15ImageToVideoPipeline}  # by mode
LATENT_CHANNELS, TEXT_CHANNELS, GLYPH_CHANNELS, IMAGE_CHANNELS = 8, 16, 8, 8
IMAGE_TOKENS = 4
SIDE = 48  # width and height of the pictures that diffusers' pipelines make of square ones
CHAT = "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} {% endfor %}"


def build_tiny_hunyuan(folder: Path, mode: str, seed: int = 0, guidance: float = 6.0) -> Path:
    """Write a whole pipeline of a tiny HunyuanVideo 1.5 to `folder` and return it. Only text encoders are bfloat16.

    guidance: scale of the guidance that the pipeline uses by default.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        eyes = {"image_encoder": _image_encoder(), "feature_extractor": _feature_extractor()}
        tokenizer = qwen_tokenizer()
        tokenizer.chat_template = CHAT
        pipeline = PIPELINES[mode](
            transformer=_transformer(),
            vae=tiny_vae(),
            text_encoder=qwen_vl(layers=2).model.language_model,
            tokenizer=tokenizer,
            text_encoder_2=_second_text_encoder(),
            tokenizer_2=ByT5Tokenizer(),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
            guider=ClassifierFreeGuidance(guidance),
            **(eyes if mode == "i2v" else {}),
        )
    pipeline.save_pretrained(folder)
    return folder


def _transformer() -> HunyuanVideo15Transformer3DModel:
    return HunyuanVideo15Transformer3DModel(
        in_channels=2 * LATENT_CHANNELS + 1,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=2,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        text_embed_dim=TEXT_CHANNELS,
        text_embed_2_dim=GLYPH_CHANNELS,
        image_embed_dim=IMAGE_CHANNELS,
        rope_axes_dim=(4, 4, 4),
        target_size=SIDE,
    )


def tiny_vae(channels: int = LATENT_CHANNELS) -> AutoencoderKLHunyuanVideo15:
    """Return a VAE. channels: channels of its latent."""
    return AutoencoderKLHunyuanVideo15(
        latent_channels=channels, block_out_channels=(8, 8, 8, 16, 16), layers_per_block=1
    )


def _second_text_encoder() -> T5EncoderModel:
    config = T5Config(vocab_size=384, d_model=GLYPH_CHANNELS, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    return T5EncoderModel(config).to(torch.bfloat16).eval()


def _image_encoder() -> SiglipVisionModel:
    config = SiglipVisionConfig(
        hidden_size=IMAGE_CHANNELS,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=8,
        patch_size=4,
    )
    return SiglipVisionModel(config).eval()


def _feature_extractor() -> SiglipImageProcessorPil:
    return SiglipImageProcessorPil(size={"height": 8, "width": 8})
