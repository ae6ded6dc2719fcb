# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What runs in a worker process of Ray. Only plain types pass between it and its driver."""

import os
import platform
from collections.abc import Mapping

from ..machine.process import configure_process


class Actor:
    """A worker's end of gvc.fleet.cluster.RayWorker. While `run` is busy in one thread, another serves the rest.

    name: name of the worker for people, to which that of the machine is added.
    local: options that the worker decides itself (threads, device).
    """

    def __init__(self, name: str, local: Mapping[str, object]):
        configure_process()  # Before what is imported here
        from .tasks import Tasks

        self._tasks, self._step = Tasks(f"{name} on {platform.node()}", local), None

    def run(self, task: Mapping[str, object], data: bytes) -> tuple[Mapping[str, str] | None, bytes]:
        """Do a task.

        task: fields of gvc.fleet.tasks.Task without data.
        Returns (the error as gvc.fleet.failures describes it, b"") or (None, result).
        """
        from .failures import described
        from .tasks import Task

        try:
            return None, self._tasks.run(Task(**task, data=data), self._take_step)
        except Exception as error:
            return described(error), b""
        finally:
            self._step = None

    def _take_step(self, *step: int) -> None:
        self._step = step

    def step(self) -> tuple[int, int, int] | None:
        """Return where `run` is: the last arguments of its OnStep function; None if there were none."""
        return self._step

    def sees(self, path: str, size: int, mtime_ns: int) -> bool:
        """Return whether this machine has a file with this path, size and time of its last change."""
        try:
            state = os.stat(path)
        except OSError:
            return False
        return (state.st_size, state.st_mtime_ns) == (size, mtime_ns)
