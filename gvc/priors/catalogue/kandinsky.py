# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of Kandinsky 5 Video Lite."""

from .model import CLIP_TEXT, QWEN_VL, Model, Shape

VAE = 0.246
SIZES = ((512, 512), (768, 512), (512, 768))
NETWORK = {"in_visual_dim": 16, "out_visual_dim": 16, "model_dim": 1792, "ff_dim": 7168, "visual_cond": True}


def _lite(name: str, hub_id: str, mode: str) -> Model:
    return Model(
        f"kandinsky/{name}",
        f"kandinskylab/Kandinsky-5.0-{hub_id}-5s-Diffusers",
        f"kandinsky/{mode}",
        (mode,),
        2.01,
        VAE,
        QWEN_VL + CLIP_TEXT,
        SIZES,
        121,
        licence="MIT",
        shift="5",
        float32=0.28,
        text_parts=("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"),
        shape=Shape(NETWORK),
    )


MODELS = (
    _lite("t2v-lite", "T2V-Lite-sft", "t2v"),
    _lite("t2v-lite-pretrain", "T2V-Lite-pretrain", "t2v"),
    _lite("i2v-lite", "I2V-Lite", "i2v"),
)
