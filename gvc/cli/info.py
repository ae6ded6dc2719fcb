# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc info`."""

import json
from dataclasses import asdict
from pathlib import Path

from gvc_container.files import check_readable_again
from gvc_container.libav_log import ErrorLog
from gvc_container.probe import GopInfo, Probe, probe

from ..bitstream.levels import level_time
from ..terminal import visible
from .report import Report

LABELS = {
    "stills": "boundary stills",
    "tails": "tails",
    "atoms": "atoms",
    "side": "side information",
    "headers": "packet headers",
    "show": "show-next packets",
    "damaged": "damaged packets",
    "other_tracks": "other tracks",
    "container": "container",
}


def info(path: Path, as_json: bool) -> None:
    """Print the content of a GVC file. Raises MediaError and OptionError.

    path: file to read.
    as_json: whether to print one JSON object instead of tables.
    """
    check_readable_again(path)
    with ErrorLog() as log:
        result = probe(path)
        Report().warn_of_damage(path, log.take({result.format}))
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        _print_table(result)


def _print_table(result: Probe) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, s = Console(highlight=False), result.sequence
    rest = f"  {result.format}, {result.file_bytes} bytes, {result.duration:.3f} s"
    console.print(Text.assemble((visible(result.path), "bold"), rest))
    console.print(
        f"{s['width']}x{s['height']}, {s['frame_rate']} frames/s, {result.frames} frames, "
        f"{result.keyframes} keyframes, {result.kbps:.1f} kb/s, {result.bpp:.4f} bpp"
    )
    how = f"transition {s['transition']}, seed {s['seed']}, bitstream {s['version']}"
    console.print(Text(visible(f"prior {s['prior']}, mode {s['mode']}, {how}")))
    console.print(_work(result))
    if s["prompt"]:
        console.print(Text(visible(f"prompt {s['prompt']!r}")))
    if result.damaged_packets:
        console.print(f"[red]{result.damaged_packets} packets are damaged[/]")
    shares = Table("bytes of", "", "%", box=None, pad_edge=False)
    for column in shares.columns[1:]:
        column.justify = "right"
    for name, count in asdict(result.bytes).items():
        if count:
            shares.add_row(LABELS[name], str(count), f"{100 * count / result.file_bytes:.1f}")
    console.print(shares)
    gops = Table("GOP", "start s", "frames", "bytes", "t", "key", box=None, pad_edge=False)
    for gop in result.gops:
        start = "?" if gop.seconds is None else f"{gop.seconds:.3f}"
        gops.add_row(str(gop.index), start, str(gop.frames), str(gop.bytes), _end(gop), "yes" if gop.key else "")
    console.print(gops)


def _work(result: Probe) -> str:
    """Return a line on the number of calls of the prior that decoding takes, and on what spares some."""
    s, low = result.sequence, sum(gop.lowres_calls for gop in result.gops)
    line = f"{sum(gop.calls for gop in result.gops)} calls of the prior"
    if s["lowres_steps"]:
        line += f" and {low} at {s['lowres_size']} % of each side"
    if s["x0_cache"]:
        line += f", x0-cache {s['x0_skips']}"
    if result.relative_cost < 1:
        line += f", about {100 * result.relative_cost:.0f} % of the work of a call at each step"
    return line


def _end(gop: GopInfo) -> str:
    """Return the time at which the coded steps of a GOP end, in 0..1, where 1 is pure noise."""
    return f"{level_time(gop.stop):.3f}" if gop.stop else "0"
