# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of jobs: what is planned, done, being done and failed, in files that other processes may share."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ..errors import GvcError
from .plan import Chain, Plan
from .result import Result


class FolderError(GvcError, ValueError):
    """A file of a job folder that is damaged, or that GVC did not write."""


class FolderGoneError(GvcError):
    """A job folder that somebody removed meanwhile, such as another driver that has joined all chains."""


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

    path: folder, which is made if it is not there, and whose leftovers of dead processes are removed.
    create: whether to make it and to tidy it up; default True. False = only look, as `gvc jobs` does.

    Every method raises OSError, and FolderGoneError if the folder has been removed.
    """

    def __init__(self, path: Path, create: bool = True):
        self.path = path

    def read_plan(self) -> Plan | None:
        """Return the plan in the folder; None if there is none, or a damaged one."""
        raise NotImplementedError

    def write_plan(self, plan: Plan) -> None:
        """Replace the plan in the folder."""
        raise NotImplementedError

    def result(self, name: str) -> Result | None:
        """Return the result of a job; None if there is none, or a damaged one."""
        raise NotImplementedError

    def write_result(self, name: str, data: bytes) -> Result:
        """Check and keep the result of a job, forget its failure, and release its claim.

        Raises FolderError if the data are no result of this job.
        """
        raise NotImplementedError

    def claim(self, name: str) -> bool:
        """Claim a job; return whether it is this process's now: not if it is done or another process works on it."""
        raise NotImplementedError

    def release(self, name: str) -> None:
        """Give up the claim to a job, if there is one."""
        raise NotImplementedError

    def fail(self, name: str, reason: str, tries: int) -> None:
        """Note that a job has failed, and release its claim.

        reason: sentence on the error.
        tries: number of tries that failed.
        """
        raise NotImplementedError

    def jobs(self, plan: Plan, kind: str = "encode") -> list[Job]:
        """Return the states of all jobs of a plan."""
        raise NotImplementedError

    def remove(self) -> None:
        """Remove what GVC wrote into the folder, then the folder if it is empty."""
        raise NotImplementedError

    def close(self) -> None:
        """Release all claims."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
