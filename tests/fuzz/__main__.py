# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Fuzz all targets: `python -m fuzz [--seconds N] [TARGET ...]`. Ends with 1 if anything was found."""

import argparse
import os
import re
import subprocess
import sys
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import TARGETS, inputs

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "fuzz"  # folder of logs, findings and corpora, which grow from run to run
INPUT_SECONDS = 20  # longest permitted time for reading an input
INPUT_MEMORY = 2048  # largest permitted memory of the process in MiB
SHOWN = 1 << 13  # largest number of bytes of a finding in the report, which allows to repeat it elsewhere
LONGEST = 1 << 16  # largest size of an input in bytes
PATIENCE = 60  # seconds after the end of its time before a process is killed


@dataclass
class Outcome:
    """The result of fuzzing a target."""

    name: str
    executions: int
    coverage: int
    corpus: int
    slowest: int  # longest time for an input in seconds
    memory: int  # peak memory in MiB
    findings: list[Path]
    log: Path
    code: int

    @property
    def good(self) -> bool:
        return not self.findings and self.code == 0 and self.executions > 0


def fuzz(name: str, seconds: int) -> Outcome:
    """Fuzz a target for `seconds` in a process of its own, with its corpus."""
    folder = FOLDER / name
    corpus, findings, log = folder / "corpus", folder / "findings", folder / "log.txt"
    for path in (corpus, findings):
        path.mkdir(parents=True, exist_ok=True)
    for seed, data in inputs(name).items():
        (corpus / seed).write_bytes(data)
    limits = [f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={INPUT_MEMORY}", f"-max_len={LONGEST}"]
    run = [f"-max_total_time={seconds}", f"-artifact_prefix={findings}/", "-print_final_stats=1", "-len_control=0"]
    command = [sys.executable, "-m", "fuzz.run", name, *limits, *run, str(corpus)]
    variables = {**os.environ, "GVC_SERVE": "0", "SVT_LOG": "0"}
    started = time.time()
    with log.open("wb") as output:
        try:
            code = subprocess.run(
                command, env=variables, stdout=output, stderr=output, timeout=seconds + PATIENCE, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    found = [path for path in sorted(findings.iterdir()) if path.stat().st_mtime >= started]
    text = log.read_text(errors="replace")
    return Outcome(
        name,
        _last(r"stat::number_of_executed_units:\s+(\d+)", text) or _last(r"#(\d+)\t", text),
        _last(r" cov: (\d+)", text),
        _last(r" corp: (\d+)", text),
        _last(r"stat::slowest_unit_time_sec:\s+(\d+)", text),
        _last(r"stat::peak_rss_mb:\s+(\d+)", text),
        found,
        log,
        code,
    )


def _last(pattern: str, text: str) -> int:
    return int((re.findall(pattern, text) or ["0"])[-1])


def _tell(outcome: Outcome, seconds: int) -> None:
    said = "nothing found" if outcome.good else f"{len(outcome.findings)} FOUND, exit code {outcome.code}"
    print(
        f"{outcome.name:9} {outcome.executions:8} inputs in {seconds} s, coverage {outcome.coverage}, corpus "
        f"{outcome.corpus}, slowest {outcome.slowest} s, {outcome.memory} MiB: {said}",
        flush=True,
    )
    if not outcome.good:
        lines = outcome.log.read_text(errors="backslashreplace").splitlines()
        start = next((i for i, line in enumerate(lines) if "==" in line), max(0, len(lines) - 30))
        print("\n".join(f"    {ascii(line)[1:-1]}" for line in lines[start : start + 30]))
        for path in (*outcome.findings, outcome.log):
            print(f"    {path}")
        for path in outcome.findings:
            if path.stat().st_size <= SHOWN:
                print(f"    base64 of {path.name}: {b64encode(path.read_bytes()).decode()}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=300, help="for all together, default 300")
    arguments = parser.parse_args()
    jobs = min(len(os.sched_getaffinity(0)), len(arguments.targets))
    rounds = -(-len(arguments.targets) // jobs)
    seconds = max(1, arguments.seconds // rounds)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = pool.map(lambda name: fuzz(name, seconds), arguments.targets)
        good = []
        for outcome in outcomes:
            _tell(outcome, seconds)
            good.append(outcome.good)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
