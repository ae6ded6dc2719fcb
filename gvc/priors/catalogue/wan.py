# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of Wan."""

from .model import ALL_MODES, UMT5, Model, Shape

LICENCE = "Apache-2.0"
SMALL, LARGE = (832, 480), (1280, 720)
VAE, TI2V_VAE, CLIP = 0.127, 0.705, 0.631  # billions of parameters
EYES = ("transformer", "vae", "image_encoder", "image_processor")
TWO = ("transformer", "transformer_2", "vae")

# diffusers' defaults describe the networks of 14 billion parameters and the VAE of Wan 2.1.
SMALL_NETWORK = {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960}
IMAGE_INPUTS = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
TWO_IMAGES = {**IMAGE_INPUTS, "pos_embed_seq_len": 2 * 257}
TI2V = Shape(
    {"num_attention_heads": 24, "num_layers": 30, "ffn_dim": 14336, "in_channels": 48, "out_channels": 48},
    {
        "base_dim": 160,
        "decoder_base_dim": 256,
        "z_dim": 48,
        "latents_mean": [0.0] * 48,
        "latents_std": [1.0] * 48,
        "is_residual": True,
        "in_channels": 12,
        "out_channels": 12,
        "patch_size": 2,
        "scale_factor_spatial": 16,
    },
)


def _wan(name: str, hub_id: str, kind: str, modes: tuple[str, ...], network: float, **others) -> Model:
    """Return a model of Wan; `others` are further fields, and replace what most models have in common."""
    common = {"vae": VAE, "text_encoder": UMT5, "sizes": (SMALL, LARGE), "pictures": 81, "licence": LICENCE}
    return Model(f"wan/{name}", f"Wan-AI/{hub_id}", f"wan/{kind}", modes, network, **common | others)


def _with_eyes(name: str, hub_id: str, kind: str, size: tuple[int, int], **others) -> Model:
    """Return a model of Wan 2.1 that sees its known pictures through CLIP."""
    eyes = {"image_encoder": CLIP, "parts": EYES, "sizes": (size,), "shape": Shape(IMAGE_INPUTS)}
    return _wan(name, hub_id, kind, (kind,), 16.4, **eyes | others)


MODELS = (
    _wan(
        "t2v-1.3b",
        "Wan2.1-T2V-1.3B-Diffusers",
        "t2v",
        ("t2v",),
        1.42,
        sizes=(SMALL,),
        shift="5",
        shape=Shape(SMALL_NETWORK),
    ),
    _wan("t2v-14b", "Wan2.1-T2V-14B-Diffusers", "t2v", ("t2v",), 14.29, shift="5", shape=Shape()),
    _with_eyes("i2v-14b-480p", "Wan2.1-I2V-14B-480P-Diffusers", "i2v", SMALL, shift="3"),
    _with_eyes("i2v-14b-720p", "Wan2.1-I2V-14B-720P-Diffusers", "i2v", LARGE, shift="5"),
    _with_eyes("flf2v-14b", "Wan2.1-FLF2V-14B-720P-diffusers", "flf2v", LARGE, shift="16", shape=Shape(TWO_IMAGES)),
    _wan(
        "vace-1.3b",
        "Wan2.1-VACE-1.3B-diffusers",
        "vace",
        ALL_MODES,
        2.15,
        sizes=(SMALL,),
        shift="16",
        shape=Shape({**SMALL_NETWORK, "vace_layers": list(range(0, 30, 2))}),
    ),
    _wan("vace-14b", "Wan2.1-VACE-14B-diffusers", "vace", ALL_MODES, 17.34, shift="16", shape=Shape()),
    _wan(
        "t2v-a14b",
        "Wan2.2-T2V-A14B-Diffusers",
        "2.2-t2v",
        ("t2v",),
        14.29,
        shift="12",
        networks=2,
        parts=TWO,
        shape=Shape(boundary=0.875),
    ),
    _wan(
        "i2v-a14b",
        "Wan2.2-I2V-A14B-Diffusers",
        "2.2-i2v",
        ("i2v", "flf2v"),
        14.29,
        shift="5",
        networks=2,
        parts=TWO,
        shape=Shape({"in_channels": 36}, boundary=0.9),
    ),
    _wan(
        "ti2v-5b",
        "Wan2.2-TI2V-5B-Diffusers",
        "2.2-ti2v",
        ("t2v", "i2v"),
        5.0,
        vae=TI2V_VAE,
        sizes=((1280, 704),),
        pictures=121,
        shift="5",
        shape=TI2V,
    ),
)
