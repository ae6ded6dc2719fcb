# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of SkyReels-V2 DF. They have the VAE and the text encoder of Wan 2.1."""

from .model import ALL_MODES, UMT5, Model

VAE = 0.127
SMALL, LARGE = (960, 544), (1280, 720)


def _df(name: str, hub_id: str, network: float, size: tuple[int, int]) -> Model:
    return Model(
        f"skyreels/{name}",
        f"Skywork/{hub_id}",
        "skyreels/df",
        ALL_MODES,
        network,
        VAE,
        UMT5,
        (size,),
        97,
        licence="the publisher's own",
        shift="8 (t2v), 5",
    )


MODELS = (
    _df("df-1.3b", "SkyReels-V2-DF-1.3B-540P-Diffusers", 1.44, SMALL),
    _df("df-14b-540p", "SkyReels-V2-DF-14B-540P-Diffusers", 14.29, SMALL),
    _df("df-14b-720p", "SkyReels-V2-DF-14B-720P-Diffusers", 14.29, LARGE),
)
