"""`gvc doctor`: prints the checks of gvc.doctor."""

from collections.abc import Iterable

from ..doctor import Check

MARKS = {True: "[green]ok[/]", False: "[red]missing[/]", None: "[yellow]not found[/]"}


def print_checks(checks: Iterable[Check]) -> int:
    """Print each check as it is done; return 0 if all that GVC needs is there, else 1."""
    from rich.console import Console

    console, failed = Console(highlight=False), 0
    for check in checks:
        mark = MARKS[check.ok if check.ok or check.needed else None]
        console.print(f"{mark:<20} {check.name}: {check.found}", soft_wrap=True)
        if not check.ok:
            failed += check.needed
            console.print(f"           -> {check.advice}", markup=False, soft_wrap=True)
    return 1 if failed else 0
