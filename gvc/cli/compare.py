# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc compare`."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType

from gvc_container.files import check_readable_again, output_file

from ..compare.align import plural
from ..compare.film import Film
from ..compare.run import compare
from ..compare.summary import Comparison
from ..errors import OptionError
from ..extras import import_extra
from ..metrics import METRICS
from ..terminal import visible
from .report import Report

FILMS, PAGE = ("video", "wipe"), "html"
DRAWING = {"video": "video", "wipe": "video", "html": "report"}  # Modules of gvc.compare that need Pillow
SLOWEST = "lpips_vgg"  # Off by default: it costs many times as much as lpips_alex and says much the same


@dataclass(frozen=True)
class CompareOptions:
    """Which part to compare, by which metrics, and which files to write.

    start: first second that counts.
    frames: number of frames of the reference; 0 = all.
    metrics: names for parse_metrics.
    every: slow metrics measure each frame whose number is a multiple of this.
    video, wipe, html: files to write; None = not written.
    """

    start: float
    frames: int
    metrics: str
    every: int
    video: Path | None
    wipe: Path | None
    html: Path | None


def compare_files(
    paths: Sequence[Path],
    decoder_options: Mapping[str, object],
    options: CompareOptions,
    report: Report,
    *,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compare files with the first one, write the files that `options` names and print the figures.

    paths: the reference, then at least one other file.
    decoder_options: values by name for DECODER_OPTIONS, used for files with GVC video.
    as_json: whether standard output gets one JSON object instead of a table.

    Raises GvcError and OSError.
    """
    if len(paths) < 2:
        raise OptionError("two files at least are needed: the reference, then a file to compare with it")
    for path in paths:
        check_readable_again(path)
    metrics = parse_metrics(options.metrics)
    wanted = {name: target for name in (*FILMS, PAGE) if (target := getattr(options, name))}
    _check_targets(paths, wanted)
    drawing = {kind: _drawing(kind) for kind in wanted}
    with ExitStack() as stack:
        targets = {name: stack.enter_context(output_file(target, overwrite)) for name, target in wanted.items()}
        films = [stack.enter_context(Film(path, decoder_options, report.warn)) for path in paths]
        expected = _frames_expected(films[0], options)
        consumers = [
            stack.enter_context(drawing[kind].film_writer(targets[kind], kind, films, expected, report.warn))
            for kind in FILMS
            if kind in targets
        ]
        gallery = drawing[PAGE].Gallery() if PAGE in targets else None
        consumers += [gallery] if gallery else []
        result = compare(
            films,
            consumers,
            start=Fraction(str(options.start)),
            frames=options.frames or None,
            metrics=metrics,
            every=options.every,
            watch=lambda batches: report.progress(batches, "compare", expected),
        )
        if gallery:
            drawing[PAGE].write_page(targets[PAGE], result, gallery)
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        _print_table(result)


def parse_metrics(text: str) -> list[str]:
    """Return the metrics named in a comma-separated list. Raises OptionError.

    "all" means all metrics, "" means all except the slowest one.
    """
    if text in ("", "all"):
        return [name for name in METRICS if text or name != SLOWEST]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in METRICS:
            raise OptionError(f"there is no metric {name!r}; valid: {', '.join(METRICS)}, all")
    return names


def _check_targets(sources: Sequence[Path], targets: Mapping[str, Path]) -> None:
    """Refuse targets that would overwrite a source or each other. Raises OptionError."""
    if PAGE in targets and targets[PAGE].suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{targets[PAGE]} is no name for a page; choose a name that ends in .html")
    taken = {path.resolve() for path in sources}
    for target in targets.values():
        if target.resolve() in taken:
            raise OptionError(f"{target} is given twice; choose a different name for each file to write")
        taken.add(target.resolve())


def _drawing(kind: str) -> ModuleType:
    """Import the modules that make videos and pages. Raises GvcError, which names the missing extra."""
    return import_extra(f"gvc.compare.{DRAWING[kind]}", "metrics", f"gvc compare --{kind}")


def _frames_expected(reference: Film, options: CompareOptions) -> int:
    left = max(0, reference.track.frames - round(options.start * reference.rate))
    return min(left, options.frames or left)


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
