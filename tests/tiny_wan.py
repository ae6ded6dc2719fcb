# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny Wan models with random weights for tests: all parts of Wan 2.1, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import (
    CLIPImageProcessorPil,
    CLIPProcessor,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModel,
    CLIPVisionModelWithProjection,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)

FLAVOURS = ("t2v", "i2v", "flf2v")
LATENT_CHANNELS, TEXT_CHANNELS = 16, 16
CLIP_SIDE, CLIP_PATCH, CLIP_CHANNELS = 8, 4, 4  # 224, 14 and 1280 in Wan 2.1
CLIP_TOKENS = (CLIP_SIDE // CLIP_PATCH) ** 2 + 1  # tokens of one image
LETTERS = "abcdefghijklmnopqrstuvwxyz"

torch.set_num_threads(1)  # On a busy machine several threads make these tiny networks far slower.


def build_tiny_wan(folder: Path, flavour: str, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny Wan, `flavour` t2v, i2v or flf2v, to `folder` and return it."""
    tiny_pipeline(flavour, seed).save_pretrained(folder)
    return folder


def tiny_pipeline(flavour: str, seed: int = 0):
    """Return diffusers' own pipeline with a tiny Wan. Its text encoder is bfloat16, all other parts float32."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = {
            "transformer": _transformer(flavour),
            "vae": _vae(),
            "text_encoder": _text_encoder(),
            "tokenizer": _tokenizer(),
            "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        }
        match flavour:  # FLF2V was published with more parts than needed.
            case "t2v":
                pipeline = WanPipeline(**parts)
            case "i2v":
                eyes = {"image_encoder": _image_encoder(CLIPVisionModel), "image_processor": _processor()}
                pipeline = WanImageToVideoPipeline(**parts, **eyes)
            case "flf2v":
                words = CLIPTokenizer(vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[])
                eyes = {
                    "image_encoder": _image_encoder(CLIPVisionModelWithProjection),
                    "image_processor": CLIPProcessor(_processor(), words),
                }
                pipeline = WanImageToVideoPipeline(**parts, **eyes)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _transformer(flavour: str) -> WanTransformer3DModel:
    conditioned = flavour != "t2v"
    return WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=2 * LATENT_CHANNELS + 4 if conditioned else LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        text_dim=TEXT_CHANNELS,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        image_dim=CLIP_CHANNELS if conditioned else None,
        added_kv_proj_dim=24 if conditioned else None,
        pos_embed_seq_len=2 * CLIP_TOKENS if flavour == "flf2v" else None,
    )


def _vae() -> AutoencoderKLWan:
    return AutoencoderKLWan(
        base_dim=3,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def _text_encoder() -> UMT5EncoderModel:
    config = UMT5Config(vocab_size=4 + len(LETTERS), d_model=TEXT_CHANNELS, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return UMT5EncoderModel(config).to(torch.bfloat16).eval()


def _tokenizer() -> T5Tokenizer:
    """Return a unigram tokenizer whose words are single letters."""
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer(vocab=special + [(letter, -3.0) for letter in LETTERS], extra_ids=0)


def _image_encoder(kind: type) -> torch.nn.Module:
    return kind(
        CLIPVisionConfig(
            hidden_size=CLIP_CHANNELS,
            intermediate_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=CLIP_SIDE,
            patch_size=CLIP_PATCH,
            projection_dim=4,
        )
    ).eval()


def _processor() -> CLIPImageProcessorPil:
    side = {"height": CLIP_SIDE, "width": CLIP_SIDE}
    return CLIPImageProcessorPil(size={"shortest_edge": CLIP_SIDE}, crop_size=side)
