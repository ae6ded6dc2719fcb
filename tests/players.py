# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A player without a screen, controlled by a test."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from programs import Programs
from test_libgvc import children_of

PATIENCE = 120  # seconds after which a test gives up


def poll(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, by polling."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Mpv:
    """An mpv that is paused at its first picture, controlled by its JSON IPC."""

    def __init__(self, programs: Programs, movie: Path, folder: Path, *options: str):
        address = folder / "mpv"
        quiet = ("--no-config", "--really-quiet", "--vo=null", "--ao=null", "--pause", "--keep-open=yes")
        command = [programs.path("mpv"), *quiet, f"--input-ipc-server={address}", *options, str(movie)]
        self.process = subprocess.Popen(command, env=programs.environment)
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(PATIENCE)
        self._connect(address)
        self._messages = self._line.makefile("rw")
        self._events: list[dict] = []
        self._count = 0
        self.wait_for("playback-restart")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._line.close()

    @property
    def engine(self) -> int:
        """Return the process id of mpv's engine."""
        (engine,) = children_of(self.process.pid)
        return engine

    def ask(self, *command: object) -> object:
        """Send a command and return its result."""
        self._count += 1
        self._messages.write(json.dumps({"command": command, "request_id": self._count}) + "\n")
        self._messages.flush()
        while "event" in (message := self._read()) or message["request_id"] != self._count:
            self._events += [message] if "event" in message else []
        assert message["error"] == "success", (command, message)
        return message.get("data")

    def wait_for(self, event: str) -> None:
        """Wait for an event that comes after the last one waited for."""
        while not any(message["event"] == event for message in self._events):
            self._events.append(self._read())
        self._events.clear()

    def step(self, command: str) -> None:
        """Show the next picture, or the one before."""
        before = self.ask("get_property", "time-pos")
        self.ask(command)
        poll(lambda: self.ask("get_property", "time-pos") != before)

    def shot(self, path: Path) -> np.ndarray:
        """Return the shown picture as grey, uint8 [H, W]."""
        self.ask("screenshot-to-file", str(path), "video")
        with av.open(str(path)) as container:
            return next(container.decode(video=0)).to_ndarray(format="gray")

    def do(self, *command: object, until: str = "playback-restart") -> None:
        """Send a command and wait for the event that it causes."""
        self._events.clear()
        self.ask(*command)
        self.wait_for(until)

    def _connect(self, address: Path) -> None:
        def connected() -> bool:
            assert self.process.poll() is None, "mpv is gone"
            with suppress(OSError):
                self._line.connect(os.fspath(address))
                return True
            return False

        poll(connected)

    def _read(self) -> dict:
        line = self._messages.readline()
        assert line, "mpv is gone"
        return json.loads(line)


@dataclass(frozen=True)
class WithLibraries(Programs):
    """The system's own programs, run with the FFmpeg libraries in `prefix`, which have GVC built in."""

    @property
    def name(self) -> str:
        return f"libraries-{self.prefix.name}"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LD_LIBRARY_PATH": str(self.prefix / "lib")}

    def require(self, *programs: str) -> None:
        super().require(*programs)
        if "gvc " not in self.run("mpv", "--vd=help").stdout:
            pytest.skip(f"mpv here needs other versions of FFmpeg's libraries than {self.prefix} has")
