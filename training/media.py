# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The list of media to train on: tab-separated, with a first line that names the columns, one row a file.

    kind     "clip" or "photograph"
    file     path below the folder of the media
    licence  SPDX identifier, one of ALLOWED
    note     further facts about the file's origin; may be empty
    source   package or address from which the file was taken

Weights go into programs under any licence, and whether the licence of a picture extends to weights that were trained on
it is an open question. So only media are accepted whose licence asks for no more than a notice and the names of the
authors. The list is that notice.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

MOST_FAULTS = 20  # largest number of rows that an error names
COLUMNS = ("kind", "file", "licence", "note", "source")
KINDS = ("clip", "photograph")
ALLOWED = (
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "MIT",
)


class MediaError(ValueError):
    """A list of media that cannot be used for training; the text names the faulty rows."""


@dataclass(frozen=True)
class Media:
    """The files for training, in the order of the list."""

    clips: list[Path]
    photos: list[Path]


def read_media(table: Path, folder: Path) -> Media:
    """Return the files in `folder` that `table` lists. Raises MediaError if any of them may not be used."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MediaError(f"{table} is no list of media, but other data ({error})") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise MediaError(
            f"{table} is no list of media: its columns must be {', '.join(COLUMNS)}, with a row for each file"
        )
    faults = [f"line {line}: {fault}" for line, row in enumerate(rows, 2) if (fault := _fault(row, folder))]
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [f"and {len(faults) - MOST_FAULTS} more rows"]
    if faults:
        raise MediaError(
            "\n".join([f"{table} has media that cannot be used for training; correct or remove these rows:", *faults])
        )
    clips, photos = ([folder / row["file"] for row in rows if row["kind"] == kind] for kind in KINDS)
    return Media(clips, photos)


def _fault(row: dict[str, str | None], folder: Path) -> str:
    """Return a description of what is wrong with a row, or ""."""
    if None in row.values() or None in row:
        return f"it must have {len(COLUMNS)} columns, with a tab between each two"
    name, licence = row["file"], row["licence"]
    if row["kind"] not in KINDS:
        return f"the kind of {name} must be {' or '.join(KINDS)}"
    if licence not in ALLOWED:
        return f"{name} is under {licence or 'no known licence'}, and only these are allowed: {', '.join(ALLOWED)}"
    if not row["source"]:
        return f"the source of {name} is missing"
    if not (folder / name).is_file():
        return f"there is no file {folder / name}"
    return ""
