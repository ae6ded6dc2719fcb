"""Where a model with weights lies: light enough to be asked before any network library is imported."""

import re
from pathlib import Path

from ..errors import PriorError

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")  # ORG/NAME


def check_place(place: str | Path) -> None:
    """Raise PriorError unless `place` is a folder or may be the name of a model on the hub."""
    if not Path(place).is_dir() and not HUB_ID.fullmatch(str(place)):
        raise PriorError(f"there is no folder {place}; name the folder of a model in diffusers' layout, or its hub id")
