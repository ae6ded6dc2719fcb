#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# typer 0.29.2: a command loads pydantic though it has nothing to convert.
#
# Expected: a program with one optional text option, which is not given, starts as it does with typer 0.28.0. typer
# builds its converters late "to avoid up-front costs", so an option without a value should need none.
# Seen: the converter is built for each parameter that is no plain flag, whether it has a value or not, and the first
# one imports pydantic. A program that does nothing takes half as much processor time again.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.py" <<'P'
import sys
import time
from importlib.metadata import version

import typer


def main(name: str | None = None) -> None:
    loaded = "pydantic" in sys.modules
    print(f"typer {version('typer')}: pydantic loaded: {loaded}; {time.process_time():.2f} s of processor time")
    raise typer.Exit(loaded)


typer.run(main)
P
for release in 0.28.0 0.29.2; do
    python3 -m venv "$folder/$release"
    "$folder/$release/bin/pip" install --quiet --disable-pip-version-check typer==$release
    "$folder/$release/bin/python" "$folder/program.py" >/dev/null || : # compiles the modules
done
"$folder/0.28.0/bin/python" "$folder/program.py" # 0: not loaded
! "$folder/0.29.2/bin/python" "$folder/program.py"
