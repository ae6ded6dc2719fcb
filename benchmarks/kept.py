# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Figures that are kept: a run that was broken off goes on where it was, and only what changed is measured again."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path


def kept(folder: Path, depends: object, figures: Callable[[Path], object]) -> object:
    """Return figures from the file that is named by a hash of all that they depend on, or find them now and keep them.

    figures: called with the path of that file, beside which it may leave others of the same stem.
    """
    digest = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:20]
    path = folder / f"{digest}.json"
    if not path.exists():
        found = figures(path)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(found))
        os.replace(partial, path)
    return json.loads(path.read_text())
