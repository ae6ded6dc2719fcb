# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.cli.models_page docs/MODELS.md` writes the tables of that page again.

Each table stands between a line `<!-- NAME -->` and a line `<!-- /NAME -->`.
"""

import re
import sys
from itertools import groupby
from pathlib import Path

from ..priors.catalogue import MODELS, Model
from ..priors.memory import GIB, TEXT_FORMAT, VAE_FORMAT, network_weights, weights

FORMATS = ("float32", "bfloat16", "int8", "nf4")  # columns of the table of memory; float16 takes what bfloat16 does


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, *rows)).replace("\n", f"\n|{'---|' * len(head)}\n", 1)


def models_table() -> str:
    """Return the table of all models."""
    head = ("name", "hub id", "modes", "parameters", "trained for", "pictures", "shift", "licence", "name in streams")
    return _table(head, [_model(model) for model in MODELS])


def _model(model: Model) -> tuple[str, ...]:
    return (
        f"`{model.name}`",
        f"`{model.hub_id}`",
        modes_of(model.modes),
        f"{_times(model)}{model.network:.3g} B",
        ", ".join(f"{width}x{height}" for width, height in model.sizes),
        str(model.pictures),
        model.shift or "by size",
        model.licence,
        f"`{model.stream_name}`",
    )


def modes_of(modes: tuple[str, ...]) -> str:
    """Return modes in a few letters."""
    return "all" if len(modes) == 3 else ", ".join(modes)


def memory_table() -> str:
    """Return the table of the memory of weights; models that need the same share a row."""
    head = ("", *FORMATS, "VAE", "image encoder", "text encoder")
    same = groupby(sorted(MODELS, key=_need), _need)
    return _table(head, [_memory(list(models)) for _, models in same])


def _need(model: Model) -> tuple[float, ...]:
    return model.network * model.networks, model.network, model.vae, model.image_encoder, model.text_encoder


def _memory(models: list[Model]) -> tuple[str, ...]:
    model = models[0]
    others = ((model.vae, VAE_FORMAT), (model.image_encoder, VAE_FORMAT), (model.text_encoder, TEXT_FORMAT))
    return (
        ", ".join(f"`{model.name}`" for model in models),
        *(_times(model) + gibibytes(network_weights(model, number_format)) for number_format in FORMATS),
        *(gibibytes(weights(billions, number_format)) if billions else "" for billions, number_format in others),
    )


def _times(model: Model) -> str:
    return f"{model.networks} x " if model.networks > 1 else ""


def gibibytes(count: float) -> str:
    """Return bytes in GiB, with about two digits."""
    return f"{count / GIB:.{0 if count >= 10 * GIB else 1}f}"


TABLES = {"models": models_table, "memory": memory_table}


def page(text: str) -> str:
    """Return the text of the page with its tables written again."""
    for name, table in TABLES.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", rf"\g<1>{table()}\g<2>", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(page(path.read_text()))
