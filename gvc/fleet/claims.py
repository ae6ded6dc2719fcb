# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Claims: files that say which process works on a job, and that die with it."""

import hashlib
import json
import os
import re
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from threading import Event, Lock, Thread

from .directory import Directory, FolderGoneError
from .records import FolderError, Record

SUFFIX = ".claim"
BURIAL = ".burial"  # Further suffix of a file that lets one process at a time remove a dead claim
LONGEST_CLAIM = 4096  # bytes
SECONDS_BETWEEN_RENEWALS = 10
SECONDS_TO_LIVE = 60  # After so long without renewal a claim is dead, whoever made it
TOKEN = re.compile(r"([0-9a-f]{8})-(\d{1,10})-(\d{1,20})", re.ASCII)  # place, pid, start: an owner in a file's name


@dataclass(frozen=True)
class Owner:
    """A process.

    host: name of its machine, for people.
    place: 8 hexadecimal digits for the machine since its last start, and the container on it.
    pid: number of the process in that place.
    start: time at which it started, in ticks since the start of the machine.
    """

    host: str
    place: str
    pid: int
    start: int

    @classmethod
    def this(cls) -> "Owner":
        """Return this process."""
        return cls(socket.gethostname()[:255], _place(), os.getpid(), _start(os.getpid()) or 0)

    @classmethod
    def parse(cls, data: bytes) -> "Owner":
        """Read a claim. Raises FolderError."""
        record = Record.parse(data, "a claim")
        place = record.text("place", "[0-9a-f]{8}")
        return cls(record.text("host", ".{0,255}"), place, record.integer("pid", 1, 2**31), record.integer("start"))

    def to_bytes(self) -> bytes:
        """Return the content of a claim."""
        return json.dumps(asdict(self)).encode()

    @property
    def token(self) -> str:
        """The process in a file's name (TOKEN)."""
        return f"{self.place}-{self.pid}-{self.start}"

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to have ended, which can be told of this machine's only."""
        return has_ended(self.place, self.pid, self.start)


def has_ended(place: str, pid: int, start: int) -> bool:
    """Return whether a process (Owner) is known to have ended."""
    return place == _place() and _start(pid) != start


@cache
def _place() -> str:
    """Return a short hash of what tells the process numbers of this machine from all others."""
    facts = [socket.gethostname()]
    with suppress(OSError):
        facts += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _start(pid: int) -> int | None:
    """Return when a process started, in ticks since the start of the machine; None if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])  # Z, X: it has ended and its parent has not noticed yet


class Claims:
    """The claims in a folder. Those of this process are renewed in the background.

    directory: the folder.
    me: this process.
    """

    def __init__(self, directory: Directory, me: Owner):
        self._directory, self._me = directory, me
        self._held: set[str] = set()
        self._lock, self._closed = Lock(), Event()
        self._thread: Thread | None = None

    def take(self, job: str) -> bool:
        """Claim a job; return whether it is this process's now."""
        name = job + SUFFIX
        taken = self._directory.create(name, self._me.to_bytes())
        if not taken and self._bury(name):
            taken = self._directory.create(name, self._me.to_bytes())
        if taken:
            with self._lock:
                self._held.add(name)
            if not self._thread:
                self._thread = Thread(target=self._renew, name="claims", daemon=True)
                self._thread.start()
        return taken

    def release(self, job: str) -> None:
        """Give up the claim to a job, if this process has one."""
        name = job + SUFFIX
        with self._lock:
            if name not in self._held:
                return
            self._held.remove(name)
        seen = self._look(name)
        if seen and seen.content == self._me.to_bytes():  # It may have been taken over
            self._directory.remove(name)

    def worker(self, job: str) -> str:
        """Return the process that works on a job, for people; "" if no living process does."""
        seen = self._look(job + SUFFIX)
        if not (seen and seen.lives):
            return ""
        return f"{seen.owner.host} (process {seen.owner.pid})" if seen.owner else "an unknown process"

    def tidy(self, names: list[str]) -> bool:
        """Remove the dead claims among the files of the folder; return whether there are living ones."""
        for name in names:
            if name.endswith(BURIAL):
                self._remove_if_dead(name)
        buried = [self._bury(name) for name in names if name.endswith(SUFFIX)]
        return not all(buried)

    def close(self) -> None:
        """Give up all claims."""
        self._closed.set()
        if self._thread:
            self._thread.join()
        with suppress(OSError, FolderGoneError):  # What cannot be removed dies with this process
            for name in [*self._held]:
                self.release(name.removesuffix(SUFFIX))

    def _renew(self) -> None:
        while not self._closed.wait(SECONDS_BETWEEN_RENEWALS):
            with self._lock:
                held = [*self._held]
            for name in held:
                with suppress(OSError):  # The claim was taken over, or the file server does not answer for a while
                    self._directory.touch(name)

    def _look(self, name: str) -> "_Seen | None":
        """Return what is known about a claim; None if there is none."""
        try:
            found = self._directory.read(name, LONGEST_CLAIM)
        except FolderError:
            return _Seen()
        if found is None:
            return None
        content, status = found
        fresh = abs(self._directory.now() - status.st_mtime) < SECONDS_TO_LIVE
        try:
            owner = Owner.parse(content)
        except FolderError:  # It may not be whole yet
            return _Seen(content, None, fresh)
        return _Seen(content, owner, fresh and not owner.has_ended)

    def _bury(self, name: str) -> bool:
        """Remove a claim if it is dead; return whether none is left.

        Whoever looks at a dead claim and removes it later may remove the claim that another process has made meanwhile;
        so only one process at a time may do that, and looks again.
        """
        seen = self._look(name)
        if seen is None or seen.lives:
            return seen is None
        burial = name + BURIAL
        if not self._directory.create(burial, self._me.to_bytes()):
            self._remove_if_dead(burial)
            return False
        try:
            return self._remove_if_dead(name)
        finally:
            self._directory.remove(burial)

    def _remove_if_dead(self, name: str) -> bool:
        seen = self._look(name)
        if seen and not seen.lives:
            self._directory.remove(name)
        return not (seen and seen.lives)


@dataclass(frozen=True)
class _Seen:
    """A claim as it was read. By default it is no file, or one that nobody would write.

    content: content of its file, owner: its process if that is known, lives: whether the claim holds.
    """

    content: bytes = b""
    owner: Owner | None = None
    lives: bool = False
