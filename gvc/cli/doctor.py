# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc doctor`: prints the checks of gvc.cli.checks."""

from collections.abc import Iterable

from ..terminal import visible
from .checks import Check

MARKS = {True: ("ok", "green"), False: ("missing", "red"), None: ("not found", "yellow")}


def print_checks(checks: Iterable[Check]) -> int:
    """Print each check as it is done; return 0 if all that GVC needs is there, else 1."""
    from rich.console import Console
    from rich.text import Text

    console, failed = Console(highlight=False), 0
    for check in checks:
        mark, colour = MARKS[check.ok if check.ok or check.needed else None]
        line = Text.assemble((f"{mark:<10}", colour), visible(f" {check.name}: {check.found}"))
        console.print(line, soft_wrap=True)
        if not check.ok:
            failed += check.needed
            console.print(Text(visible(f"           -> {check.advice}")), soft_wrap=True)
    return 1 if failed else 0
