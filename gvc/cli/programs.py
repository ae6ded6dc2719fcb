# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that `gvc NAME` runs with the plugin. Nothing here imports much, so that a player starts at once."""

from collections.abc import Sequence
from typing import NoReturn

from ..plugin import run
from .report import errors_reported

PROGRAMS = {  # Name of each program, and an example of its arguments
    "ffmpeg": "-i in.mp4 -c:v gvc -b:v 60k out.mkv",
    "ffprobe": "-show_packets out.mkv",
    "ffplay": "out.mkv",
    "mpv": "out.mkv",
}


def run_program(name: str, arguments: Sequence[str], *, gstreamer: bool = False) -> NoReturn:
    """Replace this process by a program with the plugin (gvc.plugin.run). Errors end it with a sentence."""
    with errors_reported():
        run(name, arguments, gstreamer=gstreamer)
