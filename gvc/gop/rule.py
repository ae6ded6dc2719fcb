# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The discretisation of a GOP's trajectory, given by its packet and the sequence header."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import NamedTuple

from ..bitstream import GopUnit, SequenceHeader
from ..bitstream.levels import level_time, matched_levels, shifted_times
from ..errors import BitstreamError
from ..loop.denoise import Rule
from ..loop.transition import ancestral, euler_maruyama

FIXED_STEPS, FIXED_SILENT = 20, 3  # arXiv 2603.26571: number of steps, and of last steps without noise


class CurrentGop(NamedTuple):
    """The GOP that is in the loop, or was the last one in it.

    number: number of the GOP, counted from 1; 0 (the default) before the first one.
    steps: number of steps of its loop, default 0. An encoder on a budget may end before the last one.
    """

    number: int = 0
    steps: int = 0


_here = local()  # What this thread works on


@contextmanager
def in_loop(gop: CurrentGop) -> Iterator[None]:
    """Let `gop` be the GOP that is in the loop of this thread while the block runs."""
    _here.gop = gop
    try:
        yield
    finally:
        del _here.gop


def gop_here(otherwise: CurrentGop) -> CurrentGop:
    """Return the GOP that is in the loop of this thread, or `otherwise` if none is."""
    return getattr(_here, "gop", otherwise)


def rule_of(header: SequenceHeader, unit: GopUnit) -> Rule:
    """Return the discretisation for a stream's header and a GOP's levels. Raises BitstreamError if they do not fit."""
    scheme = header.transition
    if scheme.fixed != (unit.stride == 0):
        raise BitstreamError("stride", 0, f"value {unit.stride} does not fit the {scheme} transition")
    network = {
        "x0_cache": header.x0_cache,
        "x0_warmup": header.x0_warmup,
        "low_steps": header.lowres_steps,
        "low_size": header.lowres_size,
    }
    if scheme.fixed:
        times = shifted_times(FIXED_STEPS, header.shift)[1:]
        return Rule(times, euler_maruyama, FIXED_SILENT, **network)
    times = [level_time(level) for level in matched_levels(unit.start, unit.stop, unit.stride)]
    return Rule(times, ancestral, uses_known=True, **network)
