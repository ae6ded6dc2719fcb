"""Wan models of random weights, small enough for a test: the architecture of Wan 2.1 with next to no channels."""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel

LATENT_CHANNELS = 16
CLIP_TOKENS, CLIP_CHANNELS = 5, 4  # of one image; 257 and 1280 in Wan 2.1


def build_tiny_wan(folder: Path, flavour: str, seed: int = 0) -> Path:
    """Write transformer/ and vae/ of a tiny Wan, `flavour` t2v, i2v or flf2v, to `folder` and return it."""
    torch.manual_seed(seed)
    conditioned = flavour != "t2v"
    transformer = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=2 * LATENT_CHANNELS + 4 if conditioned else LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        image_dim=CLIP_CHANNELS if conditioned else None,
        added_kv_proj_dim=24 if conditioned else None,
        pos_embed_seq_len=2 * CLIP_TOKENS if flavour == "flf2v" else None,
    )
    vae = AutoencoderKLWan(
        base_dim=3,
        z_dim=LATENT_CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )
    transformer.save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    return folder
