# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The socket by which clients reach the user's warm engine, in a folder that only this user can enter.

ffmpeg_bridge/libgvc/gvc_protocol.h gives its path. The folder is opened once, checked, and then always named by its
descriptor, so that nobody can replace it after the check. A descriptor also allows paths longer than a socket address.
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
UCRED = struct.Struct("iII")  # Linux's struct ucred: pid, uid, gid


def folder_path() -> Path:
    """Return the path of the folder for this user's sockets. The folder may not exist yet."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(runtime, "gvc") if runtime.startswith("/") else Path(f"/tmp/gvc-{os.geteuid()}")


def open_folder(path: Path) -> int:
    """Open a folder and return its descriptor.

    Raises EngineError unless the folder belongs to this user and nobody else may enter it.
    """
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
    """Return the process id and the user id of the other end of a connection."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    pid, uid, _ = UCRED.unpack(credentials)
    return pid, uid


def find_engine() -> int | None:
    """Return the process id of this user's warm engine; None if there is none."""
    try:
        folder = open_folder(folder_path())
    except EngineError:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            connection.connect(_address(folder))
            pid, uid = peer_of(connection)
            return pid if uid == os.geteuid() else None
    except OSError:
        return None
    finally:
        os.close(folder)


def _address(folder: int) -> str:
    return f"/proc/self/fd/{folder}/{NAME}.sock"


class Address:
    """The address of the user's warm engine, held by one process at a time.

    Raises EngineError if another process holds it, or if the folder is not safe.
    """

    def __init__(self):
        path = folder_path()
        try:
            with suppress(FileExistsError):
                path.mkdir(0o700)
        except OSError as error:
            raise EngineError(f"{path} cannot be made ({error.strerror}); set XDG_RUNTIME_DIR to a folder") from error
        self.folder = open_folder(path)
        self.path = path / f"{NAME}.sock"
        # The system drops a lock when its process ends, so a socket without a lock is stale. The lock file stays.
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(f"{NAME}.lock", flags, 0o600, dir_fd=self.folder)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._close()
            raise EngineError(f"a warm engine runs already at {self.path}; one is enough for all programs") from None

    def listen(self) -> socket.socket:
        """Return a new listening socket at this address."""
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
        """Give the address up, so that another engine can hold it."""
        self._remove()
        self._close()

    def _remove(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(f"{NAME}.sock", dir_fd=self.folder)

    def _close(self) -> None:
        os.close(self._lock)
        os.close(self.folder)
