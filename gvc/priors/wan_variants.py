# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The kinds of Wan models, and the shapes of the published ones."""

from dataclasses import dataclass, field

from ..errors import PriorError
from ..modes import Mode

TEMPORAL_STRIDE = 4
ALL_MODES = tuple(str(mode) for mode in Mode)

# Modes by kind. The kind is the variant in the name of the prior. Those that begin with 2.2- have two networks, all but
# 2.2-ti2v, whose network is told a time for each token.
MODES = {
    "t2v": ("t2v",),
    "i2v": ("i2v",),
    "flf2v": ("flf2v",),
    "vace": ALL_MODES,
    "2.2-t2v": ("t2v",),
    "2.2-i2v": ("i2v", "flf2v"),
    "2.2-vace": ALL_MODES,
    "2.2-ti2v": ("t2v", "i2v"),
}


@dataclass(frozen=True)
class Variant:
    """The shape of a published model.

    kind: key of MODES.
    config: configuration of its networks, as differences from the defaults of diffusers, which describe 14B models.
    boundary: time below which the second network computes; None for models with one network.
    vae: configuration of its VAE, as differences from the defaults of diffusers, which describe that of Wan 2.1.
    """

    kind: str
    config: dict = field(default_factory=dict)
    boundary: float | None = None
    vae: dict = field(default_factory=dict)


SMALL = {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960}
TI2V = {"num_attention_heads": 24, "num_layers": 30, "ffn_dim": 14336, "in_channels": 48, "out_channels": 48}
TI2V_VAE = {
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
}
IMAGE_INPUTS = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
VARIANTS = {
    "t2v-1.3b": Variant("t2v", SMALL),
    "t2v-14b": Variant("t2v"),
    "i2v-14b": Variant("i2v", IMAGE_INPUTS),
    "flf2v-14b": Variant("flf2v", {**IMAGE_INPUTS, "pos_embed_seq_len": 2 * 257}),
    "vace-1.3b": Variant("vace", {**SMALL, "vace_layers": list(range(0, 30, 2))}),
    "vace-14b": Variant("vace"),
    "t2v-a14b": Variant("2.2-t2v", boundary=0.875),
    "i2v-a14b": Variant("2.2-i2v", {"in_channels": 36}, boundary=0.9),
    "ti2v-5b": Variant("2.2-ti2v", TI2V, vae=TI2V_VAE),
}
CLIP_CONFIG = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "patch_size": 14,
    "projection_dim": 1024,
    "hidden_act": "gelu",
}


def kind_of(transformer, vae, folder, *, two_networks: bool, token_times: bool) -> str:
    """Return the kind of a model, a key of MODES. Raises PriorError if it is none of them.

    transformer, vae: configurations of these networks.
    folder: folder of the model, for the error.
    two_networks: whether the model has a second transformer.
    token_times: whether the transformer is told a time for each token.
    """
    latent, channels = vae.z_dim, transformer.in_channels
    control = transformer.get("vace_in_channels")
    kinds = {
        (latent, None): "t2v",
        (latent + TEMPORAL_STRIDE + latent, None): "flf2v" if transformer.pos_embed_seq_len else "i2v",
        (latent, 2 * latent + vae.scale_factor_spatial**2): "vace",
    }
    kind = kinds.get((channels, control))
    if two_networks and kind:
        kind = f"2.2-{kind}"
    if token_times:
        kind = "2.2-ti2v" if kind == "t2v" else None
    if kind in MODES and transformer.out_channels == latent and vae.scale_factor_temporal == TEMPORAL_STRIDE:
        return kind
    raise PriorError(
        f"{folder} is no Wan model that GVC knows (in_channels {channels}, latent channels {latent}); "
        "use a T2V, I2V, FLF2V or VACE model of Wan 2.1, or an A14B or TI2V model of Wan 2.2"
    )
