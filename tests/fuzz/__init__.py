# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Fuzzing of all that reads what others have written: `make fuzz`.

Each module that is named in TARGETS has

    seeds() -> dict[str, bytes]              inputs to begin with, made from small streams
    run(data: bytes) -> None                 read an input; any exception is a finding
    mutate(data: bytes, chance: Random, scramble: Scramble) -> bytes
                                             another input, whole where the reader would else stop at once (checksums)

`python -m fuzz` runs them in processes of their own under libFuzzer's coverage (atheris); tests/test_fuzz.py replays
seeds, what once was found (regressions/TARGET/) and some blind mutations of both.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

TARGETS = ("stream", "neural", "still", "file", "weights", "messages")
REGRESSIONS = Path(__file__).with_name("regressions")

Scramble = Callable[[bytes], bytes]  # changes a few bytes


def target(name: str) -> ModuleType:
    """Return the module of a target."""
    return import_module(f"{__name__}.{name}")


def inputs(name: str) -> dict[str, bytes]:
    """Return the inputs of a target to begin with: its seeds, and what once was found."""
    found = {path.name: path.read_bytes() for path in sorted(REGRESSIONS.glob(f"{name}/*"))}
    return target(name).seeds() | found
