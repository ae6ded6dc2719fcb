# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""VMAF (Netflix), by the ffmpeg of the package imageio-ffmpeg.

Model v0.6.1 rewards sharpening, and its variant v0.6.1neg does not. The newer v1 does not either; it looks at banding
as well, at chroma from 320 pixels a side on, and asks for 10 bits.
"""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .errors import MetricError, needed
from .frames import Frames

DEPTH = "yuv420p10le"  # What models see. To the older ones 8 bits would be the same.
LOG, MESSAGES = "vmaf.json", "messages.txt"


class Vmaf:
    """Gives ffmpeg both pictures in one, one above the other, so that no timestamp can pair the wrong ones.

    The messages of ffmpeg go to a file. A pipe is not read while pictures are written, and would stop ffmpeg once full.
    """

    def __init__(self, model: str, width: int, height: int):
        program = needed("imageio_ffmpeg").get_ffmpeg_exe()
        self._folder = TemporaryDirectory(prefix="gvc-vmaf-")
        self._odd_rows = height % 2  # Both begin at even rows, where chroma does.
        second = height + self._odd_rows
        crop = f"exact=1:out_w={width}:out_h={height}:x=0"
        halves = f"format={DEPTH},split[a][b];[a]crop={crop}:y=0[source];[b]crop={crop}:y={second}[shown]"
        graph = f"{halves};[shown][source]libvmaf=model=version={model}:log_fmt=json:log_path={LOG}"
        given = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{2 * second}", "-i", "-"]
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
            for picture in range(len(source)):
                lumas = (np.pad(frames.luma[picture], ((0, self._odd_rows), (0, 0))) for frames in (source, decoded))
                chroma = np.concatenate([source.chroma[picture], decoded.chroma[picture]], axis=1)
                for plane in (*lumas, *chroma):
                    self._process.stdin.write(plane.tobytes())

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
