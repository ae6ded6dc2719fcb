# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Fuzz one target in this process: `python -m fuzz.run TARGET`, then libFuzzer's arguments."""

import sys
from random import Random

import atheris

from gvc.machine.process import configure_process

configure_process()
with atheris.instrument_imports(include=["gvc", "gvc_container"]):
    from . import target

    reader = target(sys.argv.pop(1))


def mutate(data: bytes, limit: int, seed: int) -> bytes:
    """Return a mutated input from the target, truncated to `limit` bytes."""
    return reader.mutate(data, Random(seed), lambda part: atheris.Mutate(part, len(part) + 16))[:limit]


atheris.Setup(sys.argv, reader.run, custom_mutator=mutate)
atheris.Fuzz()
