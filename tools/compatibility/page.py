# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""docs/COMPATIBILITY.md, made of what is kept of the trials."""

from itertools import groupby
from pathlib import Path

from .kit import FRAMES, KEYINT, ROOT, SIZE
from .libraries import Library
from .programs import Program
from .table import NOT_TRIED, PROGRAMS

PAGE = ROOT / "docs" / "COMPATIBILITY.md"
RESULTS = Path(__file__).with_name("results.json")
HEAD = f"""\
<!--
SPDX-FileCopyrightText: 2026 The GVC contributors
SPDX-License-Identifier: BSD-2-Clause
Written by python -m tools.compatibility; do not edit.
-->

# What other programs do with GVC

Each program here was run with a film of {FRAMES} pictures ({SIZE}, Matroska, keyframes at 0 and {KEYINT}).
*All right* means that it did the same with GVC as with the same pictures in FFV1: each picture that came out was equal
to the bit. Programs are those of Debian 12, Python libraries those of PyPI. [FFMPEG.md](FFMPEG.md) explains `gvc run`
and the limits of the plugin. Where nothing else helps, programs can read the output of `gvc decode`, or a pipe from
`gvc ffmpeg`.
"""
FOOT = """
## Not tried

| program | why, and what may help |
|---|---|
"""


def page(kept: dict[str, dict[str, str]]) -> str:
    """Return the page. Programs that were never tried on this machine are left out."""
    text = [HEAD]
    for group, entries in groupby((entry for entry in PROGRAMS if entry.name in kept), lambda entry: entry.group):
        text.append(f"\n## {group}\n\n| program | how to | what was run | what happened |\n|---|---|---|---|\n")
        text += [_row(entry, kept[entry.name]) for entry in entries]
    return "".join([*text, FOOT, *(f"| {name} | {reason} |\n" for name, reason in NOT_TRIED)])


def _row(entry: Program | Library, found: dict[str, str]) -> str:
    cells = (f"{entry.name} {found['version']}", entry.how, entry.shown, found["happened"])
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
