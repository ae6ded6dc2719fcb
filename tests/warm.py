# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A warm engine in a process of its own, and helpers for tests of it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from libgvc import Encoder
from test_libgvc import HEIGHT, OPTIONS, WIDTH, children, new_children

from gvc.engine.address import NAME


class Server:
    """A `gvc serve` in a process of its own, and its log."""

    def __init__(self, runtime: Path, *flags: object, **variables: str):
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.folder = runtime / "gvc"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gvc.cli", "serve", *map(str, flags)],
            env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.wait_for("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    @property
    def socket(self) -> Path:
        return self.folder / f"{NAME}.sock"

    def wait_for(self, text: str) -> str:
        """Read the log up to a line with this text."""
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"the server ended without saying {text!r}: {''.join(self.lines)}")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self) -> str:
        """Wait until the server ends; return the rest of its log."""
        rest = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, rest
        return rest


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a new folder in which clients look for a server, for a server of this test alone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("GVC_SERVE", raising=False)
    return tmp_path / "runtime"


def served() -> bool:
    """Return whether a client in this process gets a warm engine, and does not start an engine itself."""
    before = children()
    with Encoder(WIDTH, HEIGHT, options=OPTIONS) as encoder:
        assert encoder.extradata
        return not new_children(before)


def call(path: Path) -> socket.socket:
    """Connect to a server without libgvc and return the socket."""
    line = socket.socket(socket.AF_UNIX)
    folder = os.open(path.parent, os.O_PATH)
    # The indirection keeps long paths within the size of an address.
    line.connect(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)
    return line
