# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs as new processes, and measures their time and memory."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
GVC = (sys.executable, "-m", "gvc.cli")
SHORT = {FFMPEG: "ffmpeg", sys.executable: "python"}


class ProgramError(Exception):
    """A program failed; the text has the end of its output."""


# A small Python starts the program, because the kernel counts the memory of the process that starts one as well.
LAUNCHER = """
import json, os, sys, time
started = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - started
with open(sys.argv[1], "w") as file:
    json.dump([seconds, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss, status], file)
"""


@dataclass(frozen=True)
class Cost:
    """What a process and its children took.

    seconds: wall-clock time.
    processor_seconds: processor time.
    peak_bytes: peak of the resident memory of the largest process.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run(command: Sequence[str], log: Path) -> Cost:
    """Run a command to its end; its output goes to `log`. Raises ProgramError."""
    # A running engine would do work outside the measured process; a path could mix up two versions.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"GVC_SERVE": "0"}
    with log.open("wb") as output, tempfile.NamedTemporaryFile("r", prefix="gvc-cost-") as cost:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, cost.name, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        try:
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        found = cost.read()
    *figures, status = json.loads(found) if found else (0, 0, 0, 1 << 8)  # Nothing: it could not be started
    if status:
        said = log.read_text(errors="replace").strip().splitlines()[-3:]
        code = os.waitstatus_to_exitcode(status)
        raise ProgramError(f"{readable(command)} failed with {code}: {' / '.join(said)}")
    return Cost(*figures)


def readable(command: Sequence[str]) -> str:
    """Return a command as one would type it in a shell."""
    return shlex.join(SHORT.get(word, word) for word in command).replace("python -m gvc.cli", "gvc")
