# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How much faster keyframes alone are decoded than all pictures.

    python -m benchmarks.keyframes [CLIP] [--chains 20] [--prior gp]

The clip is coded once, and the film has its chains again and again. Both ways are measured in this process, and with
FFmpeg and the plugin, where the start of program and engine counts too. Ends with 1 if the first ratio is below 20.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gvc_container.file import FileReader
from gvc_container.mux import Muxer
from gvc_container.source import VideoSource

from benchmarks.machine import ROOT
from gvc import plugin
from gvc.encoder import Encoder

CLIP = ROOT / "assets" / "city_416x240.mp4"
LEAST = 20  # ratio that is expected at least


def write_film(clip: Path, prior: str, times: int, target: Path) -> None:
    """Write a film that has the coded pictures of a clip several times."""
    with VideoSource(str(clip)) as source:
        encoder = Encoder(source.format, {"prior": prior, "preset": "fast"})
        packets = [packet for picture in [*source.pictures(), None] for packet in encoder.encode(picture)]
    length = packets[-1].pts + packets[-1].duration - packets[0].pts
    with Muxer(target, encoder.extradata, source.format) as muxer:
        for number in range(times):
            for packet in packets:
                muxer.write(replace(packet, pts=packet.pts + number * length))


def by_python(film: Path, **options: int) -> int:
    """Decode a film in this process; return the number of pictures."""
    with FileReader(film, **options) as reader:
        return sum(1 for _ in reader)


def by_ffmpeg(film: Path, *options: str) -> int:
    """Decode a film by FFmpeg with the plugin; return the number of frames."""
    command = ["ffmpeg", "-nostdin", "-v", "error", *options, "-i", str(film), "-fps_mode", "passthrough"]
    done = subprocess.run(
        [*command, "-f", "framecrc", "-"], env=plugin.environment(), capture_output=True, text=True, check=True
    )
    return sum(not line.startswith("#") for line in done.stdout.splitlines())


def measure(work: Callable[[], int]) -> tuple[int, float, float]:
    """Return (pictures, seconds, processor seconds of this process and its children)."""
    before, started = os.times(), time.perf_counter()
    count = work()
    seconds, after = time.perf_counter() - started, os.times()
    return count, seconds, sum(after[:4]) - sum(before[:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--chains", type=int, default=20, help="how often the film has the clip")
    parser.add_argument("--prior", default="gp")
    arguments = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mkv")
        write_film(arguments.clip, arguments.prior, arguments.chains, film)
        by_python(film, keyframes=1)  # Loads everything
        for name, decode, alone in (
            ("in one process", lambda: by_python(film), lambda: by_python(film, keyframes=1)),
            ("by FFmpeg", lambda: by_ffmpeg(film), lambda: by_ffmpeg(film, "-skip_frame", "nokey")),
        ):
            every, keys = measure(decode), measure(alone)
            for what, (count, seconds, processor) in (("all", every), ("keyframes", keys)):
                print(f"{name}, {what}: {count} pictures, {seconds:.2f} s, {processor:.2f} s processor")
            ratios.append(every[2] / keys[2])
            print(
                f"{name}: {ratios[-1]:.0f} times as fast by processor time, {every[1] / keys[1]:.0f} times by the clock"
            )
    sys.exit(ratios[0] < LEAST)


if __name__ == "__main__":
    main()
