# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs as new processes, and measures their time and memory."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from benchmarks.bridge import Memory

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
GVC = (sys.executable, "-m", "gvc.cli")
SHORT = {FFMPEG: "ffmpeg", sys.executable: "python"}


class ProgramError(Exception):
    """A program failed; the text has the end of its output."""


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, processor seconds, and the sampled peak memory of a process and its children in bytes."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run(command: Sequence[str], log: Path) -> Cost:
    """Run a command to its end; its output goes to `log`. Raises ProgramError."""
    # A running engine would do work outside the measured process.
    environment = {**os.environ, "GVC_SERVE": "0"}
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        # The kernel's own peak is not used, because it includes the memory of the process that started this one.
        memory = Memory(process.pid)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            seconds, peak = time.monotonic() - started, memory.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ProgramError(f"{readable(command)} failed with {process.returncode}: {' / '.join(said)}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak)


def readable(command: Sequence[str]) -> str:
    """Return a command as one would type it in a shell."""
    return shlex.join(SHORT.get(word, word) for word in command).replace("python -m gvc.cli", "gvc")
