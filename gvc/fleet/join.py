# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The joiner: the results of all chains become one stream."""

from collections.abc import Iterator
from itertools import pairwise

from ..errors import OptionError
from ..media import Packet
from .digest import joined_digest
from .folder import JobFolder
from .plan import Chain, Plan
from .records import FolderError
from .result import Result


def joined(folder: JobFolder, plan: Plan) -> Iterator[list[Packet]]:
    """Yield the packets of each chain in order, exactly those that one encoder of the whole film returns.

    folder: folder with the results of all chains; only one result is in memory at a time.
    plan: plan of the film.

    Raises FolderError if the result of a chain is missing or does not fit the plan.
    """
    end = None
    for chain in plan.chains:
        packets = _checked(folder, plan, chain).packets
        if end is not None and packets[0].pts <= end:
            raise FolderError(f"chain {chain.number} begins before the one before it ends; code both again")
        end = packets[-1].pts
        yield packets


def shown_digest(folder: JobFolder, plan: Plan) -> str:
    """Return the digest of all pictures as the encoders reconstructed them (gvc.fleet.digest.joined_digest).

    Raises FolderError if the result of a chain is missing, OptionError if it was made without such a digest.
    """
    parts = []
    for chain in plan.chains:
        result = _checked(folder, plan, chain)
        if "shown" not in result.log:
            advice = f"leave it out, or remove {folder.path} so that all chains are coded again"
            raise OptionError(f"chain {chain.number} was coded without --verify; {advice}")
        parts += result.shown
    return joined_digest(parts)


def _checked(folder: JobFolder, plan: Plan, chain: Chain) -> Result:
    """Return the result of a chain; raise FolderError if it has other pictures than the plan."""
    name = plan.job(chain)
    result = folder.result(name)
    if result is None:
        folder.check()
        raise FolderError(f"chain {chain.number} ({name}) is not coded; start the same command again")
    times = [packet.pts for packet in result.packets]
    increasing = all(a < b for a, b in pairwise(times))
    if len(times) != chain.count or times[0] != chain.pts or not result.packets[0].key or not increasing:
        raise FolderError(f"the result of chain {chain.number} ({name}) does not fit the plan; remove it")
    return result
