# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sharing out a bitrate among chains: each chain is analysed apart, then its bits are known before it is coded."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from fractions import Fraction

from ..gop.setup import Setup
from ..machine.parallel import Team
from ..media import Picture
from ..pictures.samples import to_coded
from ..plan.demand import LEVELS, Demand, demand, shared_out
from .coding import format_of, result_of, with_pictures
from .plan import Chain
from .records import LARGEST, FolderError, Record, is_number
from .result import Result
from .tasks import Task, Tools


def analyse(task: Task, tools: Tools) -> bytes:
    """Find out what a chain needs; return a result without packets whose log has its `demand`.

    Terms and data: as for gvc.fleet.coding.encode.
    """
    started, video = time.monotonic(), format_of(task.terms["format"])
    setup = Setup.of(video, tools.options(task), tools.opener)

    def needed(pictures: Iterator[Picture]) -> Demand:
        coded = [replace(picture, planes=to_coded(picture.planes, video)) for picture in pictures]
        return demand(coded, setup.settings, setup.prior, setup.header)

    team = Team(setup.options.threads)
    try:
        with team.leading():
            need = with_pictures(task, tools, needed)
    finally:
        team.dismiss()
    return result_of(task, tools, started, [], {"demand": asdict(need)})


def bitrates(bitrate: int, chains: Sequence[Chain], analyses: Sequence[Result], time_base: Fraction) -> tuple[int, ...]:
    """Return the bitrate of each chain, so that their joined file has `bitrate`.

    chains: all chains of the film.
    analyses: result of `analyse` for each of them.
    time_base: seconds in a tick of the chains' times.

    Raises RateError if the bitrate is too low for the film, FolderError for a result that is no analysis.
    """
    demands = [_demand(analysis, chain) for analysis, chain in zip(analyses, chains, strict=True)]
    seconds = float((chains[-1].pts - chains[0].pts) * time_base) + demands[-1].seconds
    return tuple(shared_out(bitrate, seconds, demands))


def _demand(analysis: Result, chain: Chain) -> Demand:
    found = Record(analysis.log, f"the analysis of chain {chain.number}").record("demand")
    bits = found.entries("bits", lambda value: is_number(value) and 0 < value <= LARGEST)
    if len(bits) not in (0, len(LEVELS)) or found.integer("pictures") != chain.count or not found.number("seconds") > 0:
        raise FolderError(f"the analysis of chain {chain.number} is no analysis; remove it")
    return Demand(found.number("seconds"), chain.count, tuple(bits))
