# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny SANA-Video models with random weights for tests: all parts of both sizes, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLLTX2Video,
    DPMSolverMultistepScheduler,
    SanaVideoPipeline,
    SanaVideoTransformer3DModel,
)
from tiny_wan import LETTERS, TEXT_CHANNELS, tiny_pipeline
from transformers import Gemma2Config, Gemma2Model, GemmaTokenizer

# Channels, pictures and luma samples of a latent frame, and patch, by size of the published models. Those of 720p have
# the VAE of LTX-2. Its tiny transformer predicts a deviation too, as some unpublished ones do.
SHAPES = {"480p": (16, 4, 8, 2), "720p": (8, 8, 32, 1)}


def build_tiny_sana(folder: Path, size: str, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny SANA-Video to `folder` and return it. Only its text encoder is bfloat16."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = SanaVideoPipeline(
            transformer=_transformer(size),
            vae=tiny_pipeline("t2v", seed).vae if size == "480p" else ltx2_vae(),
            text_encoder=_text_encoder(),
            tokenizer=_tokenizer(),
            scheduler=DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
        )
    pipeline.save_pretrained(folder)
    return folder


def _transformer(size: str) -> SanaVideoTransformer3DModel:
    channels, _, _, patch = SHAPES[size]
    return SanaVideoTransformer3DModel(
        in_channels=channels,
        out_channels=channels if size == "480p" else 2 * channels,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=2,
        num_cross_attention_heads=2,
        cross_attention_head_dim=12,
        cross_attention_dim=24,
        caption_channels=TEXT_CHANNELS,
        sample_size=30 if size == "480p" else 22,
        patch_size=(1, patch, patch),
        rope_max_seq_len=32,
    )


def ltx2_vae(**settings) -> AutoencoderKLLTX2Video:
    """Return a tiny VAE of LTX-2. settings: further arguments of its constructor."""
    vae = AutoencoderKLLTX2Video(
        latent_channels=SHAPES["720p"][0],
        block_out_channels=(4, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
        decoder_causal=False,
        **settings,
    )
    torch.nn.init.normal_(vae.latents_mean)
    torch.nn.init.uniform_(vae.latents_std, 0.5, 2.0)
    return vae


def _text_encoder() -> Gemma2Model:
    config = Gemma2Config(
        vocab_size=5 + len(LETTERS),
        hidden_size=TEXT_CHANNELS,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    return Gemma2Model(config).to(torch.bfloat16).eval()


def _tokenizer() -> GemmaTokenizer:
    """Return a tokenizer whose words are single letters."""
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *LETTERS]
    return GemmaTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], add_bos_token=True)
