# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Where a warm engine and its clients meet: a socket in a folder that is the user's alone (see gvc_protocol.h).

The folder is opened once, looked at, and from then on named by its descriptor, so that nobody can exchange it; that
also allows paths longer than the address of a socket.
"""

import fcntl
import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

from ..errors import EngineError
from .protocol import constants

NAME = f"engine-{constants.GVC_PROTOCOL_VERSION}"
BACKLOG = 16
UCRED = struct.Struct("iII")  # pid, uid, gid


def folder_path() -> Path:
    """Return the folder of this user's sockets; it need not exist."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(runtime, "gvc") if runtime.startswith("/") else Path(f"/tmp/gvc-{os.geteuid()}")


def open_folder(path: Path) -> int:
    """Return a descriptor of a folder. Raises EngineError unless it is the user's own and closed to others."""
    try:
        folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise EngineError(f"{path} cannot be opened as a folder ({error.strerror}); remove what is there") from error
    status = os.fstat(folder)
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        os.close(folder)
        raise EngineError(f"{path} must be yours and closed to others; chmod 700 it, or remove it if it is not yours")
    return folder


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """Return process id and user id of the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    pid, uid, _ = UCRED.unpack(credentials)
    return pid, uid


def find_engine() -> int | None:
    """Return the process id of the warm engine that clients of this user would be served by, None if there is none."""
    try:
        folder = open_folder(folder_path())
    except EngineError:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.setblocking(False)
            line.connect(_address(folder))
            pid, uid = peer_of(line)
            return pid if uid == os.geteuid() else None
    except OSError:
        return None
    finally:
        os.close(folder)


def _address(folder: int) -> str:
    return f"/proc/self/fd/{folder}/{NAME}.sock"


class Address:
    """The right to be the user's warm engine. Raises EngineError when there is one already, or the folder is unsafe."""

    def __init__(self):
        path = folder_path()
        try:
            with suppress(FileExistsError):
                path.mkdir(0o700)
        except OSError as error:
            raise EngineError(f"{path} cannot be made ({error.strerror}); set XDG_RUNTIME_DIR to a folder") from error
        self.folder = open_folder(path)
        self.path = path / f"{NAME}.sock"
        # Locks end with their process, so one that can be had says that a socket is stale. The file stays.
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(f"{NAME}.lock", flags, 0o600, dir_fd=self.folder)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._close()
            raise EngineError(f"a warm engine runs already at {self.path}; one is enough for all programs") from None

    def listen(self) -> socket.socket:
        """Return the socket where clients come in."""
        self._remove()
        listener = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            listener.bind(_address(self.folder))
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener

    def release(self) -> None:
        """Let another engine take the place."""
        self._remove()
        self._close()

    def _remove(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(f"{NAME}.sock", dir_fd=self.folder)

    def _close(self) -> None:
        os.close(self._lock)
        os.close(self.folder)
