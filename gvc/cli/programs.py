# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that `gvc NAME` runs with the plugin. Nothing here imports much, so that a player starts at once."""

from collections.abc import Sequence
from typing import NoReturn

from ..plugin import gstreamer_folder, run, vlc_folder
from .report import errors_reported

PROGRAMS = {  # Name of each program, and an example of its arguments
    "ffmpeg": "-i in.mp4 -c:v gvc -b:v 60k out.mkv",
    "ffprobe": "-show_packets out.mkv",
    "ffplay": "out.mkv",
    "mpv": "out.mkv",
    "vlc": "out.mkv",
    "cvlc": "--play-and-exit out.mkv",
    "gst-launch-1.0": "playbin uri=file:///folder/out.mkv",
    "gst-play-1.0": "out.mkv",
    "gst-discoverer-1.0": "out.mkv",
}


def run_program(name: str, arguments: Sequence[str], *, gstreamer: bool = False) -> NoReturn:
    """Replace this process by a program with the plugin (gvc.plugin.run). Errors end it with a sentence.

    gstreamer: whether the program may use GStreamer, with GVC's elements if they were built. Default False, but then
        GStreamer's own programs use it all the same, and need the elements.
    """
    with errors_reported():
        if not gstreamer and name.startswith("gst-"):
            gstreamer_folder()
            gstreamer = True
        elif name in ("vlc", "cvlc"):
            vlc_folder()
        run(name, arguments, gstreamer=gstreamer)
