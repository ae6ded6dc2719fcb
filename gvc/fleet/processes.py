# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Workers that are processes on this machine."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import BinaryIO

from ..machine.parallel import PROCESSORS
from ..machine.process import abrupt_end
from .failures import TaskError, WorkerLostError, rebuilt
from .messages import read_message, write_message
from .tasks import OnStep, Task, no_step

LONGEST_LINE = 500  # Largest number of bytes of a line of standard error that is kept to tell why a process has ended
SECONDS_TO_END = 1.0  # Time for a process whose pipe has ended


class ProcessWorker:
    """A worker process, which is started when it is needed, and again after it was lost.

    name: name for people, such as "worker 2".
    options: options that the worker decides itself (device, threads).
    """

    def __init__(self, name: str, options: Mapping[str, object]):
        self.name, self.options = name, dict(options)
        self._process: subprocess.Popen | None = None
        self._listener: Thread | None = None
        self._closed, self._lock = False, Lock()
        self._said: deque[bytes] = deque(maxlen=1)  # Last line of standard error

    def run(self, task: Task, on_step: OnStep = no_step) -> bytes:
        """Let the process do a task and return its result.

        Raises WorkerLostError if the process ends, or the error of the task (gvc.fleet.failures). After an error that
        GVC has no class for, libraries may be in any state, so another process does the next task.
        """
        process = self._started()
        answer = self._answer(process, task, on_step)
        if answer is None:
            raise WorkerLostError(f"{self.name} was lost: {self._end(process)}")
        content, data = answer
        if "error" not in content:
            return data
        error = rebuilt(content["error"])
        if isinstance(error, TaskError):
            process.kill()
            self._end(process)
        raise error

    def _answer(self, process: subprocess.Popen, task: Task, on_step: OnStep) -> tuple[dict, bytes] | None:
        """Return the process's answer to a task; None if it gives none."""
        try:
            content = {name: value for name, value in vars(task).items() if name != "data"}
            write_message(process.stdin, content, task.data)
            while (message := read_message(process.stdout)) and "step" in message[0]:
                on_step(*message[0]["step"])
        except (OSError, ValueError):  # A pipe without a reader, a stream that was closed, bytes that are no message
            return None
        return message

    def _started(self) -> subprocess.Popen:
        """Return the running process, started anew if there is none. Raises WorkerLostError after `close`, OSError."""
        with self._lock:
            if self._closed:
                raise WorkerLostError(f"{self.name} was closed")
            if self._process is None:
                command = [sys.executable, "-m", f"{__package__}.worker", self.name, json.dumps(self.options)]
                pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
                self._process = subprocess.Popen(command, **pipes)
                self._listener = Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
                self._listener.start()
            return self._process

    def _listen(self, stream: BinaryIO) -> None:
        """Keep the last line of standard error."""
        with suppress(ValueError), stream:  # The stream may be closed meanwhile
            while line := stream.readline(LONGEST_LINE):
                self._said.append(line)

    def _end(self, process: subprocess.Popen) -> str:
        """Wait for the end of a process that has ended or will at once; return a clause that tells how it was."""
        try:
            code = process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._listener.join(SECONDS_TO_END)  # Processes that this one has started may keep the pipe open
        with self._lock, suppress(OSError):
            self._process = None
            for stream in (process.stdin, process.stdout):
                stream.close()
        last = b"".join([*self._said][-1:]).decode(errors="replace").strip()
        self._said.clear()
        return abrupt_end(code) or last or f"its process ended with exit code {code}"

    def close(self) -> None:
        """End the process at once, whatever it does; any thread may call this. It is not started again."""
        with self._lock:
            self._closed = True
            if self._process:
                self._process.kill()
                self._process.wait()


def spread(device: str, count: int) -> list[str]:
    """Return all devices of a kind, such as cuda:0 and cuda:1 for "cuda", if several workers should share them.

    The list is empty for the CPU, for a certain device, and where there are not several.
    """
    if count < 2 or device == "cpu" or ":" in device:
        return []
    try:
        import torch

        found = torch.get_device_module(device).device_count()
    except (ImportError, RuntimeError):  # The workers will say what is wrong
        return []
    return [f"{device}:{i}" for i in range(found)] if found > 1 else []


def local_workers(count: int = 0, devices: Sequence[str] = (), threads: int = 0) -> list[ProcessWorker]:
    """Return workers on this machine, which start with their first tasks.

    count: number of workers. Default: 0, one for each device, one in all without devices.
    devices: torch devices that the workers use in turns. Default: that of the task's options.
    threads: largest number of threads of each worker. Default: 0, its share of the processors.
    """
    count = count or max(1, len(devices))
    threads = threads or max(1, PROCESSORS // count)
    workers = []
    for i in range(count):
        device = devices[i % len(devices)] if devices else ""
        name = f"worker {i + 1}" + (f" ({device})" if device else "")
        workers.append(ProcessWorker(name, {"threads": threads} | ({"device": device} if device else {})))
    return workers
