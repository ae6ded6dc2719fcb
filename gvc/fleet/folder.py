# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of jobs: what is planned, done, being done and failed, in files that other processes may share.

docs/FLEET.md, "The job folder", describes its files.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from .claims import BURIAL, SECONDS_TO_LIVE, TOKEN, Claims, Owner, has_ended
from .claims import SUFFIX as CLAIM
from .directory import Directory, FolderGoneError
from .plan import LONGEST_PLAN, Chain, Plan
from .records import FolderError, Record
from .result import LONGEST_RESULT, NAME, Result

__all__ = ["FolderError", "FolderGoneError", "Job", "JobFolder"]

PLAN, RESULT, FAILURE = "plan.json", ".gvcj", ".failed"
PRESENCE = "driver-"  # Beginning of the names of claims by which drivers know of each other
SUFFIXES = "|".join(map(re.escape, (RESULT, FAILURE, CLAIM, CLAIM + BURIAL)))
FILES = (
    re.escape(PLAN),
    rf"{NAME}({SUFFIXES})",
    rf"{PRESENCE}{TOKEN.pattern}({SUFFIXES})",
    rf"\..+\.{TOKEN.pattern}\.\d+\.tmp",
)
OURS = re.compile("|".join(FILES), re.ASCII)
LONGEST_FAILURE = 16384  # bytes
LONGEST_REASON = 2000  # Largest number of characters of the reason of a failure


@dataclass(frozen=True)
class Job:
    """The state of one chain's job.

    chain: chain to code.
    name: name of the job.
    state: "done", "failed", "running" or "waiting".
    worker: who does it or did it; "" if nobody.
    bytes, seconds: size of its packets and time that it took; 0 if it is not done.
    reason: sentence on a failure; "" without one.
    """

    chain: Chain
    name: str
    state: Literal["done", "failed", "running", "waiting"]
    worker: str = ""
    bytes: int = 0
    seconds: float = 0.0
    reason: str = ""


