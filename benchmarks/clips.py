# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Source clips: the first pictures of a video in a lossless file, which is the input of all codecs."""

import hashlib
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from benchmarks.programs import FFMPEG, ProgramError


@dataclass(frozen=True)
class Clip:
    """A source clip. sha256: hash of its decoded samples, which identifies the pictures and not the file."""

    name: str
    path: Path
    width: int
    height: int
    frames: int
    rate: Fraction
    sha256: str

    @property
    def pixels(self) -> int:
        """Return the number of pixels in all pictures."""
        return self.width * self.height * self.frames

    @property
    def seconds(self) -> float:
        """Return the duration of the clip."""
        return float(self.frames / self.rate)

    def facts(self) -> dict:
        """Return the entry for this clip in a run's JSON."""
        return {
            "name": self.name,
            "file": self.path.name,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "rate": str(self.rate),
            "sha256_of_samples": self.sha256,
        }


def prepare(source: Path, frames: int, folder: Path) -> Clip:
    """Cut the first pictures of a video into a lossless file, 8-bit 4:2:0. Raises ProgramError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{source.stem}_{frames}.mkv"
    if not path.exists():
        partial = path.with_suffix(".partial.mkv")
        given = [FFMPEG, "-v", "error", "-y", "-i", str(source), "-an", "-sn", "-frames:v", str(frames)]
        stored = ["-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-c:v", "ffv1", str(partial)]
        done = subprocess.run([*given, *stored], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProgramError(f"{source} cannot be read: {done.stderr.strip()}")
        partial.replace(path)
    digest, count = hashlib.sha256(), 0
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        rate = track.average_rate
        for frame in container.decode(track):
            digest.update(frame.to_ndarray(format="yuv420p").tobytes())
            count += 1
    return Clip(source.stem, path, frame.width, frame.height, count, rate, digest.hexdigest())
