# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of LTX-2, with the parameters that coding without sound needs. They want 8k + 1 pictures."""

from .model import ALL_MODES, GEMMA, Model


def _ltx2(name: str, hub_id: str, network: float, vae: float, connectors: float) -> Model:
    return Model(
        f"ltx2/{name}",
        hub_id,
        "ltx2/all",
        ALL_MODES,
        network,
        vae,
        GEMMA + connectors,
        ((768, 512),),
        121,
        licence="the publisher's own",
        text_parts=("text_encoder", "tokenizer", "connectors"),
    )


MODELS = (
    _ltx2("19b", "Lightricks/LTX-2", 13.24, 1.222, 1.431),
    _ltx2("22b-2.3", "diffusers/LTX-2.3-Diffusers", 13.33, 0.726, 3.172),
)
