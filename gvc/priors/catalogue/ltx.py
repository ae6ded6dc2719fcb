# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Published models of LTX-Video. They want 8k + 1 pictures."""

from .model import ALL_MODES, T5, Model

SIZE, LICENCE = (768, 512), "the publisher's own"
VAE, VAE_091, VAE_095 = 0.419, 0.935, 1.247  # billions of parameters


def _ltx(name: str, hub_id: str, modes: tuple[str, ...], vae: float, **others) -> Model:
    """Return a model of LTX-Video; `others` are further fields, and replace what most models have in common."""
    common = {"network": 1.92, "text_encoder": T5, "sizes": (SIZE,), "pictures": 161, "licence": LICENCE}
    names = {"name": f"ltx/{name}", "hub_id": f"Lightricks/{hub_id}", "stream_name": f"ltx/{modes[-1]}"}
    return Model(**names, modes=modes, vae=vae, **common | others)


MODELS = (
    _ltx("2b-0.9", "LTX-Video", ("t2v", "i2v"), VAE, licence="OpenRAIL-M"),
    _ltx("2b-0.9.1", "LTX-Video-0.9.1", ("t2v", "i2v"), VAE_091, licence="OpenRAIL-M"),
    _ltx("2b-0.9.5", "LTX-Video-0.9.5", ALL_MODES, VAE_095),
    _ltx("13b-0.9.7", "LTX-Video-0.9.7-dev", ALL_MODES, VAE_095, network=13.04, sizes=((1216, 704),)),
)
