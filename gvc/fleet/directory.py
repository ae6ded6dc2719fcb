# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Files in a folder that several machines may share, and in which somebody else may have put anything.

The folder is opened once and its files are named relative to it. Files are read up to a limit, symbolic links and
anything else that is no file are refused, and files appear under their names only when they are whole and on the disk.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from ..errors import GvcError
from .records import FolderError

READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # A pipe must not make the reader wait
CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}  # Errors where nothing may be written
NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}  # Errors of file systems that cannot sync a folder


class FolderGoneError(GvcError):
    """A job folder that somebody removed meanwhile, such as another driver that has joined all chains."""


class Directory:
    """An open folder.

    path: folder, which must be there.
    token: short text for the names of temporary files, by which their owner is known.

    All methods raise OSError that names the file, and FolderGoneError where a file is missing because the folder is.
    """

    def __init__(self, path: Path, token: str):
        self.path, self._token, self._numbers = path, token, count()
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the folder."""
        os.close(self._fd)

    def check(self) -> None:
        """Raise FolderGoneError if this folder is no longer at its path."""
        with suppress(OSError):
            if os.path.samestat(os.stat(self.path), os.fstat(self._fd)):
                return
        raise FolderGoneError(f"{self.path} was removed meanwhile")

    def names(self) -> list[str]:
        """Return the names of everything in the folder."""
        with self._errors(""):
            return os.listdir(self._fd)

    def read(self, name: str, limit: int) -> tuple[bytes, os.stat_result] | None:
        """Return the content and the state of a file, which the file server has been asked for; None if there is none.

        Raises FolderError for what is no file or has more than `limit` bytes.
        """
        with self._errors(name):
            try:
                file = os.open(name, READING, dir_fd=self._fd)
            except FileNotFoundError:
                self.check()
                return None
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
                    raise FolderError(f"{self.path / name} is no file") from None
                raise
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            os.close(file)
            raise FolderError(f"{self.path / name} is no file of at most {limit} bytes")
        with open(file, "rb") as stream, self._errors(name):
            return stream.read(limit), status

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it, so that it is there as a whole or not at all, also after a loss of power."""
        temporary = self.temporary(name)
        try:
            self.create(temporary, data)
            with self._errors(name):
                os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
                self.sync()
        except BaseException:
            self.remove(temporary)
            raise

    def create(self, name: str, data: bytes) -> bool:
        """Write a new file; return whether it was new. Others may see it before it is whole."""
        with self._errors(name):
            try:
                file = os.open(name, CREATING, 0o666, dir_fd=self._fd)
            except FileExistsError:
                return False
            try:
                with open(file, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(file)
            except BaseException:
                self.remove(name)
                raise
            return True

    def temporary(self, name: str) -> str:
        """Return a new name for the time until a file is whole."""
        return f".{name}.{self._token}.{next(self._numbers)}.tmp"

    def touch(self, name: str) -> None:
        """Set the time of a file to now, by the file server's clock."""
        os.utime(name, dir_fd=self._fd, follow_symlinks=False)

    def now(self) -> float:
        """Return the time by the file server's clock, in seconds; by this machine's if nothing may be written here."""
        try:
            os.utime(self._fd)
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            return time.time()
        return os.fstat(self._fd).st_mtime

    def changed(self, name: str) -> float | None:
        """Return when a file was changed, by the file server's clock; None if there is no such file."""
        try:
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        with suppress(FileNotFoundError), self._errors(name):
            os.unlink(name, dir_fd=self._fd)

    def sync(self) -> None:
        """Have the names of files on the disk, where the file system can do that."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            if error.errno not in NO_SYNC:
                raise

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """Let errors name the path of the file, and tell a missing folder from a missing file."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ESTALE):
                self.check()
            raise type(error)(error.errno, error.strerror, str(self.path / name)) from None
