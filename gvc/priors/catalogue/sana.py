# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of SANA-Video. That of 720p has the VAE of LTX-2 and wants 8k + 1 pictures."""

from .model import Model, Shape

WAN, LTX2 = ("AutoencoderKLWan", 0.127), ("AutoencoderKLLTX2Video", 1.222)  # classes and billions of parameters


def _sana(height: int, size: tuple[int, int], vae: tuple[str, float], network: dict) -> Model:
    return Model(
        f"sana/2b-{height}p",
        f"Efficient-Large-Model/SANA-Video_2B_{height}p_diffusers",
        "sana/ti2v",
        ("t2v", "i2v"),
        network=2.06,
        vae=vae[1],
        text_encoder=2.61,
        sizes=(size,),
        pictures=81,
        licence="NVIDIA Open Model",
        shift="8",
        shape=Shape({"mlp_ratio": 3.0} | network, vae_class=vae[0]),
    )


MODELS = (
    _sana(480, (832, 480), WAN, {}),
    _sana(720, (1280, 704), LTX2, {"in_channels": 128, "out_channels": 128, "patch_size": (1, 1, 1)}),
)
