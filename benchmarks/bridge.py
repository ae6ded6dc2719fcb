# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The cost of going through FFmpeg: one job by the Python API, by FFmpeg with the plugin, by FFmpeg built with GVC.

    python benchmarks/bridge.py CLIP [--frames 97] [--runs 5] [--ffmpeg PREFIX]

Encoding reads raw pictures from a file; decoding discards the pictures. Each run is a new process. Measured are
wall-clock time, processor time of all processes of the job, and their joint peak memory (proportional set size, so
that shared memory counts once, sampled every 20 ms). The results are medians of runs that alternate between the three.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import av

from gvc import plugin
from gvc.machine.process import variable

ENCODE = """
import sys
from fractions import Fraction
from gvc.machine.process import configure_process
configure_process()
import numpy as np
from gvc.encoder import Encoder
from gvc.media import Picture, VideoFormat
from gvc_container.mux import Muxer

source, target, width, height, rate = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
video = VideoFormat(width, height, Fraction(rate), Fraction(1, rate), color_range=1)
encoder = Encoder(video)
with Muxer(target, encoder.extradata, video) as muxer, open(source, "rb") as raw:
    index, ended = 0, False
    while not ended:
        planes = [np.fromfile(raw, np.uint8, h * w) for h, w in video.plane_shapes]
        ended = planes[-1].size == 0
        shaped = None if ended else tuple(p.reshape(s) for p, s in zip(planes, video.plane_shapes))
        for packet in encoder.encode(None if ended else Picture(shaped, index, 1)):
            muxer.write(packet)
        index += 1
"""
DECODE = """
import sys
from gvc.machine.process import configure_process
configure_process()  # as the engine does
from gvc_container.file import FileReader

with FileReader(sys.argv[1]) as film:
    for picture in film:
        pass
"""


def write_raw(clip: str, target: Path, frames: int) -> tuple[int, int]:
    """Write the first frames of a clip as raw yuv420p; return (width, height)."""
    with av.open(clip) as film, target.open("wb") as raw:
        for index, frame in enumerate(film.decode(video=0)):
            if index < frames:
                raw.write(frame.to_ndarray(format="yuv420p").tobytes())
        return frame.width, frame.height


class Memory(threading.Thread):
    """A thread that samples the memory of a process and its descendants."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._pid, self.peak, self._done = pid, 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, sum(map(self._pss, self._family())))

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self.peak

    def _family(self) -> list[int]:
        family = [self._pid]
        for pid in family:
            try:
                for path in Path(f"/proc/{pid}/task").glob("*/children"):
                    family += map(int, path.read_text().split())
            except OSError:  # The process or one of its threads has just ended.
                continue
        return family

    @staticmethod
    def _pss(pid: int) -> int:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0
        return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Run a command; return (wall-clock seconds, processor seconds, peak memory in MiB)."""
    before, started = os.times(), time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    memory = Memory(process.pid)
    try:
        # FFmpeg waits for its engine to end, so the system adds the engine's processor time to FFmpeg's.
        if process.wait():
            sys.exit(f"{command[0]} failed")
        seconds, after = time.perf_counter() - started, os.times()
    finally:
        process.kill()  # This has no effect if the process has ended.
        peak = memory.stop()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used, peak / 2**20


def jobs(folder: Path, size: tuple[int, int], rate: int, prefix: Path | None) -> dict[str, dict[str, tuple]]:
    """Return the command and environment of each job, for each of the three ways."""
    raw, plain, plugged = folder / "in.yuv", dict(os.environ), plugin.environment()
    given = ["-f", "rawvideo", "-video_size", f"{size[0]}x{size[1]}", "-framerate", str(rate), "-i", str(raw)]
    quiet = ["-nostdin", "-v", "error", "-y"]
    programs = {"plugin": ("ffmpeg", plugged)}
    if prefix:
        programs["built in"] = (str(prefix / "bin" / "ffmpeg"), plain)

    def python(script: str, *args: object) -> tuple:
        return [sys.executable, "-c", script, *map(str, args)], plain

    encode = {"Python": python(ENCODE, raw, folder / "Python.mkv", *size, rate)}
    decode = {"Python": python(DECODE, folder / "Python.mkv")}
    for name, (program, environment) in programs.items():
        target = str(folder / f"{name}.mkv")
        encode[name] = [program, *quiet, *given, "-c:v", "gvc", "-color_range", "tv", target], environment
        decode[name] = [program, *quiet, "-i", str(folder / "Python.mkv"), "-f", "null", "-"], environment
    return {"encode": encode, "decode": decode}


def compare(clip: str, frames: int, runs: int, prefix: Path | None = None) -> dict[str, dict[str, tuple]]:
    """Return the medians of (seconds, processor seconds, peak memory in MiB) of each job for each way.

    prefix: installation of an FFmpeg with GVC inside. Default: none, so that two ways are compared.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder, variable("GVC_SERVE", "0"):
        size = write_raw(clip, Path(folder) / "in.yuv", frames)
        for job, ways in jobs(Path(folder), size, 25, prefix).items():
            results = {name: [] for name in ways}
            for _ in range(runs):
                for name, (command, environment) in ways.items():
                    results[name].append(measure(command, environment))
            found[job] = {
                name: tuple(statistics.median(column) for column in zip(*rows, strict=True))
                for name, rows in results.items()
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=97)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ffmpeg", type=Path, help="prefix of an FFmpeg with GVC inside")
    arguments = parser.parse_args()
    for job, ways in compare(arguments.clip, arguments.frames, arguments.runs, arguments.ffmpeg).items():
        for name, figures in ways.items():
            pairs = zip(figures, ways["Python"], strict=True)
            seconds, processor, memory = (f"{a:7.2f} ({a / b - 1:+.0%})" for a, b in pairs)
            print(f"{job:7} {name:9} {seconds} s {processor} s processor {memory} MiB")


if __name__ == "__main__":
    main()
