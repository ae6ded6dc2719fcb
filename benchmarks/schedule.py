# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How long a film would take with many workers: a simulation of the scheduler from measured times of chains.

A free worker takes the longest of the chains that are known and not begun (gvc.fleet.driver), where length is the
number of pictures. Chains become known one after another while the source is read. For comparison, workers can take
chains in order instead.

`python -m benchmarks.schedule JOBS` simulates the film of a folder of jobs that `gvc encode --keep` has left.
"""

import heapq
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from gvc.errors import MediaError
from gvc.fleet.folder import JobFolder

WORKERS = (1, 4, 8, 16, 32, 64, 128, 256)
FILM = 135_000  # Pictures of a film of 90 minutes
READ = 0.001  # Seconds that reading and comparing a picture takes, unless they were measured


@dataclass(frozen=True)
class Timed:
    """A chain: the number of its pictures, and the seconds that one worker takes for it."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Row:
    """A simulated run. seconds: until the last chain is done. efficiency: share of the workers' time that is used."""

    workers: int
    seconds: float
    efficiency: float


def wall(chains: Sequence[Timed], workers: int, *, read: float = 0.0, in_order: bool = False) -> float:
    """Return the seconds until all chains are done.

    chains: chains in the order of the film.
    workers: number of workers.
    read: seconds until a picture of the source is known. Default: none, all chains are known at the beginning.
    in_order: whether workers take chains in the order of the film. Default: not, they take the longest one.
    """
    known = [read * pictures for pictures in accumulate(chain.count for chain in chains)]
    free, waiting, number, end = [0.0] * workers, [], 0, 0.0
    for _ in chains:
        now = heapq.heappop(free)
        if not waiting:
            now = max(now, known[number])
        while number < len(chains) and known[number] <= now:
            heapq.heappush(waiting, (0 if in_order else -chains[number].count, number))
            number += 1
        _, chosen = heapq.heappop(waiting)
        end = max(end, now + chains[chosen].seconds)
        heapq.heappush(free, now + chains[chosen].seconds)
    return end


def rows(chains: Sequence[Timed], read: float = READ, *, in_order: bool = False) -> Iterator[Row]:
    """Yield a row for each of WORKERS; the parameters are those of `wall`."""
    work = sum(chain.seconds for chain in chains)
    for workers in WORKERS:
        seconds = wall(chains, workers, read=read, in_order=in_order)
        yield Row(workers, seconds, work / (workers * seconds))


def film_of(chains: Sequence[Timed], pictures: int = FILM) -> list[Timed]:
    """Return a film of at least so many pictures that repeats measured chains."""
    once = sum(chain.count for chain in chains)
    return [*chains] * -(-pictures // once)


def chains_of(path: Path) -> list[Timed]:
    """Return the chains of a folder of jobs. Raises MediaError if not all of them are done."""
    folder = JobFolder(path, create=False)
    plan = folder.read_plan()
    jobs = folder.jobs(plan) if plan and plan.complete else []
    if not jobs or any(job.state != "done" for job in jobs):
        raise MediaError(f"{path} is no folder of a whole film; make one with gvc encode --keep")
    return [Timed(job.chain.count, job.seconds) for job in jobs]


def simulated(chains: Sequence[Timed], read: float = READ) -> dict[str, object]:
    """Return the figures of measured chains, and of a film of 90 minutes that repeats them, as JSON has them."""
    film = film_of(chains)
    return {
        "chains": [vars(chain) for chain in chains],
        "read_seconds_a_picture": read,
        "film_chains": len(film),
        "longest_first": [vars(row) for row in rows(film, read)],
        "in_order": [vars(row) for row in rows(film, read, in_order=True)],
        "clips_longest_first": [vars(row) for row in rows(chains, read)],
        "clips_in_order": [vars(row) for row in rows(chains, read, in_order=True)],
    }


def table(found: dict[str, object]) -> str:
    """Return a Markdown table of simulated figures."""
    lines = ["| workers | hours | efficiency | in order: hours | efficiency |", "|---:|---:|---:|---:|---:|"]
    for longest, order in zip(found["longest_first"], found["in_order"], strict=True):
        cells = [f"{row['seconds'] / 3600:.2f} | {100 * row['efficiency']:.1f} %" for row in (longest, order)]
        lines.append(f"| {longest['workers']} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    figures = simulated(chains_of(Path(sys.argv[1])))
    print(json.dumps(figures, indent=1) if "--json" in sys.argv else table(figures))
