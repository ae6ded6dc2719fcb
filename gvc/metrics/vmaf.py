# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""VMAF (Netflix, model vmaf_v0.6.1), by the ffmpeg of the package imageio-ffmpeg."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .errors import MetricError, needed
from .frames import Frames

NEUTRAL = 128  # Value of both chroma planes, which the model does not look at.
LOG, MESSAGES = "vmaf.json", "messages.txt"


class Vmaf:
    """Gives ffmpeg both luma planes in one picture, one above the other, so that no timestamp can pair the wrong ones.

    The messages of ffmpeg go to a file. A pipe is not read while pictures are written, and would stop ffmpeg once full.
    """

    def __init__(self, width: int, height: int):
        program = needed("imageio_ffmpeg").get_ffmpeg_exe()
        self._folder = TemporaryDirectory(prefix="gvc-vmaf-")
        size = f"crop={width}:{height}:0"
        halves = f"split[a][b];[a]{size}:0[source];[b]{size}:{height}[shown]"
        graph = f"{halves};[shown][source]libvmaf=log_fmt=json:log_path={LOG}"
        given = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-video_size", f"{width}x{2 * height}", "-i", "-"]
        command = [program, "-v", "error", *given, "-lavfi", graph, "-f", "null", "-"]
        # ffmpeg runs in the folder of the log, since a path in a filter graph could hold characters of its syntax.
        try:
            with Path(self._folder.name, MESSAGES).open("wb") as messages:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=messages, cwd=self._folder.name)
        except OSError as error:
            self._folder.cleanup()
            raise MetricError(f"{program} does not run ({error.strerror}); install imageio-ffmpeg again") from None

    def add(self, source: Frames, decoded: Frames) -> None:
        with suppress(BrokenPipeError):  # ffmpeg has ended; finish() reports the reason.
            for picture, shown in zip(source.luma, decoded.luma, strict=True):
                luma = np.concatenate([picture, shown])
                self._process.stdin.write(luma.tobytes())
                self._process.stdin.write(np.full((2, *luma.shape), NEUTRAL, np.uint8).tobytes())

    def finish(self) -> list[float | None]:
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        folder = Path(self._folder.name)
        try:
            log = json.loads((folder / LOG).read_text())
            return [frame["metrics"]["vmaf"] for frame in log["frames"]]
        except (OSError, ValueError, KeyError):
            reason = (folder / MESSAGES).read_text(errors="replace").strip().splitlines() or ["no result"]
            raise MetricError(f"ffmpeg's libvmaf failed: {reason[-1]}") from None

    def close(self) -> None:
        self._process.kill()  # Has no effect once it has ended.
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()
