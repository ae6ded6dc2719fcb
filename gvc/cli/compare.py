# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc compare`."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gvc_container.files import check_readable_again, output_file

from ..compare.align import plural
from ..compare.film import Film
from ..compare.report import Gallery, write_page
from ..compare.run import compare, names_of
from ..compare.summary import Comparison
from ..compare.video import FilmWriter, SideBySide, Wipe
from ..errors import OptionError
from ..metrics import METRICS
from ..terminal import visible
from .report import Report

FILMS, PAGE = ("video", "wipe"), "html"
SLOWEST = "lpips_vgg"  # which says much the same as lpips_alex, at many times the cost


@dataclass(frozen=True)
class Wishes:
    """What to compare (`frames` 0: all), by which metrics (text for parse_metrics), and the files to write."""

    start: float
    frames: int
    metrics: str
    every: int
    video: Path | None
    wipe: Path | None
    html: Path | None


def compare_files(
    paths: Sequence[Path],
    options: Mapping[str, object],
    wishes: Wishes,
    report: Report,
    *,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compare files with the first of them; `options` are those of DECODER_OPTIONS. Raises GvcError, OSError."""
    if len(paths) < 2:
        raise OptionError("give two files at least: the reference, then what is to be compared with it")
    for path in paths:
        check_readable_again(path)
    metrics = parse_metrics(wishes.metrics)
    wanted = {name: target for name in (*FILMS, PAGE) if (target := getattr(wishes, name))}
    _check_targets(paths, wanted)
    with ExitStack() as stack:
        targets = {name: stack.enter_context(output_file(target, overwrite)) for name, target in wanted.items()}
        films = [stack.enter_context(Film(path, options, report.warn)) for path in paths]
        expected = _frames_expected(films[0], wishes)
        takers = [
            stack.enter_context(_film_writer(targets[k], k, films, expected, report)) for k in FILMS if k in targets
        ]
        gallery = Gallery()
        takers += [gallery] if PAGE in targets else []
        result = compare(
            films,
            takers,
            start=Fraction(str(wishes.start)),
            frames=wishes.frames or None,
            metrics=metrics,
            every=wishes.every,
            watch=lambda batches: report.progress(batches, "comparing", expected),
        )
        if PAGE in targets:
            write_page(targets[PAGE], result, gallery)
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        _print_table(result)


def parse_metrics(text: str) -> list[str]:
    """Return the metrics that a list with commas names; "" is all but the slowest, "all" is all. Raises OptionError."""
    if text in ("", "all"):
        return [name for name in METRICS if text or name != SLOWEST]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in METRICS:
            raise OptionError(f"there is no metric {name!r}; choose from {', '.join(METRICS)}, or say all")
    return names


def _check_targets(sources: Sequence[Path], targets: Mapping[str, Path]) -> None:
    """Refuse what would lose a file. Raises OptionError."""
    if PAGE in targets and targets[PAGE].suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{targets[PAGE]} is no name for a page; let it end in .html")
    taken = {path.resolve() for path in sources}
    for target in targets.values():
        if target.resolve() in taken:
            raise OptionError(f"{target} is given twice; name each file that is to be written once")
        taken.add(target.resolve())


def _film_writer(target: Path, kind: str, films: list[Film], expected: int, report: Report) -> FilmWriter:
    names, reference = [visible(name) for name in names_of([film.path for film in films])], films[0]
    if kind == "video":
        sheet = SideBySide(names, *reference.size)
    else:
        sheet = Wipe(names, *reference.size, float(expected / reference.rate))
    return FilmWriter(target, sheet, reference.rate, report.warn)


def _frames_expected(reference: Film, wishes: Wishes) -> int:
    left = max(0, reference.track.frames - round(wishes.start * reference.rate))
    return min(left, wishes.frames or left)


def _print_table(result: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    names = result.names
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{plural(len(result.seconds))} compared")
    for name in names:
        table.add_column(Text(visible(name)), justify="right", overflow="fold")
    for row in result.table():
        cells = zip(row.cells, row.best, strict=True)
        table.add_row(row.label, *(Text(text, "bold" if best else "") for text, best in cells))
    console.print(table)
    for note in result.notes:
        console.print(Text(visible(f"note: {note}")), soft_wrap=True)
