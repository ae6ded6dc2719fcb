# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Detection of changed files by their metadata, without reading them."""

from collections.abc import Iterable
from pathlib import Path

FileState = tuple[str, int, int, int, int]  # path, inode, size in bytes, mtime and ctime in ns


def file_states(folder: Path, patterns: Iterable[str]) -> list[FileState]:
    """Return the states of the files in a folder that match one of the glob patterns. Raises OSError."""
    paths = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return [file_state(path) for path in sorted(paths)]


def file_state(path: Path) -> FileState:
    """Return the state of a file. Raises OSError."""
    status = path.stat()
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
