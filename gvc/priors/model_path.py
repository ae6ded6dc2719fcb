# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Paths and hub IDs of models with weights. Imports no network library, so that checks are quick."""

import re
from pathlib import Path

from ..errors import PriorError

BUNDLED = Path(__file__).parents[1] / "models"  # models that come with GVC: FAMILY/NAME
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")  # ORG/NAME


def find_bundled(kind: str, path: str) -> str:
    """Return the folder of a model that comes with GVC if `path` is its name and no folder of the user; else `path`.

    kind: family of the model.
    """
    names = {folder.name: folder for folder in (BUNDLED / kind).glob("*")}
    return path if Path(path).is_dir() else str(names.get(path, path))


def check_model_path(path: str | Path) -> None:
    """Raise PriorError unless `path` is a local folder or has the form of a hub ID."""
    if not Path(path).is_dir() and not HUB_ID.fullmatch(str(path)):
        raise PriorError(f"there is no folder {path}; name the folder of a model in diffusers' layout, or its hub ID")


def rooted(spec: str, folder: str | Path) -> str:
    """Return the spec of a prior with its path made absolute, if that path names a folder.

    folder: folder that a relative path starts from.
    """
    kind, _, path = spec.partition(":")
    absolute = Path(folder, path)
    return f"{kind}:{absolute}" if path and absolute.is_absolute() and absolute.is_dir() else spec
