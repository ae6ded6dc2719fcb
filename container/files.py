# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Where output goes: files that are either whole or not there, and pipes and devices that are written through."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gvc.errors import OptionError

from .output import STDOUT

MOST_LINKS = 40  # that Linux follows
DESCRIPTORS = re.compile(r"/proc/\d+(/task/\d+)?/fd")  # /dev/fd and /dev/stdout lead there
LONGEST_STEM = 60  # characters of a temporary name


@contextmanager
def output_file(path: Path, overwrite: bool, source: str | Path | None = None) -> Iterator[Path]:
    """Give the path to write to.

    Pipes, devices, open descriptors such as /dev/stdout, and "-" are written as they are. For a file it is a temporary
    one in the same folder, which takes the place of the file at the end and is removed after an error. A link stays:
    the file that it leads to is written. A file that is replaced leaves its owner and permissions to the new one.

    Args:
        path: what the user has named.
        overwrite: whether a file may be replaced.
        source: what is read meanwhile, which must be another file, default: nothing.
    Raises OptionError if the file must not be written, OSError if it cannot be.
    """
    if str(path) == STDOUT or (is_stream(path) and not path.is_block_device()):
        yield path
        return
    _check(path, overwrite, source)
    real = Path(os.path.realpath(path))
    if path.is_block_device() or (real.exists() and not os.access(real.parent, os.W_OK)):
        yield real
        return
    temporary = real.with_name(f".{path.stem[:LONGEST_STEM]}.{os.getpid()}{path.suffix}")
    try:
        if real.exists():
            _create_like(temporary, real)
        yield temporary
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)


def check_readable_again(path: Path) -> None:
    """Raise OptionError for what can be read only once and has no size, such as a pipe."""
    if str(path) == STDOUT or (path.exists() and not path.is_file() and not path.is_dir()):
        raise OptionError(f"{path} is no file: it can be read only once and has no size; write it to a file first")


def is_stream(path: Path) -> bool:
    """Whether a path names "-", a pipe, a device, a socket or an open descriptor: nothing that could be replaced."""
    if str(path) == STDOUT or _is_descriptor(path):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _is_descriptor(path: Path) -> bool:
    for _ in range(MOST_LINKS):
        if not path.is_symlink():
            return False
        folder = os.path.realpath(path.parent)
        if DESCRIPTORS.fullmatch(folder):
            return True
        path = Path(folder, path.readlink())
    return False


def _check(path: Path, overwrite: bool, source: str | Path | None) -> None:
    if path.is_dir():
        raise OptionError(f"{path} is a folder; name a file in it")
    if source and path.exists() and os.path.exists(source) and os.path.samefile(source, path):
        raise OptionError(f"{path} is the input as well; give the output another name")
    if path.exists() and not overwrite:
        raise OptionError(f"{path} exists; use -y to overwrite it")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise PermissionError(13, "may not be written", str(path if path.exists() else folder))
    if not path.suffix:
        raise OptionError(f"{path} has no extension to tell the file format; use .mkv")


def _create_like(new: Path, model: Path) -> None:
    """Create an empty file that belongs to whom `model` does, as far as that is allowed, and that the same may read."""
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    owner = model.stat()
    with suppress(PermissionError):
        os.chown(new, owner.st_uid, owner.st_gid)
    shutil.copymode(model, new)
