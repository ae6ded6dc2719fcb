# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny Wan models with random weights for tests: all parts of the real ones, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
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

FLAVOURS = ("t2v", "i2v", "flf2v")  # the kinds of Wan 2.1 that have a single mode, the one of that name
SINGLE = [(flavour, flavour) for flavour in FLAVOURS]  # (kind, mode)
CASES = [  # all the ways in which pictures and networks are used
    *SINGLE,
    *(("vace", mode) for mode in FLAVOURS),
    ("2.2-t2v", "t2v"),
    ("2.2-i2v", "i2v"),
    ("2.2-i2v", "flf2v"),
    ("2.2-vace", "flf2v"),
]
SAMPLE = [*SINGLE, ("vace", "flf2v"), ("2.2-i2v", "i2v")]  # those that stand for the others where a test takes long
BOUNDARIES = {"2.2-t2v": 0.875, "2.2-i2v": 0.9, "2.2-vace": 0.875}  # time below which the second network computes
LATENT_CHANNELS, TEXT_CHANNELS = 16, 16
CLIP_SIDE, CLIP_PATCH, CLIP_CHANNELS = 8, 4, 4  # 224, 14 and 1280 in Wan 2.1
CLIP_TOKENS = (CLIP_SIDE // CLIP_PATCH) ** 2 + 1  # tokens of one image
LETTERS = "abcdefghijklmnopqrstuvwxyz"

torch.set_num_threads(1)  # On a busy machine several threads make these tiny networks far slower.


def build_tiny_wan(folder: Path, kind: str, seed: int = 0) -> Path:
    """Write a whole pipeline of a tiny Wan, a `kind` among those of CASES, to `folder` and return it."""
    tiny_pipeline(kind, seed).save_pretrained(folder)
    return folder


def tiny_pipeline(kind: str, seed: int = 0):
    """Return diffusers' own pipeline with a tiny Wan. Its text encoder is bfloat16, all other parts float32."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = {
            "transformer": _transformer(kind),
            "vae": _vae(),
            "text_encoder": _text_encoder(),
            "tokenizer": _tokenizer(),
            "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        }
        if kind in BOUNDARIES:
            parts |= {"transformer_2": _transformer(kind), "boundary_ratio": BOUNDARIES[kind]}
        match kind:  # FLF2V was published with more parts than needed.
            case "t2v" | "2.2-t2v":
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
            case "2.2-i2v":
                pipeline = WanImageToVideoPipeline(**parts)
            case "vace" | "2.2-vace":
                pipeline = WanVACEPipeline(**parts)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _transformer(kind: str) -> WanTransformer3DModel | WanVACETransformer3DModel:
    shape = {
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": LATENT_CHANNELS,
        "out_channels": LATENT_CHANNELS,
        "text_dim": TEXT_CHANNELS,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
    }
    if kind.endswith("vace"):
        return WanVACETransformer3DModel(**shape, vace_layers=[0, 1], vace_in_channels=2 * LATENT_CHANNELS + 64)
    if kind.endswith(("i2v", "flf2v")):
        shape["in_channels"] = 2 * LATENT_CHANNELS + 4
    if kind in ("i2v", "flf2v"):  # Wan 2.2 has no image encoder.
        shape |= {"image_dim": CLIP_CHANNELS, "added_kv_proj_dim": 24}
    if kind == "flf2v":
        shape["pos_embed_seq_len"] = 2 * CLIP_TOKENS
    return WanTransformer3DModel(**shape)


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
