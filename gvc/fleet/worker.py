# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.fleet.worker NAME OPTIONS`: a worker process; it does the tasks that come through standard input.

NAME: name of the worker for people.
OPTIONS: options that this worker decides instead of its tasks (device, threads), as a JSON object.

It holds no state that could be lost. It ends as soon as its driver has: the end of standard input is noticed also in
the middle of a task.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import BinaryIO

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the driver decides

from ..machine.process import configure_process  # noqa: E402

configure_process()

from .failures import described  # noqa: E402
from .messages import read_message, write_message  # noqa: E402
from .tasks import Task, Tasks  # noqa: E402

SECONDS_BETWEEN_STEPS = 0.2  # Least time between two messages about steps


class _Answers:
    """Messages to the driver. Any thread may send them."""

    def __init__(self, stream: BinaryIO):
        self._stream, self._last, self._lock = stream, 0.0, Lock()

    def step(self, gop: int, steps: int, step: int) -> None:
        """Tell about a step, unless another was told just before."""
        with self._lock:
            now = time.monotonic()
            if now - self._last >= SECONDS_BETWEEN_STEPS:
                self._last = now
                write_message(self._stream, {"step": [gop, steps, step]})

    def result(self, data: bytes) -> None:
        """Give the result of a task."""
        with self._lock:
            write_message(self._stream, {}, data)

    def error(self, error: BaseException) -> None:
        """Tell that a task has failed."""
        with self._lock:
            write_message(self._stream, {"error": described(error)})


def _receive(stream: BinaryIO, tasks: SimpleQueue) -> None:
    """Take in messages as they come, and end the process at their end, whatever it is working on."""
    try:
        while message := read_message(stream):
            tasks.put(message)
    finally:
        os._exit(0)


def _private_output() -> BinaryIO:
    """Return a stream to what was standard output, which becomes standard error for all that libraries print."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return stream


def main(name: str, options: str) -> None:
    answers, messages, tasks = _Answers(_private_output()), SimpleQueue(), Tasks(name, json.loads(options))
    Thread(target=_receive, args=(sys.stdin.buffer, messages), daemon=True).start()
    with suppress(BrokenPipeError):  # The driver has ended
        while True:
            content, data = messages.get()
            try:
                answers.result(tasks.run(Task(**content, data=data), answers.step))
            except Exception as error:
                answers.error(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
