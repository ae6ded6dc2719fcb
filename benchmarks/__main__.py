# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`make bench` and `make bench-full`: measure, and write results.json and report.html."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks import clips as sources
from benchmarks.codecs import CODECS
from benchmarks.jobs import Plan, cells
from benchmarks.machine import ROOT, command_line, describe
from benchmarks.parts import PARTS, Request
from benchmarks.programs import ProgramError
from benchmarks.report import write_report
from benchmarks.summary import WINDOW
from benchmarks.versions import commands
from benchmarks.workers import measure_all
from gvc.metrics import METRICS

OWN_CLIP = ROOT / "assets" / "city_416x240.mp4"
# VGG16 takes a second for each picture of 416x240 on two cores, so only full runs use it.
QUICK_METRICS = tuple(name for name in METRICS if name not in ("lpips_vgg", "dists"))
QUICK_FRAMES, FULL_FRAMES = 65, 97
EVERY = {False: 5, True: 11}  # Neither has a common factor with a GOP's 32 pictures.


def main() -> None:
    arguments = _arguments()
    full, folder, parts = arguments.full, arguments.output, arguments.parts
    metrics = tuple(arguments.metrics or (METRICS if full else QUICK_METRICS))
    plan = Plan(full, metrics, EVERY[full], arguments.jobs)
    frames = arguments.frames or (FULL_FRAMES if full else QUICK_FRAMES)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    started, about = time.time(), describe()
    try:
        if arguments.against:
            commands(arguments.against)  # Tells at once if it cannot be used
        clips = [sources.prepare(path, frames, folder / "clips") for path in arguments.clips]
        rows = measure_all(list(cells(clips, arguments.codecs, plan)), plan, folder / "cells") if "rd" in parts else []
        asked = Request(clips, full, folder / "cells", arguments.runs, arguments.against)
        others = {name: PARTS[name](asked) for name in parts if name in PARTS}
    except ProgramError as error:
        sys.exit(f"benchmarks: {error}")
    result = {
        "schema": 1,
        "kind": "full" if full else "quick",
        "command": command_line(),
        "started": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(started)),
        "seconds": round(time.time() - started),
        **about,
        "every": plan.every,
        "window": arguments.window,
        "clips": [clip.facts() for clip in clips],
        "rows": rows,
        **others,
    }
    (folder / "results.json").write_text(json.dumps(result, indent=1))
    write_report(result, folder / "report.html", {clip.name: clip.path for clip in clips})
    print(f"{folder / 'results.json'}, {folder / 'report.html'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path, default=[OWN_CLIP], help="videos; or else the sample clip")
    parser.add_argument("--full", action="store_true", help="all levels and metrics")
    parser.add_argument("--frames", type=int, help=f"of each clip: {QUICK_FRAMES}, or {FULL_FRAMES} with --full")
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=list(CODECS), metavar="CODEC")
    parser.add_argument("--parts", nargs="+", choices=("rd", *PARTS), default=["rd", *PARTS], help="or else all")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, metavar="METRIC", help="or else all that fit the run")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time; their seconds are then worth little")
    parser.add_argument(
        "--window",
        nargs=2,
        type=float,
        default=WINDOW,
        metavar="BPP",
        help="rates to restrict BD-rates to as well",
    )
    parser.add_argument(
        "--against", type=Path, metavar="WORKTREE", help="another checkout, set up; the part speed compares with it"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs whose medians are taken where versions are compared")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", help="folder; cells in it are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
