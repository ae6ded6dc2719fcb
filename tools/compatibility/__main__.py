# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The command; see the package."""

import argparse
import json
import tempfile
import time
from pathlib import Path

from . import __doc__ as about
from .kit import Kit, TrialError
from .libraries import Library
from .page import PAGE, RESULTS, page
from .programs import Program
from .table import PROGRAMS


def tried(entry: Program | Library, kit: Kit) -> dict[str, str]:
    """Try a program; return what is kept of it."""
    try:
        happened = entry.attempt(kit)
    except TrialError as error:
        happened = f"no: {error}"
    return {"version": entry.version(), "happened": happened, "date": time.strftime("%Y-%m-%d")}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.compatibility", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="programs to try; default: all")
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument("--packages", action="store_true", help="only print the Debian packages that programs come in")
    arguments = parser.parse_args()
    if arguments.packages:
        print(*sorted({getattr(entry, "package", "") or getattr(entry, "debian", "") for entry in PROGRAMS} - {""}))
        return
    if not arguments.page:
        known = {entry.name for entry in PROGRAMS}
        kept = {name: found for name, found in json.loads(RESULTS.read_text()).items() if name in known}
        with tempfile.TemporaryDirectory(prefix="gvc-compatibility-") as folder:
            kit = Kit(Path(folder))
            for entry in PROGRAMS:
                if arguments.names and entry.name not in arguments.names:
                    continue
                if entry.version() is None:
                    print(f"{entry.name}: not installed here, so what was found before is kept")
                    continue
                kept[entry.name] = tried(entry, kit)
                print(f"{entry.name}: {kept[entry.name]['happened']}", flush=True)
                RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(json.loads(RESULTS.read_text())))


main()
