# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is kept between runs, below $XDG_CACHE_HOME/gvc: it saves time and may be deleted at any moment."""

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


def cache_file(kind: str, name: str) -> Path:
    """Return where the file `name` of a kind of things is kept; it need not exist."""
    return _folder() / "gvc" / kind / name


def _folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification: what is empty or relative is to be ignored.
    if root and Path(root).is_absolute():
        return Path(root)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # neither HOME nor an entry among the system's users
        return Path(os.devnull)  # below which nothing can be found or kept


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache, in one step for others who look; if that is not possible, don't."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.replace(file.name, path)
            except OSError:  # as when the disk is full
                os.unlink(file.name)
                raise


def keep_note(path: Path, label: dict, value: object) -> None:
    """Keep a value that was found for a label; both are what JSON holds."""
    keep(path, json.dumps({"label": label, "value": value}).encode())


def read_note(path: Path, label: dict) -> Any:
    """Return the value that was kept for this very label, None if there is none that can be read."""
    try:
        note = json.loads(path.read_bytes())
        return note["value"] if note["label"] == label else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
