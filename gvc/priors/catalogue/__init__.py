# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Models that GVC knows, as data: the bundled ones, and published ones of each family in a module of its own.

Any other model of a family can be the prior of a stream, too. Nothing here is looked up for a stream: what is loaded is
what the user names.
"""

from . import hunyuan, kandinsky, ltx, ltx2, sana, skyreels, wan
from .model import Bundled, Model

BUNDLED = (
    Bundled("gp", "a Gaussian process in closed form"),
    Bundled("neural", "gp with a learned last step", "neural"),
    Bundled(
        "wan:tiny",
        "a Wan VACE small enough for any machine, for small pictures",
        "models",
        stream_name="wan/vace",
        weights_hash="5346f324fe6c22be",
    ),
)
MODELS: tuple[Model, ...] = (
    *wan.MODELS,
    *ltx.MODELS,
    *ltx2.MODELS,
    *skyreels.MODELS,
    *kandinsky.MODELS,
    *hunyuan.MODELS,
    *sana.MODELS,
)


def bundled(stream_name: str, weights_hash: bytes) -> str:
    """Return the value of the option `prior` for the bundled model of a stream, "" if its weights are not bundled."""
    wanted = (stream_name, weights_hash.hex())
    return next((model.prior for model in BUNDLED if (model.stream_name, model.weights_hash) == wanted), "")


def named(text: str) -> list[Model]:
    """Return the models that a name means; an empty list if there are none.

    text: name of a model, hub id, name in streams, family, or value of the option `prior`.
    """
    return [
        model for model in MODELS if text in (model.name, model.hub_id, model.stream_name, model.family, model.prior)
    ]
