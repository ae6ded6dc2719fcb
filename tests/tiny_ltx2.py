# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tiny LTX-2 models with random weights for tests: the parts of three versions, with very few channels."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLLTX2Audio,
    AutoencoderKLLTX2Video,
    FlowMatchEulerDiscreteScheduler,
    LTX2Pipeline,
    LTX2VideoTransformer3DModel,
)
from diffusers.pipelines.ltx2 import LTX2TextConnectors
from tiny_wan import LETTERS
from transformers import Gemma3Config, Gemma3ForConditionalGeneration, GemmaTokenizer

VERSIONS = ("2.0", "2.3", "2.5")
LATENT_CHANNELS, SOUND_CHANNELS = 8, 4  # 128 and 128 in LTX-2
VIDEO_WIDTH, SOUND_WIDTH, GEMMA_WIDTH, GEMMA_LAYERS = 24, 16, 16, 1  # 4096, 2048, 3840 and 48
TEXT_CHANNELS = {"2.0": GEMMA_WIDTH, "2.3": VIDEO_WIDTH, "2.5": VIDEO_WIDTH}

torch.set_num_threads(1)  # On a busy machine several threads make these tiny networks far slower.


def build_tiny_ltx2(folder: Path, version: str, seed: int = 0) -> Path:
    """Write a pipeline of a tiny LTX-2 to `folder` and return it.

    Text encoder and connectors are bfloat16. What turns a latent of sound into sound is not there.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = LTX2Pipeline(  # What makes texts comes first, so that versions may have it in common.
            text_encoder=_text_encoder(),
            tokenizer=_tokenizer(),
            connectors=_connectors(version),
            transformer=_transformer(version),
            vae=video_vae(),
            scheduler=FlowMatchEulerDiscreteScheduler(
                use_dynamic_shifting=True, base_shift=0.95, max_shift=2.05, base_image_seq_len=1024, shift_terminal=0.1
            ),
            audio_vae=None,
            vocoder=None,
        )
    pipeline.save_pretrained(folder)
    return folder


def sound_vae() -> AutoencoderKLLTX2Audio:
    """Return a VAE for sound, from which pipelines learn the shape of its latents."""
    return AutoencoderKLLTX2Audio(
        base_channels=4, ch_mult=(1,), num_res_blocks=1, latent_channels=SOUND_CHANNELS, mel_bins=4
    )


def _transformer(version: str) -> LTX2VideoTransformer3DModel:
    later = {
        "gated_attn": True,
        "audio_gated_attn": True,
        "cross_attn_mod": True,
        "audio_cross_attn_mod": True,
        "perturbed_attn": True,
        "use_prompt_embeddings": False,
        "rope_type": "split",
    }
    network = LTX2VideoTransformer3DModel(
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_attention_heads=2,
        attention_head_dim=VIDEO_WIDTH // 2,
        cross_attention_dim=VIDEO_WIDTH,
        audio_in_channels=SOUND_CHANNELS,
        audio_out_channels=SOUND_CHANNELS,
        audio_num_attention_heads=2,
        audio_attention_head_dim=SOUND_WIDTH // 2,
        audio_cross_attention_dim=SOUND_WIDTH,
        caption_channels=GEMMA_WIDTH,
        num_layers=1,
        **(later if version != "2.0" else {}),
        **({"ff_bias": False, "use_keyframes_abs_pos_embedding": True} if version == "2.5" else {}),
    )
    if version == "2.5":  # It is created as zeros, with which it would have no effect.
        torch.nn.init.normal_(network.keyframes_abs_pos_embedding)
    return network


def video_vae(**settings: object) -> AutoencoderKLLTX2Video:
    """Return a VAE with normalised latents. settings: further arguments of its constructor."""
    vae = AutoencoderKLLTX2Video(
        latent_channels=LATENT_CHANNELS,
        block_out_channels=(4, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
        **settings,
    )
    torch.nn.init.normal_(vae.latents_mean)
    torch.nn.init.uniform_(vae.latents_std, 0.5, 2.0)
    return vae


def _connectors(version: str) -> LTX2TextConnectors:
    one_size = version == "2.0"
    video, sound = (GEMMA_WIDTH, GEMMA_WIDTH) if one_size else (VIDEO_WIDTH, SOUND_WIDTH)
    return LTX2TextConnectors(
        caption_channels=GEMMA_WIDTH,
        text_proj_in_factor=GEMMA_LAYERS + 1,
        video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=video // 2,
        video_connector_num_layers=1,
        audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=sound // 2,
        audio_connector_num_layers=1,
        video_gated_attn=not one_size,
        audio_gated_attn=not one_size,
        per_modality_projections=not one_size,
        video_hidden_dim=video,
        audio_hidden_dim=sound,
    ).to(torch.bfloat16)


def _text_encoder() -> Gemma3ForConditionalGeneration:
    text = {
        "vocab_size": 6 + len(LETTERS),
        "hidden_size": GEMMA_WIDTH,
        "intermediate_size": 16,
        "num_hidden_layers": GEMMA_LAYERS,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
    }
    sight = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "image_size": 14,
        "patch_size": 14,
    }
    config = Gemma3Config(text_config=text, vision_config=sight, mm_tokens_per_image=1)
    return Gemma3ForConditionalGeneration(config).to(torch.bfloat16).eval()


def _tokenizer() -> GemmaTokenizer:
    """Return a tokenizer whose words are single letters."""
    words = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS)
    return GemmaTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])
