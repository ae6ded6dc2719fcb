# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc jobs`."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from ..errors import MediaError
from ..fleet.folder import Job, JobFolder
from ..fleet.plan import DONE, Plan
from ..terminal import visible

COLOURS = {"done": "green", "failed": "red", "running": "yellow", "waiting": ""}


def show_jobs(path: Path, as_json: bool) -> None:
    """Print the state of each chain in a job folder. Raises MediaError and OSError.

    path: job folder, in which nothing is changed.
    as_json: whether to print one JSON object instead of a table.
    """
    with JobFolder(path, create=False) as folder:
        plan = folder.read_plan()
        if plan is None:
            raise MediaError(f"{path} holds no plan that can be read; name the folder of a `gvc encode --resume`")
        jobs = folder.jobs(plan, plan.kind)
    if as_json:
        print(json.dumps(_as_dict(plan, jobs), indent=2))
    else:
        _print_table(path, plan, jobs)


def _as_dict(plan: Plan, jobs: list[Job]) -> dict[str, object]:
    chains = [
        {
            "number": job.chain.number,
            "first": job.chain.first,
            "pictures": job.chain.count,
            **{name: value for name, value in asdict(job).items() if name not in ("chain", "name")},
        }
        for job in jobs
    ]
    facts = {"source": plan.source.path, "stage": plan.kind, "complete": plan.complete, "damaged": plan.damaged}
    return {**facts, "options": dict(plan.identity.options), "chains": chains}


def _print_table(path: Path, plan: Plan, jobs: list[Job]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text.assemble((visible(str(path)), "bold"), "  ", visible(plan.source.path)))
    if not plan.complete:
        console.print("More chains may follow: the source has not been read to its end.")
    table = Table("chain", "from", "pictures", "state", "bytes", "seconds", "worker", box=None, pad_edge=False)
    for index in (1, 2, 4, 5):
        table.columns[index].justify = "right"
    for job in jobs:
        numbers = (str(job.chain.number), str(job.chain.first), str(job.chain.count))
        costs = (str(job.bytes), f"{job.seconds:.1f}") if job.state == "done" else ("", "")
        remark = Text(visible(job.reason or job.worker))
        table.add_row(*numbers, Text(job.state, COLOURS[job.state]), *costs, remark)
    console.print(table)
    console.print(_summary(plan, jobs))


def _summary(plan: Plan, jobs: list[Job]) -> str:
    counts, done = Counter(job.state for job in jobs), [job for job in jobs if job.state == "done"]
    states = ", ".join(f"{counts[state]} {state}" for state in COLOURS if counts[state]) or "none is known yet"
    verb = DONE[plan.kind]
    pictures, known = (sum(job.chain.count for job in some) for some in (done, jobs))
    size, seconds = sum(job.bytes for job in done), sum(job.seconds for job in done)
    return f"{len(jobs)} chains: {states}; {pictures} of {known} pictures {verb}, {size} bytes, {seconds:.1f} s"
