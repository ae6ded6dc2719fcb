#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write gvc/engine/declarations.py: the structs and constants of gvc_protocol.h, in the form that cffi loads.

    python ffmpeg_bridge/tools/make_declarations.py    after a change of the protocol

The engine could also read the header itself, but cffi's parser for C takes a tenth of the engine's start.
"""

import tempfile
from pathlib import Path

from cffi import FFI

BRIDGE = Path(__file__).resolve().parent.parent
HEADER = BRIDGE / "libgvc" / "gvc_protocol.h"
MODULE = "gvc.engine.declarations"
TARGET = BRIDGE.parent / "gvc" / "engine" / "declarations.py"
# REUSE-IgnoreStart
NOTICE = """\
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
# ffmpeg_bridge/tools/make_declarations.py has made this from ffmpeg_bridge/libgvc/gvc_protocol.h; do not edit.
"""
# REUSE-IgnoreEnd


def read_declarations(header: Path) -> str:
    """Return the C declarations of a header without preprocessor directives, which cffi does not take."""
    return "\n".join(line for line in header.read_text().splitlines() if not line.startswith("#"))


def declarations() -> str:
    """Return the text of the module."""
    ffi = FFI()
    ffi.cdef(read_declarations(HEADER))
    ffi.set_source(MODULE, None)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.py")
        ffi.emit_python_code(str(made))
        return NOTICE + made.read_text().partition("\n")[2]


if __name__ == "__main__":
    TARGET.write_text(declarations())
