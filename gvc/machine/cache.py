# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Files that are kept between runs, in $XDG_CACHE_HOME/gvc or ~/.cache/gvc.

They save time and may be deleted at any moment.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from platformdirs import user_cache_path


def cache_file(kind: str, name: str) -> Path:
    """Return the path of the cache file `name` of a kind, such as "prompts"; the file need not exist."""
    try:
        folder = user_cache_path("gvc")
    except RuntimeError:  # HOME is not set and the user is not in the system's user database.
        folder = Path(os.devnull)  # No file can exist below this path, so nothing is found or kept.
    return folder / kind / name


def keep(path: Path, content: bytes) -> None:
    """Write a cache file atomically: other processes see it whole or not at all. Failures are ignored."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.replace(file.name, path)
            except OSError:  # For instance a full disk.
                os.unlink(file.name)
                raise


def keep_note(path: Path, label: dict, value: object) -> None:
    """Write a value and the label that it belongs to; both must be representable in JSON."""
    keep(path, json.dumps({"label": label, "value": value}).encode())


def read_note(path: Path, label: dict) -> Any:
    """Return the value that `keep_note` wrote with exactly this label; None if no such value can be read."""
    try:
        note = json.loads(path.read_bytes())
        return note["value"] if note["label"] == label else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
