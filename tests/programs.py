# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""FFmpeg's programs with GVC, by each route that this machine has, and shorthands for running them."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gvc import plugin

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, FRAMES, RATE = 96, 64, 36, 25
TICKS = 1000 // RATE  # duration of a frame in milliseconds, Matroska's unit
ENCODE = ("-c:v", "gvc", "-gop", "9", "-g", "18", "-preset", "fast")


def source(size: str = f"{WIDTH}x{HEIGHT}", frames: int = FRAMES) -> tuple[str, ...]:
    """Return arguments for an input of moving shapes. Odd sizes are cropped from even ones."""
    graph = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE},scale={size.replace('x', ':')}"
    return "-f", "lavfi", "-i", graph, "-frames:v", str(frames), "-pix_fmt", "yuv420p"


@dataclass(frozen=True)
class Programs:
    """FFmpeg's programs. prefix: folder of an FFmpeg with GVC built in; None = the system's with the plugin."""

    prefix: Path | None = None

    @property
    def name(self) -> str:
        return f"built-{self.prefix.name}" if self.prefix else "plugin"

    @property
    def environment(self) -> dict[str, str]:
        if self.prefix is None:
            return plugin.environment()
        return {**os.environ, "PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}"}

    def path(self, program: str) -> str | None:
        """Return the path of a program; None if it is missing."""
        return shutil.which(program, path=self.environment["PATH"])

    def require(self, *programs: str) -> None:
        """Skip the test if a program is not installed or has an FFmpeg that the plugin does not know."""
        for program in programs:
            if self.path(program) is None:
                pytest.skip(f"{program} is not installed (apt-get install {'mpv' if program == 'mpv' else 'ffmpeg'})")
            report = self.run(program, "-version", variables={"GVC_DEBUG": "1"}).stderr
            if self.prefix is None and "serves gvc" not in report:
                reason = report.strip() or "statically linked"
                pytest.skip(f"{program} here is no FFmpeg that the plugin knows: {reason}")

    def run(self, program: str, *args, variables=None, check: bool = True, text: bool = True):
        command = [self.path(program), *map(str, args)]
        environment = {**self.environment, **(variables or {})}
        done = subprocess.run(command, env=environment, capture_output=True, text=text, timeout=240, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done

    def ffmpeg(self, *args, **keywords):
        return self.run("ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-y", *args, **keywords)

    def probe(self, path: Path, *args, **keywords) -> dict:
        return json.loads(self.run("ffprobe", "-v", "error", "-of", "json", *args, path, **keywords).stdout)

    def packets(self, path: Path) -> list[dict]:
        return self.probe(path, "-show_packets", "-select_streams", "v")["packets"]

    def hashes(self, path: Path, *output: str, before_input=(), **keywords) -> list[str]:
        """Return the MD5 of each decoded frame, or of each packet with the output options `-c copy`."""
        arguments = (*before_input, "-i", path, "-map", "0:v", "-fps_mode", "passthrough", *output)
        return hashes_in(self.ffmpeg(*arguments, "-f", "framemd5", "-", **keywords).stdout)


def hashes_in(framemd5: str) -> list[str]:
    """Return the MD5s in a framemd5 file."""
    return [line.split(",")[-1].strip() for line in framemd5.splitlines() if not line.startswith("#")]


STOCK = Programs()


def built() -> Iterator[Programs]:
    """Yield FFmpegs with GVC built in: the newest from `make ffmpeg`, or those in GVC_FFMPEG_PREFIX (a:b:c)."""
    given = os.environ.get("GVC_FFMPEG_PREFIX")
    made = sorted(path.parent.parent for path in (ROOT / "build" / "ffmpeg").glob("*/bin/ffmpeg"))
    for prefix in map(Path, given.split(":")) if given else made[-1:]:
        yield Programs(prefix.resolve())