class JobFolder:
    """A folder of jobs. Several drivers may share one, also on several machines.

    Claims are renewed in the background while the folder is open. A process that dies loses its claims.

    Args:
        path: folder, which is made if it is not there. What dead processes have left in it is removed, and failures
            are forgotten unless another driver is at work.
        create: whether to make the folder and to tidy it up; default True. False = only look, as `gvc jobs` does.

    All methods raise OSError, and FolderGoneError if the folder has been removed. Any thread may call them.
    """

    def __init__(self, path: Path, create: bool = True):
        self.path, self._me = Path(path), Owner.this()
        if create:
            _make(self.path)
        self._directory = Directory(self.path, self._me.token)
        self._claims = Claims(self._directory, self._me)
        self._presence = PRESENCE + self._me.token
        self._planned = False  # Whether this process has written a plan
        if create:
            self._tidy()

    def _tidy(self) -> None:
        """Remove what dead processes have left; forget failures unless another driver is at work."""
        names = self._directory.names()
        shared = self._claims.tidy(names)
        for name in filter(OURS.fullmatch, names):
            if (name.endswith(FAILURE) and not shared) or self._is_leftover(name):
                self._directory.remove(name)

    def _is_leftover(self, name: str) -> bool:
        """Return whether a file is a temporary one of a process that has ended."""
        owner = TOKEN.search(name) if name.endswith(".tmp") else None
        if not owner:
            return False
        if has_ended(owner[1], int(owner[2]), int(owner[3])):
            return True
        changed = self._directory.changed(name)
        return changed is not None and self._directory.now() - changed > SECONDS_TO_LIVE

    def read_plan(self) -> Plan | None:
        """Return the plan in the folder; None if there is none, or a damaged one."""
        with suppress(FolderError):
            if found := self._directory.read(PLAN, LONGEST_PLAN):
                return Plan.parse(found[0])
        return None

    def write_plan(self, plan: Plan) -> None:
        """Replace the plan in the folder. Do this before any job is claimed."""
        self.check()
        self._directory.write(PLAN, plan.to_bytes())
        self._planned = True

    def result(self, name: str) -> Result | None:
        """Return the result of a job; None if there is none, or a damaged one."""
        with suppress(FolderError):
            if found := self._directory.read(name + RESULT, LONGEST_RESULT):
                return _result(name, found[0])
        return None

    def write_result(self, name: str, data: bytes) -> Result:
        """Check and keep the result of a job, forget its failure, and release its claim.

        Raises FolderError if the data are no result of this job.
        """
        result = _result(name, data)
        self._directory.write(name + RESULT, data)
        self._directory.remove(name + FAILURE)
        self._claims.release(name)
        return result

    def claim(self, name: str) -> bool:
        """Claim a job; return whether it is this process's now: not if it is done or another process works on it."""
        self.check()
        if self.result(name) or not self._claims.take(name):
            return False
        if self.result(name):  # Another process has ended its work meanwhile
            self._claims.release(name)
            return False
        self.check()
        return True

    def check(self) -> None:
        """Raise FolderGoneError if the folder has been removed, or is being removed."""
        self._directory.check()
        if self._planned and self._directory.changed(PLAN) is None:  # The plan is removed first
            raise FolderGoneError(f"the plan in {self.path} was removed meanwhile")

    def release(self, name: str) -> None:
        """Give up the claim to a job, if there is one."""
        self._claims.release(name)

    def fail(self, name: str, reason: str, tries: int) -> None:
        """Note that a job has failed, and release its claim.

        reason: sentence on the error.
        tries: number of tries that failed.
        """
        content = {"reason": reason[:LONGEST_REASON], "tries": tries}
        self._directory.write(name + FAILURE, json.dumps(content).encode())
        self._claims.release(name)

    def jobs(self, plan: Plan, kind: Literal["encode", "analyse"] = "encode") -> list[Job]:
        """Return the states of all jobs of a plan.

        kind: kind of the jobs (Plan.job), default "encode".
        """
        names = set(self._directory.names())
        return [self._job(chain, plan.job(chain, kind), names) for chain in plan.chains]

    def _job(self, chain: Chain, name: str, names: set[str]) -> Job:
        result = self.result(name) if name + RESULT in names else None
        if result:
            return Job(chain, name, "done", result.worker, result.size, result.seconds)
        worker = self._claims.worker(name) if name + CLAIM in names else ""
        if worker:
            return Job(chain, name, "running", worker)
        reason = self._failure(name) if name + FAILURE in names else ""
        return Job(chain, name, "failed" if reason else "waiting", reason=reason)

    def _failure(self, name: str) -> str:
        """Return a sentence on a job's failure; "" if there is none that can be read."""
        with suppress(FolderError):
            if found := self._directory.read(name + FAILURE, LONGEST_FAILURE):
                record = Record.parse(found[0], "a failure")
                return f"{record.text('reason')} ({record.integer('tries')} tries)"
        return ""

    def take_part(self) -> None:
        """Let other drivers know that this process is at work here, until the folder is closed."""
        self._claims.take(self._presence)

    @property
    def is_shared(self) -> bool:
        """Whether another driver is at work here."""
        drivers = (name for name in self._directory.names() if name.startswith(PRESENCE) and name.endswith(CLAIM))
        others = {name.removesuffix(CLAIM) for name in drivers} - {self._presence}
        return any(map(self._claims.worker, others))

    def remove(self) -> bool:
        """Remove what GVC wrote into the folder, and the folder if it is empty then.

        Returns whether that was done: not if another driver is at work here, which will do it at its end. Results that
        are left when this is interrupted are used by the next driver.
        """
        self._claims.release(self._presence)
        if self.is_shared:
            return False
        with suppress(FolderGoneError):  # Another driver does the same
            self._directory.remove(PLAN)
            for name in filter(OURS.fullmatch, self._directory.names()):
                self._directory.remove(name)
        with suppress(OSError):  # There are files that GVC did not write
            self.path.rmdir()
        return True

    def close(self) -> None:
        """Release all claims."""
        self._claims.close()
        self._directory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _make(path: Path) -> None:
    """Make a folder if it is not there, so that it is there after a loss of power, too."""
    with suppress(FileExistsError):
        path.mkdir()
        parent = Directory(path.absolute().parent, "")
        parent.sync()
        parent.close()


def _result(name: str, data: bytes) -> Result:
    """Return the result of a job. Raises FolderError for anything else."""
    result = Result.parse(data)
    if result.name != name:
        raise FolderError(f"the result of job {result.name} has the name {name}")
    return result
