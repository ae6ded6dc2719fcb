# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What coding by several workers costs: `python -m benchmarks.fleet CLIP... -o FOLDER`.

The clips are joined to one film, which is coded without workers, by one worker, by two, and by two on Ray after its
start, all with one thread and as `gvc encode` does it, in turns; the shortest of several runs counts. The plan and the
joining are measured apart: they run beside the workers, and so cost time only where all processors are busy. Times of
the chains then go into a simulation of many workers (benchmarks/schedule.py). results.json and fleet.md are written.
Fourteen clips of 65 pictures of 416x240 take some seven minutes on an idle machine with two processors.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gvc_container.mux import Muxer
from gvc_container.source import VideoSource

from benchmarks.machine import describe
from benchmarks.programs import FFMPEG
from benchmarks.schedule import chains_of, simulated, table, wall
from gvc.cli.encode import encode
from gvc.cli.encode_chains import Fleet, encode_chains
from gvc.cli.report import Report
from gvc.cli.workers import WorkerChoice
from gvc.fleet.cluster import LOCAL, connected
from gvc.fleet.folder import JobFolder
from gvc.fleet.join import joined
from gvc.fleet.plan import planned
from gvc.fleet.reading import DECODER_THREADS
from gvc.machine.process import configure_process
from gvc.options import ENCODER_OPTIONS, parse_options
from gvc.plan.settings import Settings

NONE, ONE, TWO, RAY = "no workers", "one worker", "two workers", "two workers, Ray"
CHOICES = {NONE: WorkerChoice(), ONE: WorkerChoice(1), TWO: WorkerChoice(2), RAY: WorkerChoice(2, cluster=LOCAL)}
HOW = ("overwrite", "audio", "verify")
TARGETS = {"efficiency": 0.9, "plan_and_join": 0.01, "ray": 0.03}


def film_of(clips: Sequence[Path], path: Path) -> Path:
    """Join clips of one size to a film in H.264 of good quality."""
    inputs = [word for clip in clips for word in ("-i", str(clip))]
    square = ";".join(f"[{number}:v]setsar=1,settb=1/1000[v{number}]" for number in range(len(clips)))
    names = "".join(f"[v{number}]" for number in range(len(clips)))
    graph = f"{square};{names}concat=n={len(clips)}"
    coding = ("-fps_mode", "passthrough", "-c:v", "libx264", "-crf", "20", "-an")
    subprocess.run([FFMPEG, "-v", "error", *inputs, "-filter_complex", graph, *coding, str(path)], check=True)
    return path


def seconds_of(film: Path, jobs: Path, choice: WorkerChoice, options: dict[str, object]) -> float:
    """Return the seconds that coding a film takes; the folder of jobs is kept."""
    started = time.monotonic()
    words, how = (str(film), jobs.with_suffix(".mkv"), options, Report(quiet=True)), dict.fromkeys(HOW, False)
    if choice:
        encode_chains(*words, Fleet(choice, jobs, keep=True), **how)
    else:
        encode(*words, **how)
    return time.monotonic() - started


def plan_seconds(film: Path, options: dict[str, object]) -> tuple[float, int]:
    """Return the seconds that the plan of a film takes, and the number of its pictures."""
    started = time.monotonic()
    with VideoSource(str(film), threads=DECODER_THREADS) as video:
        splitter = Settings.of(parse_options(ENCODER_OPTIONS, options), video.format).splitter()
        pictures = sum(chain.count for chain in planned(video.pictures(), splitter, video.format))
    return time.monotonic() - started, pictures


def join_seconds(film: Path, jobs: Path) -> float:
    """Return the seconds that writing the file takes once all chains are done."""
    with VideoSource(str(film)) as video, JobFolder(jobs, create=False) as folder:
        started = time.monotonic()
        plan = folder.read_plan()
        with Muxer(jobs.with_suffix(".joined.mkv"), bytes.fromhex(plan.identity.header), video.format) as muxer:
            for packets in joined(folder, plan):
                for packet in packets:
                    muxer.write(packet)
        return time.monotonic() - started


def measured(clips: Sequence[Path], keyint: int, runs: int, scratch: Path) -> dict[str, object]:
    """Return all figures, as JSON has them."""
    options = {"threads": 1, "keyint": keyint}
    film, seconds = film_of(clips, scratch / "film.mp4"), {name: [] for name in CHOICES}
    with connected(LOCAL, 2):
        for run in range(runs):
            for number, (name, choice) in enumerate(CHOICES.items()):
                seconds[name].append(seconds_of(film, scratch / f"{run}-{number}", choice, options))
    jobs = scratch / f"0-{[*CHOICES].index(ONE)}"  # Of one worker, which nobody has disturbed
    planning, pictures = plan_seconds(film, options)
    joining, chains = join_seconds(film, jobs), chains_of(jobs)
    best = {name: min(times) for name, times in seconds.items()}
    return {
        "pictures": pictures,
        "keyint": keyint,
        "seconds": seconds,
        "plan_seconds": planning,
        "join_seconds": joining,
        "one_against_none": best[ONE] / best[NONE] - 1,
        "efficiency": best[ONE] / (2 * best[TWO]),
        "possible_efficiency": wall(chains, 1) / (2 * wall(chains, 2)),
        "plan_and_join": (planning + joining) / best[NONE],
        "ray": best[RAY] / best[TWO] - 1,
        "schedule": simulated(chains, planning / pictures),
    }


def page(found: dict[str, object]) -> str:
    """Return the figures as Markdown."""
    best, schedule = {name: min(times) for name, times in found["seconds"].items()}, found["schedule"]
    film = f"{found['pictures']} pictures, {len(schedule['chains'])} chains"
    aims = {name: _per_cent(aim) for name, aim in TARGETS.items()}
    return "\n".join(
        [
            f"| {film} | | aim |",
            "|---|---:|---:|",
            *(f"| {name} | {seconds:.1f} s | |" for name, seconds in best.items()),
            f"| efficiency of two workers | {found['efficiency']:.3f} | at least {TARGETS['efficiency']} |",
            f"| most that these chains permit | {found['possible_efficiency']:.3f} | |",
            f"| one worker against none | {_per_cent(found['one_against_none'])} | |",
            f"| plan and joining, apart | {_per_cent(found['plan_and_join'])} | at most {aims['plan_and_join']} |",
            f"| Ray after its start | {_per_cent(found['ray'])} | at most {aims['ray']} |",
            "",
            f"A film of 90 minutes with such chains ({schedule['film_chains']}), simulated:",
            "",
            table(schedule),
            "",
        ]
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:.2f} %"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path, help="videos of one size")
    parser.add_argument("-o", "--output", type=Path, default=Path("fleet"), help="folder of the results")
    parser.add_argument("--keyint", type=int, default=33, help="largest number of pictures in a chain")
    parser.add_argument("--runs", type=int, default=2, help="runs of each kind; the shortest counts")
    arguments = parser.parse_args()
    about = describe()
    with tempfile.TemporaryDirectory(prefix="gvc-fleet-") as scratch:
        found = measured(arguments.clips, arguments.keyint, arguments.runs, Path(scratch))
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(about | found, indent=1))
    (arguments.output / "fleet.md").write_text(page(found))
    print(page(found))


if __name__ == "__main__":
    configure_process()
    main()
