"""Output files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OptionError


@contextmanager
def whole_file(path: Path, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path in the same folder; on success it is renamed to `path`, otherwise removed.

    Raises OptionError if `path` exists and is not to be overwritten, OSError if the folder is not there.
    """
    if path.is_dir():
        raise OptionError(f"{path} is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise OptionError(f"{path} exists; use -y to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "no such folder", str(path.parent))
    if not path.suffix:
        raise OptionError(f"{path} has no extension to tell the file format; use .mkv")
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
