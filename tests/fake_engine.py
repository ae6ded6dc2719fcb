# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Engines that misbehave in a given way: scripts that libgvc starts in place of a Python interpreter."""

import shlex
import sys
from pathlib import Path
from textwrap import dedent

SIZE = 8  # width and height of the pictures in samples
START = """
import os, socket, sys
from pathlib import Path
import numpy as np
from gvc.engine.protocol import Channel, Slots, constants as c, wire_format_of
from gvc.media import VideoFormat

FORMAT = VideoFormat(SIZE, SIZE)
channel = Channel(socket.socket(fileno=c.GVC_SOCKET_FD))
channel.send(c.GVC_MSG_HELLO, pts=c.GVC_PROTOCOL_VERSION)
memory = channel.receive_opening()[2]
channel.send(c.GVC_MSG_READY, flags=c.GVC_MESSAGE_AHEAD)

def lay_out():
    global slots
    slots = Slots(memory, FORMAT, grow=True)
    channel.send(c.GVC_MSG_FORMAT, wire_format_of(FORMAT))

def show(slot, value):
    slots.write(slot, [np.full(shape, value, np.uint8) for shape in FORMAT.plane_shapes])
    channel.send(c.GVC_MSG_PICTURE, slot=slot)
    channel.send(c.GVC_MSG_DONE)
"""


def make_engine(folder: Path, body: str) -> str:
    """Write a script for GVC_PYTHON; return its path. body: code after READY, using `channel`, `lay_out`, `show`."""
    code, script = folder / "engine.py", folder / "engine"
    code.write_text(START.replace("SIZE", str(SIZE)) + dedent(body))
    script.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(code))}\n")
    script.chmod(0o755)
    return str(script)
