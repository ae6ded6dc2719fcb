# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a run other than the comparison of codecs; each is a table in the report."""

from pathlib import Path

from benchmarks import efficiency, speed
from benchmarks.cache import cached
from benchmarks.clips import Clip
from benchmarks.machine import code_of, machine, versions


def _figures(folder: Path, function, *arguments: object) -> dict:
    """Return the result of a function, or its stored result for the same arguments, sources and machine."""
    names = [argument.sha256 if isinstance(argument, Clip) else argument for argument in arguments]
    depends = [function.__module__, function.__name__, names, code_of("gvc"), machine(), versions()]
    said = [argument for argument in arguments if not isinstance(argument, Clip)]
    print(f"{function.__module__.rpartition('.')[2]}: {function.__name__}", *said, flush=True)
    return cached(folder, depends, lambda _: function(*arguments))


def _efficiency(clip: Clip, full: bool, folder: Path) -> dict:
    return {
        "clip": [_figures(folder, efficiency.of_clip, clip, options) for options in efficiency.CODED],
        "gaussian": [_figures(folder, efficiency.of_gaussian, name) for name in ("white", "coloured")],
    }


def _speed(clip: Clip, full: bool, folder: Path) -> dict:
    sizes = [(size, count, coding) for size, count in speed.SIZES[full].items() for coding in speed.CODINGS[full]]
    return {
        "sizes": [_figures(folder, speed.of_size, clip, *size) for size in sizes],
        "stages": [_figures(folder, speed.of_stages, clip, prior) for prior in speed.STAGED],
        "lengths": [_figures(folder, speed.of_length, clip, pictures) for pictures in speed.LENGTHS[full]],
        "threads": [_figures(folder, speed.of_threads, clip, threads) for threads in (1, 2)],
        "codebook": _figures(folder, speed.of_codebook),
    }


PARTS = {"efficiency": _efficiency, "speed": _speed}
