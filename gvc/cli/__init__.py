# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The command `gvc`."""

import sys


def main() -> None:
    """Entry point of the console script; ends the process with one of the exit codes of `gvc --help`."""
    from ..machine.process import configure_process

    configure_process()
    sys.stdout.reconfigure(errors="backslashreplace")  # Names that the terminal cannot show must not end a command
    from .programs import PROGRAMS, run_program

    if len(sys.argv) > 1 and sys.argv[1] in PROGRAMS:  # Before typer, whose import takes longer than all else here
        run_program(sys.argv[1], sys.argv[2:])
    from .app import app

    app(prog_name="gvc")
