# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Fuzzing of all readers of untrusted data: `make fuzz`.

Each module named in TARGETS has these functions:

    seeds() -> dict[str, bytes]              first inputs, made from small streams
    run(data: bytes) -> None                 read an input; any exception is a finding
    mutate(data: bytes, chance: Random, scramble: Scramble) -> bytes
                                             another input, with valid checksums so that inner code is reached

`python -m fuzz` runs each target in a process with libFuzzer's coverage (atheris). tests/test_fuzz.py replays the
seeds, former findings (regressions/TARGET/) and some random mutations of both.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

TARGETS = ("stream", "neural", "still", "file", "weights", "messages", "jobs")
REGRESSIONS = Path(__file__).with_name("regressions")

Scramble = Callable[[bytes], bytes]  # function that changes a few bytes


def target(name: str) -> ModuleType:
    """Return the module of a target."""
    return import_module(f"{__name__}.{name}")


def inputs(name: str) -> dict[str, bytes]:
    """Return the first inputs of a target: its seeds, and former findings."""
    found = {path.name: path.read_bytes() for path in sorted(REGRESSIONS.glob(f"{name}/*"))}
    return target(name).seeds() | found
