# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The command `gvc`."""

import sys


def main() -> None:
    """Entry point of the console script; ends the process with one of the exit codes of `gvc --help`."""
    from ..machine.process import configure_process

    configure_process()
    sys.stdout.reconfigure(errors="backslashreplace")  # Names that the terminal cannot show must not end a command
    from .app import app

    app(prog_name="gvc")
