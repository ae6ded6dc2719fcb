# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`make bench` and `make bench-full`: measure, and write results.json and report.html."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks import clips as sources
from benchmarks.codecs import CODECS, ONE_KEYFRAME
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
LOW_METRICS = ("psnr_y", "lpips_alex", "dists", "vmaf_neg", "vmaf_v1", "flicker")
# Metrics, pictures of a clip, and the distance of those that networks see: without a common factor with a GOP's 32.
KINDS = {"quick": (QUICK_METRICS, 65, 5), "full": (tuple(METRICS), 97, 11), "low": (LOW_METRICS, 65, 11)}


def main() -> None:
    arguments = _arguments()
    kind, folder, parts = arguments.kind, arguments.output, arguments.parts
    metrics, frames, every = KINDS[kind]
    plan = Plan(kind, tuple(arguments.metrics or metrics), every, arguments.keyint, arguments.jobs)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    started, about = time.time(), describe()
    try:
        if arguments.against:
            commands(arguments.against)  # Tells at once if it cannot be used
        clips = [sources.prepare(path, arguments.frames or frames, folder / "clips") for path in arguments.clips]
        rows = measure_all(list(cells(clips, arguments.codecs, plan)), plan, folder / "cells") if "rd" in parts else []
        asked = Request(clips, kind == "full", folder / "cells", arguments.runs, arguments.against)
        others = {name: PARTS[name](asked) for name in parts if name in PARTS}
    except ProgramError as error:
        sys.exit(f"benchmarks: {error}")
    result = {
        "schema": 1,
        "kind": kind,
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
    kinds = parser.add_mutually_exclusive_group()
    kinds.set_defaults(kind="quick")
    kinds.add_argument("--full", dest="kind", action="store_const", const="full", help="all levels and metrics")
    kinds.add_argument(
        "--low", dest="kind", action="store_const", const="low", help="low rates, where SVT-AV1's coarsest files lie"
    )
    parser.add_argument("--frames", type=int, help="of each clip: 65, or 97 with --full")
    parser.add_argument(
        "--keyint", type=int, default=ONE_KEYFRAME, metavar="N", help="largest distance of keyframes; or else one only"
    )
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
