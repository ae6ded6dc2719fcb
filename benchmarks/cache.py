# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Stored figures: an interrupted run continues where it stopped, and only what has changed is measured again."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path


def cached(folder: Path, depends: object, figures: Callable[[Path], object]) -> object:
    """Return stored figures, or compute and store them.

    folder: folder of the stored files.
    depends: everything that the figures depend on; its hash is the file's name.
    figures: function that computes the figures. It gets the path of the file and may write others with the same stem.
    """
    digest = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:20]
    path = folder / f"{digest}.json"
    if not path.exists():
        found = figures(path)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(found))
        os.replace(partial, path)
    return json.loads(path.read_text())
