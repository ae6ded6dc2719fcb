# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What all tables are made of."""

from dataclasses import dataclass

MIB = 2**20
SIDES = ("encode", "decode")


@dataclass(frozen=True)
class Table:
    """A table with title, explanation, head and rows."""

    title: str
    about: str
    head: list[str]
    rows: list[list[str]]
