# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The discretisation of a GOP's trajectory, as its packet and the sequence header give it."""

from typing import NamedTuple

from ..bitstream import GopUnit, SequenceHeader
from ..bitstream.levels import level_time, matched_levels, shifted_times
from ..errors import BitstreamError
from ..loop.denoise import Rule
from ..loop.transition import ancestral, euler_maruyama

FIXED_STEPS, FIXED_SILENT = 20, 3  # arXiv 2603.26571: steps, and how many last ones of them inject nothing


class CurrentGop(NamedTuple):
    """Which GOP is in the loop, or was last.

    number: counted from 1; 0 before the first one.
    steps: of its loop. An encoder on a budget may end before the last one.
    """

    number: int = 0
    steps: int = 0


def rule_of(header: SequenceHeader, unit: GopUnit) -> Rule:
    """Return the discretisation that a stream's header and a GOP's levels ask for. Raises BitstreamError."""
    scheme = header.transition
    if scheme.fixed != (unit.stride == 0):
        raise BitstreamError("stride", 0, f"value {unit.stride} does not fit the {scheme} transition")
    if scheme.fixed:
        times = shifted_times(FIXED_STEPS, header.shift)[1:]
        return Rule(times, euler_maruyama, FIXED_SILENT, x0_cache=header.x0_cache)
    times = [level_time(level) for level in matched_levels(unit.start, unit.stop, unit.stride)]
    return Rule(times, ancestral, uses_known=True, x0_cache=header.x0_cache)
