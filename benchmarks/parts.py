# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a run other than the comparison of codecs; each is a table in the report."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bridge, efficiency, speed, versions
from benchmarks.cache import cached
from benchmarks.clips import Clip
from benchmarks.machine import code_of, commit, machine
from benchmarks.machine import versions as of_software


@dataclass(frozen=True)
class Request:
    """What a run asks of a part.

    clips: source clips, at least one.
    full: whether the run is a full one.
    folder: folder of stored figures.
    runs: number of runs whose medians are taken, where versions are compared.
    against: another checkout of GVC to compare with; None = there is none.
    """

    clips: Sequence[Clip]
    full: bool
    folder: Path
    runs: int
    against: Path | None


def _figures(folder: Path, function, *arguments: object) -> dict:
    """Return the result of a function, or its stored result for the same arguments, sources and machine."""
    names = [argument.sha256 if isinstance(argument, Clip) else _text(argument) for argument in arguments]
    code = [code_of("gvc"), *(commit(folder) for folder in arguments if isinstance(folder, Path))]
    depends = [function.__module__, function.__name__, names, code, machine(), of_software()]
    said = [_text(argument) for argument in arguments if not isinstance(argument, Clip)]
    print(f"{function.__module__.rpartition('.')[2]}: {function.__name__}", *said, flush=True)
    return cached(folder, depends, lambda _: function(*arguments))


def _text(argument: object) -> object:
    if isinstance(argument, versions.Job):
        return argument.name
    return str(argument) if isinstance(argument, Path) else argument


def _efficiency(asked: Request) -> dict:
    clip, folder = asked.clips[0], asked.folder
    return {
        "clip": [_figures(folder, efficiency.of_clip, clip, options) for options in efficiency.CODED],
        "gaussian": [_figures(folder, efficiency.of_gaussian, name) for name in ("white", "coloured")],
    }


def _speed(asked: Request) -> dict:
    clip, full, folder = asked.clips[0], asked.full, asked.folder
    sizes = [(size, count, coding) for size, count in speed.SIZES[full].items() for coding in speed.CODINGS[full]]
    return {
        "versions": _versions(asked),
        "sizes": [_figures(folder, speed.of_size, clip, *size) for size in sizes],
        "stages": [_figures(folder, speed.of_stages, clip, prior) for prior in speed.STAGED],
        "lengths": [_figures(folder, speed.of_length, clip, pictures) for pictures in speed.LENGTHS[full]],
        "threads": [_figures(folder, speed.of_threads, clip, threads) for threads in (1, 2)],
        "codebook": _figures(folder, speed.of_codebook),
    }


def _versions(asked: Request) -> dict:
    folder, runs, against = asked.folder, asked.runs, asked.against
    found = {}
    for job in versions.JOBS:
        clip, scales = versions.material(asked.clips, job.size)
        found[job.name] = _figures(folder, versions.of_job, clip, job, runs, against) | {
            "clip": clip.name,
            "scaled": scales,
            "repeated": clip.frames < job.pictures,
        }
    clip, _ = versions.material(asked.clips, versions.HD)
    has_ffmpeg = shutil.which("ffmpeg")
    size = found[versions.PLAIN.name]["bytes"][versions.THIS]
    return {
        "runs": runs,
        "other": commit(against) if against else "",
        "jobs": found,
        "first": _figures(folder, versions.of_first_picture, clip, runs, against) if has_ffmpeg else None,
        "rivals": _figures(folder, versions.of_rivals, clip, size, runs),
        "bridge": _figures(folder, bridge.compare, str(clip.path), clip.frames, runs) if has_ffmpeg else None,
        "scaling": _figures(folder, speed.of_scaling, clip, versions.HD, versions.PLAIN.pictures),
    }


PARTS = {"efficiency": _efficiency, "speed": _speed}
