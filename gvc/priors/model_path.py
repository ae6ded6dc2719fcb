# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Where a model with weights lies: light enough to be asked before any network library is imported."""

import re
from pathlib import Path

from ..errors import PriorError

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")  # ORG/NAME


def check_place(place: str | Path) -> None:
    """Raise PriorError unless `place` is a folder or may be the name of a model on the hub."""
    if not Path(place).is_dir() and not HUB_ID.fullmatch(str(place)):
        raise PriorError(f"there is no folder {place}; name the folder of a model in diffusers' layout, or its hub id")


def rooted(spec: str, folder: str | Path) -> str:
    """Return the spec of a prior with an absolute place, if that is a folder as seen from `folder`."""
    kind, _, place = spec.partition(":")
    path = Path(folder, place)
    return f"{kind}:{path}" if place and path.is_absolute() and path.is_dir() else spec
