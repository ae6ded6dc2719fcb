# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What programs are tried with: a GVC film, the same pictures in FFV1, and ways of running and comparing."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GVC = (sys.executable, "-m", "gvc.cli")
FRAMES, KEYINT, RATE, SIZE = 65, 33, 25, "96x64"
PATIENCE = 180  # Seconds that a program may take
WITHOUT_SCREEN = {"QT_QPA_PLATFORM": "offscreen", "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
PLACE = re.compile(r"^\S*: \[[\d:]+\] .*Check failed: .*?\) ")  # Where in its sources Decord found an error
NOISE = re.compile(r"^\s*$|^\[end of|^\s*(at|in) ")  # Lines at the end of an output that say nothing


class TrialError(Exception):
    """A program did not do what it should; the text says what it did."""


def last_line(text: str) -> str:
    """Return the last line of an output that says something."""
    lines = [line.strip() for line in text.splitlines() if not NOISE.match(line)]
    return PLACE.sub("", lines[-1]) if lines else "it says nothing"


def version_of(package: str) -> str | None:
    """Return the version of a Debian package as its authors number it; None if it is not installed."""
    command = ["dpkg-query", "-W", "-f=${Version} ${Status}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.match(r"(?:\d+:)?([\d.]+)\S* install ok installed$", done.stdout)
    return found and found[1].rstrip(".")


class Kit:
    """Films in a folder, and programs that are run there.

    Attributes:
        folder: folder of all files.
        film: film.mkv, coded by GVC, with keyframes at the pictures 0 and 33.
        lossless: lossless.mkv, the pictures of the film as `gvc decode` gives them, in FFV1.
    """

    def __init__(self, folder: Path):
        self.folder, self.film, self.lossless = folder, folder / "film.mkv", folder / "lossless.mkv"
        source = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}", "-frames:v", str(FRAMES))
        codec = ("-pix_fmt", "yuv420p", "-c:v", "gvc", "-preset", "fast", "-g", str(KEYINT))
        self.run([*GVC, "ffmpeg", "-nostdin", "-y", *source, *codec, self.film])
        self.run([*GVC, "decode", "--overwrite", self.film, folder / "decoded.mkv"])
        # Debian's FFmpeg writes FFV1 in a way that all programs here can read.
        self.run(["ffmpeg", "-nostdin", "-y", "-i", folder / "decoded.mkv", "-c:v", "ffv1", self.lossless])

    def run(self, command: Sequence[object], *, check: bool = True, **variables: str) -> subprocess.CompletedProcess:
        """Run a command in the folder, without a screen. Raises TrialError if it fails or takes too long."""
        environment = os.environ | WITHOUT_SCREEN | {"GVC_SERVE": "0"} | variables
        words = [str(word) for word in command]
        try:
            done = subprocess.run(
                words,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TrialError(f"did not end within {PATIENCE} s") from None
        if check and done.returncode:
            raise TrialError(f"{last_line(done.stderr or done.stdout)} (exit code {done.returncode})")
        return done

    def hashes(self, path: Path, *options: str) -> list[str]:
        """Return the MD5 of each picture of a file, or of each packet with the options `-c copy`."""
        if not path.exists():
            raise TrialError("no file was written")
        done = self.run(
            ["ffmpeg", "-nostdin", "-i", path, "-map", "0:v", "-vsync", "0", *options, "-f", "framemd5", "-"]
        )
        return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def as_user() -> list[str]:
    """Return the command by which root becomes another user, for programs that refuse root."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
