# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of HunyuanVideo 1.5."""

from .model import BYT5, QWEN, Model, Shape

VAE, SIGLIP = 1.261, 0.428  # billions of parameters
SIZES = {"480p": (848, 480), "720p": (1280, 720)}
SHIFTS = {"480p_t2v": "5", "480p_i2v": "5", "720p_t2v": "9", "720p_i2v": "7"}


def _model(size: str, mode: str) -> Model:
    parts = ("transformer", "vae") + (("image_encoder", "feature_extractor") if mode == "i2v" else ())
    return Model(
        f"hunyuan/1.5-{mode}-{size}",
        f"hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-{size}_{mode}",
        f"hunyuan/1.5-{mode}",
        (mode,),
        8.33,
        VAE,
        QWEN + BYT5,
        (SIZES[size],),
        121,
        licence="the publisher's own",
        shift=SHIFTS[f"{size}_{mode}"],
        image_encoder=SIGLIP if mode == "i2v" else 0.0,
        parts=parts,
        text_parts=("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"),
        shape=Shape(),  # diffusers' defaults describe this network and VAE
    )


MODELS = tuple(_model(size, mode) for mode in ("t2v", "i2v") for size in SIZES)
