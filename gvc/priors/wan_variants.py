# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The kinds of Wan models, and the shapes of the published ones."""

from dataclasses import dataclass, field

from ..errors import PriorError
from ..modes import Mode

TEMPORAL_STRIDE = 4
ALL_MODES = tuple(str(mode) for mode in Mode)

# Modes by kind. The kind is the variant in the name of the prior; those that begin with 2.2- have two networks.
MODES = {
    "t2v": ("t2v",),
    "i2v": ("i2v",),
    "flf2v": ("flf2v",),
    "vace": ALL_MODES,
    "2.2-t2v": ("t2v",),
    "2.2-i2v": ("i2v", "flf2v"),
    "2.2-vace": ALL_MODES,
}


@dataclass(frozen=True)
class Variant:
    """The shape of a published model.

    kind: key of MODES.
    config: configuration of its networks, as differences from the defaults of diffusers, which describe 14B models.
    boundary: time below which the second network computes; None for models with one network.
    """

    kind: str
    config: dict = field(default_factory=dict)
    boundary: float | None = None


SMALL = {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960}
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


def kind_of(transformer, vae, folder, *, two_networks: bool) -> str:
    """Return the kind of a model, a key of MODES. Raises PriorError if it is none of them.

    transformer, vae: configurations of these networks.
    folder: folder of the model, for the error.
    two_networks: whether the model has a second transformer.
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
    if kind in MODES and transformer.out_channels == latent and vae.scale_factor_temporal == TEMPORAL_STRIDE:
        return kind
    raise PriorError(
        f"{folder} is no Wan model that GVC knows (in_channels {channels}, latent channels {latent}); "
        "use a T2V, I2V, FLF2V or VACE model of Wan 2.1, or an A14B model of Wan 2.2"
    )
