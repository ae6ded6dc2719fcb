"""What is kept between runs, below $XDG_CACHE_HOME/gvc: it saves time and may be deleted at any moment."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def cache_file(kind: str, name: str) -> Path:
    """Return where the file `name` of a kind of things is kept; it need not exist."""
    root = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification: what is empty or relative is to be ignored.
    base = Path(root) if root and Path(root).is_absolute() else Path.home() / ".cache"
    return base / "gvc" / kind / name


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache, in one step for others who look; if that is not possible, don't."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)
