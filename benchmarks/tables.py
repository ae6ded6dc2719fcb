# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The tables of efficiency, speed and memory, as text for both the report and docs/results."""

from itertools import pairwise

from benchmarks.table import MIB, SIDES, Table
from benchmarks.version_tables import version_tables


def tables(result: dict) -> list[Table]:
    """Return a table for each part in the JSON of a run."""
    found = []
    if "efficiency" in result:
        found += [_prices(result["efficiency"]["clip"]), *map(_steps, result["efficiency"]["clip"][1:2])]
        found += [_gaussian(source) for source in result["efficiency"]["gaussian"]]
    if "speed" in result:
        speed = result["speed"]
        if "versions" in speed:  # Not in results of before
            found += version_tables(speed["versions"])
        found += [_sizes(speed["sizes"]), *map(stages, speed["stages"])]
        found += [_lengths(speed["lengths"]), _threads(speed["threads"])]
        found.append(_codebook(speed["codebook"]))
    return found


def _prices(runs: list[dict]) -> Table:
    rows = [
        [
            _options(run["options"]),
            str(run["gops"]),
            f"{run['kl_bits'] / 8:.0f}",
            f"{run['ideal_bits'] / 8:.0f}",
            f"{run['coded_bits'] / 8:.0f}",
            _ratio(run["coded_bits"], run["kl_bits"]),
            _ratio(run["coded_bits"], run["ideal_bits"]),
        ]
        for run in runs
    ]
    about = (
        "Bytes of atoms over the clip. KL is the information that the steps have to convey. A fixed number of atoms "
        "may be too small to follow the posterior, so a ratio to KL below one is no merit there."
    )
    head = ["", "GOPs", "KL", "log2 C + M", "coded", "coded / KL", "coded / ideal"]
    return Table("Bits of atoms against what they convey", about, head, rows)


def _steps(run: dict) -> Table:
    rows = [
        [
            str(number),
            f"{step['t']:.3f}",
            str(step["atoms"]),
            f"{sum(step['kl_bits']):.0f}",
            f"{sum(step['ideal_bits']):.0f}",
            _ratio(sum(step["ideal_bits"]), sum(step["kl_bits"])),
        ]
        for number, step in enumerate(_first_gop(run["steps"]), 1)
    ]
    about = "The first GOP. The bundled prior has one latent frame for a whole GOP, so each step has a single block."
    head = ["step", "t", "atoms", "KL bits", "log2 C + M", "ratio"]
    return Table(f"Step by step: {_options(run['options'])}", about, head, rows)


def _first_gop(steps: list[dict]) -> list[dict]:
    """Return the steps of the first GOP, which end where the time starts at 1 again."""
    ends = (number for number, (a, b) in enumerate(pairwise(steps), 1) if b["t"] > a["t"])
    return steps[: next(ends, len(steps))]


def _gaussian(source: dict) -> Table:
    rows = [
        [
            rule,
            f"{point['rate']:.3f}",
            f"{point['distortion']:.4f}",
            f"{point['least_rate']:.3f}",
            _ratio(point["rate"], point["least_rate"]),
            f"{point['gap_db']:.2f}",
        ]
        for rule, label in (("default", "ancestral"), ("paper's", "paper"))
        for point in source[label]
    ]
    about = (
        "32768 independent values and their exact model, so that only the coder is measured. Bits per value; mean "
        "squared error for unit variance. R(D) is by reverse water-filling; the gap is in dB above D(R)."
    )
    head = ["rule", "bits", "error", "R(D)", "bits / R(D)", "gap, dB"]
    return Table(f"A Gaussian source, {source['source']}", about, head, rows)


def _sizes(sizes: list[dict]) -> Table:
    rows = [
        [entry["size"], str(entry["pictures"]), entry["coding"].removeprefix("--").replace("=", " ")]
        + [
            text
            for side in SIDES
            for text in (
                f"{entry[side]['fps']:.1f}",
                f"{entry[side]['real_time']:.2f}",
                f"{entry[side]['startup_seconds']:.2f}",
                f"{entry[side]['peak_bytes'] / MIB:.0f}",
            )
        ]
        for entry in sizes
    ]
    columns = ["frames/s", "times real time", "start, s", "MiB"]
    head = ["size", "pictures", "", *(f"{side} {column}" for side in SIDES for column in columns)]
    about = (
        "The first clip, scaled, in flf2v at the default quality, measured on whole processes. Start is the time of "
        "processes with a single picture; frames/s follow from the additional time of longer ones. Real time is 25 "
        "frames/s."
    )
    return Table("Speed and memory by size", about, head, rows)


def stages(run: dict) -> Table:
    """Return the table of encoding and decoding time by stage (speed.of_stages)."""
    names = list(run["encode"] | run["decode"])
    sides = [[_milliseconds(run[side].get(name, 0.0) / run["pictures"]) for name in names] for side in SIDES]
    rows = [[name.replace("_", " "), *values] for name, *values in zip(names, *sides, strict=True)]
    rows.append(["all", *(_milliseconds(sum(run[side].values()) / run["pictures"]) for side in SIDES)])
    about = (
        f"Milliseconds per picture by the stages of gvc bench (docs/BENCH.md), over {run['pictures']} pictures of the "
        "first clip in whole GOPs, without start-up, reading and writing."
    )
    return Table(f"Time by stage, prior {run['prior']}", about, ["stage", *SIDES], rows)


def _milliseconds(seconds: float) -> str:
    """Return a time as text; "" for 0, which stands for a stage that encoding or decoding lacks."""
    return f"{1000 * seconds:.1f}" if seconds else ""


def _lengths(lengths: list[dict]) -> Table:
    rows = [
        [str(entry["frames"]), f"{entry['encode_bytes'] / MIB:.0f}", f"{entry['decode_bytes'] / MIB:.0f}"]
        for entry in lengths
    ]
    about = "Peak memory of whole processes; 416x240, the clip repeated."
    return Table("Memory against length", about, ["pictures", "encode, MiB", "decode, MiB"], rows)


def _threads(threads: list[dict]) -> Table:
    rows = [
        [str(entry["threads"]), f"{entry['encode_seconds']:.2f}", f"{entry['decode_seconds']:.2f}"] for entry in threads
    ]
    return Table("Threads", "Seconds of whole processes.", ["--threads", "encode, s", "decode, s"], rows)


def _codebook(found: dict) -> Table:
    rows = [
        ["structured codebook, ms", f"{found['seconds'] * 1e3:.2f}"],
        [f"{found['gaussian_atoms']} atoms of torch.randn, ms", f"{found['gaussian_seconds'] * 1e3:.0f}"],
        ["ratio", f"{found['gaussian_seconds'] / found['seconds']:.0f}"],
        ["memory copies, GB/s", f"{found['bandwidth'] / 1e9:.1f}"],
        ["passes over the correlations in that time", f"{found['passes']:.1f}"],
    ]
    about = (
        f"One core, a block of {found['values']} values, all {found['atoms']} atoms searched. The time of drawn atoms "
        "is scaled up from a part of them. Passes: number of times that the correlations could have been copied "
        "meanwhile."
    )
    return Table("The search of a block", about, ["", ""], rows)


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.3f}" if b else "–"


def _options(options: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
