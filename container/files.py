# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Output paths: files that appear only when they are complete, and pipes and devices that are written directly."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from gvc.errors import OptionError

from .output import STDOUT

MOST_LINKS = 40  # Largest number of symbolic links that Linux follows
DESCRIPTORS = re.compile(r"/proc/\d+(/task/\d+)?/fd")  # Folders of open descriptors, to which /dev/stdout also leads
LONGEST_STEM = 60  # Largest number of characters of a file's own name in the name of its temporary file


@contextmanager
def output_file(path: Path, overwrite: bool, source: str | Path | None = None, *, named: bool = True) -> Iterator[Path]:
    """Yield the path to write to.

    For a file this is a temporary file in the same folder, which replaces the file at the end and is removed after an
    error. The new file gets the owner and the permissions of the replaced one. A symbolic link stays, and its target is
    written. Pipes, devices, open descriptors such as /dev/stdout, and "-" are written directly.

    Args:
        path: path that the user has given.
        overwrite: whether a file may be replaced.
        source: file that is read meanwhile and must not be overwritten. Default: none.
        named: whether the name must have an extension, which tells the file format. Default: it must.

    Raises OptionError if the file must not be written, OSError if it cannot be written.
    """
    if str(path) == STDOUT or (is_stream(path) and not path.is_block_device()):
        yield path
        return
    _check(path, overwrite, source)
    if named and not path.suffix:
        raise OptionError(f"{path} has no extension to tell the file format; use .mkv")
    real = Path(os.path.realpath(path))
    if path.is_block_device() or (real.exists() and not os.access(real.parent, os.W_OK)):
        yield real
        return
    temporary = real.with_name(f".{path.stem[:LONGEST_STEM]}.{token_hex(3)}{path.suffix}")
    try:
        if real.exists():
            _create_like(temporary, real)
        yield temporary
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)


def check_readable_again(path: Path) -> None:
    """Raise OptionError for an input that can be read only once and has no size, such as a pipe."""
    if str(path) == STDOUT or (path.exists() and not path.is_file() and not path.is_dir()):
        raise OptionError(f"{path} is no file: it can be read only once and has no size; write it to a file first")


def is_stream(path: Path) -> bool:
    """Return whether a path is "-", a pipe, a device, a socket or an open descriptor, none of which can be replaced."""
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


def _create_like(new: Path, model: Path) -> None:
    """Create an empty file with the permissions of `model` and, if this process may set it, with the same owner."""
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    owner = model.stat()
    with suppress(PermissionError):
        os.chown(new, owner.st_uid, owner.st_gid)
    shutil.copymode(model, new)
