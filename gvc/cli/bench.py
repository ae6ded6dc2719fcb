# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc bench`. Encoding and decoding run in processes of their own (gvc.bench.worker); this one prints the results."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ..bench.job import Job
from ..bench.watch import STAGES
from ..errors import EngineError, OptionError
from ..machine.process import abrupt_end
from ..options import DECODER_OPTIONS, ENCODER_OPTIONS, parse_options
from ..terminal import visible
from .report import Report

DEFAULT_SIZE = 416, 240
TARGET = 0.05  # Goal: time of everything else divided by the network's time
FEW_STEPS = 5  # Number of network steps a GOP below which the shares differ from those of a real run
SHORT_SECONDS = 0.2  # Time in seconds below which a measurement is mostly noise
MIB = 2**20
COMMON_KEYS = (
    "prior",
    "mode",
    "transition",
    "width",
    "height",
    "gops",
    "bytes",
)  # Keys that both sides share


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of text like 416x240. Raises OptionError."""
    width, x, height = text.partition("x")
    if not (x and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise OptionError(f"size {text!r} is no picture size; write WIDTHxHEIGHT, such as 832x480")
    return int(width), int(height)


def bench(job: Job, report: Report, *, warmup: int | None, as_json: bool) -> None:
    """Measure encoding and decoding and print the results.

    job: material and settings; its options are those of the encoder and the decoder.
    warmup: passes before the measurement; None = 1 on accelerators, 0 on the CPU.
    as_json: whether to print one JSON object instead of a table.

    Raises OptionError, and EngineError if a process crashes. If one ends with an error, which it prints itself, this
    ends with the same exit code.
    """
    if job.random and "prior" in job.options:
        raise OptionError("random weights replace the prior; leave out --random or --prior")
    settings = parse_options(ENCODER_OPTIONS, _values_for(ENCODER_OPTIONS, job))
    if settings.prior == "auto":
        raise OptionError(
            "the model that prior=auto means depends on the machine; choose the one to measure, gp or neural"
        )
    job = replace(
        job,
        size=job.size or (None if job.source else DEFAULT_SIZE),
        frames=job.frames - (job.frames - 1) % 4,
        warmup=int(settings.device != "cpu") if warmup is None else warmup,
    )
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="gvc-bench-") as folder:
        sides = {}
        for side, table in (("encode", ENCODER_OPTIONS), ("decode", DECODER_OPTIONS)):
            report.say(f"measuring {side}, in a new process")
            sides[side] = _measure(replace(job, side=side, options=_values_for(table, job)), Path(folder))
    result = _summary(job, settings, sides)
    result["warnings"] = _warnings(result, load)
    print(json.dumps(result, indent=2) if as_json else visible(_text(result), keep="\n"))


def _values_for(table, job: Job) -> dict:
    names = {option.name for option in table}
    return {name: value for name, value in job.options.items() if name in names}


def _measure(job: Job, folder: Path) -> dict:
    """Run one side in a new process and return its result."""
    job_file, result_file = folder / "job.json", folder / "result.json"
    job = replace(job, packets=str(folder / "packets.mkv"), started=time.monotonic())
    job_file.write_text(job.as_json())
    command = [sys.executable, "-m", "gvc.bench.worker", str(job_file), str(result_file)]
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if ended := abrupt_end(done.returncode):
        raise EngineError(f"measuring {job.side} failed: {ended}")
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(result_file.read_text())


def _summary(job: Job, settings, sides: dict[str, dict]) -> dict:
    """Return the complete result with stable keys (docs/BENCH.md)."""
    encode, decode = sides["encode"], sides["decode"]
    common = {name: encode.pop(name) for name in COMMON_KEYS}
    for name in COMMON_KEYS:
        decode.pop(name, None)
    return common | {
        "weights": "random" if job.random else "real",
        "frames": job.frames,
        "device": settings.device,
        "dtype": settings.dtype,
        "offload": settings.offload,
        "tiling": settings.tiling,
        "quantize": settings.quantize,
        "preset": settings.preset,
        "warmup": job.warmup,
        "encode": encode,
        "decode": decode,
    }


def _warnings(result: dict, load: float) -> list[str]:
    """Return a sentence for each thing that makes the figures unreliable."""
    found, cpus = [], os.cpu_count() or 1
    if result["weights"] == "random":
        found.append("random weights: time and memory are the real model's, pictures and bytes mean nothing")
    for side in ("encode", "decode"):
        steps = sum(result[side]["stages"][stage]["calls"] for stage in ("velocity", "lowres_velocity"))
        if steps < FEW_STEPS * result["gops"]:
            found.append(f"{side}: only {steps} network steps; a real run has more, and so other shares")
        if result[side]["seconds_per_gop"] * result["gops"] < SHORT_SECONDS:
            found.append(f"{side}: too short for a good measurement; use larger pictures, more frames or more GOPs")
    if result["device"] != "cpu" and not result["warmup"]:
        found.append("the first calls of an accelerator take longer; --warmup 1 leaves them out")
    if load > cpus / 2:
        found.append(f"the machine was busy before (load {load:.1f} on {cpus} CPUs), so times may be too long")
    return found


def _text(result: dict) -> str:
    """Return the result as text."""
    encode, decode = result["encode"], result["decode"]
    network = "forward passes of its modules" if encode["network_is"] == "modules" else "all calls of the prior"
    lines = [
        f"{result['prior']}{' with random weights' if result['weights'] == 'random' else ''}, {result['mode']}, "
        f"{result['preset']}, {result['transition']}, {result['device']}, {result['dtype']}",
        f"{result['gops']} GOP of {result['frames']} pictures of {result['width']}x{result['height']}, "
        f"{result['bytes']} bytes; network: {network}",
        "",
        _row("", "encode", "decode"),
    ]
    for label, show in SUMMARY:
        lines.append(_row(label, show(encode), show(decode)))
    for side in ("encode", "decode"):
        lines += ["", *_stages(side, result[side])]
    lines += ["", *(f"warning: {sentence}" for sentence in result["warnings"])] if result["warnings"] else []
    return "\n".join(lines)


def _row(label: str, *cells: str) -> str:
    return f"{label:<32}" + "".join(f"{cell:>12}" for cell in cells)


def _mebibytes(count: int | None) -> str:
    return "-" if count is None else f"{count / MIB:.0f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


SUMMARY = (
    ("seconds a GOP", lambda side: f"{side['seconds_per_gop']:.3f}"),
    ("  network", lambda side: f"{side['network_seconds_per_gop']:.3f}"),
    ("  everything else", lambda side: f"{side['other_seconds_per_gop']:.3f}"),
    ("network steps a GOP", lambda side: f"{side['calls_per_gop']:.1f}"),
    ("  and at low resolution", lambda side: f"{side['lowres_calls_per_gop']:.1f}"),
    ("network's share", lambda side: _percent(side["network_share"])),
    (f"above the network (target {TARGET:.0%})", lambda side: _percent(side["over_network"])),
    ("peak of main memory, MiB", lambda side: _mebibytes(side["peak_rss_bytes"])),
    ("peak of the device, MiB", lambda side: _mebibytes(side["peak_device_bytes"])),
    ("start-up, s", lambda side: f"{side['startup_seconds']:.2f}"),
    ("loading the prior, s", lambda side: f"{side['load_seconds']:.2f}"),
)


def _stages(side: str, costs: dict) -> list[str]:
    """Return the table of one side's stages over all GOPs."""
    lines = [_row(side, "calls", "seconds", "ms a call", "network s", "else s")]
    for name, stage in costs["stages"].items():
        if not stage["calls"]:
            continue
        seconds, network = stage["seconds"], stage["network_seconds"]
        each = "" if name == "rest" else f"{1000 * seconds / stage['calls']:.2f}"
        calls = "" if name == "rest" else str(stage["calls"])
        lines.append(
            _row(f"  {STAGES[name]}", calls, f"{seconds:.3f}", each, f"{network:.3f}", f"{seconds - network:.3f}")
        )
    return lines
