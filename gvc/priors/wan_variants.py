# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The kinds of Wan models, and their image encoder."""

from ..errors import PriorError
from .catalogue.model import ALL_MODES

TEMPORAL_STRIDE = 4

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
