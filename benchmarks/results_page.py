"""`python -m benchmarks.results_page RESULTS.json`: print a page of docs/results, made from the JSON alone."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.anchored import anchored
from benchmarks.summary import ANCHOR, RATES, Summary, label, number
from benchmarks.tables import Table, tables
from benchmarks.targets import bd_rates, targets
from gvc.metrics import METRICS

NOTICE = """\
<!--
SPDX-FileCopyrightText: 2026 The GVC contributors
SPDX-License-Identifier: BSD-2-Clause
-->
"""


def page(result: dict) -> str:
    """Return the page as Markdown."""
    return "\n".join([*_head(result), *(_comparison(Summary(result)) if result["rows"] else []), *_tables(result)])


def _head(result: dict) -> list[str]:
    machine, command = result["machine"], _short(result["command"])
    return [
        NOTICE,
        "# Results",
        "",
        f"Written by `python -m benchmarks.results_page` from the JSON of `{command}` ({result['started']}, "
        f"sources {result['commit']}).",
        "",
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; "
        f"load at the start {result['load']:.1f}.",
        "",
        f"Versions: {', '.join(f'{name} {version}' for name, version in result['versions'].items())}.",
        "",
        "Rates are sizes of whole files; every file was decoded by a new process from the file alone.",
    ]


def _short(command: str) -> str:
    """Return a command in which paths are shortened to file names."""
    return " ".join(word.rpartition("/")[2] for word in command.split())


def _comparison(summary: Summary) -> Iterator[str]:
    yield from ("", "## Where GVC loses, and where not", "")
    yield "Bytes that GVC (flf2v, realism 0) takes more (+) or less (-) for equal quality, where both curves reach it."
    for title, said in summary.verdicts().items():
        yield from ("", f"{title}:", "", *(f"- {sentence}" for sentence in said or ["nowhere that was measured"]))
    for table in (*anchored(summary), *targets(summary)):
        yield from ("", f"## {table.title}", *_lines(table))
    labels = [METRICS[metric].label for metric in summary.metrics]
    for clip in summary.clips:
        yield from ("", f"## {clip}")
        if (table := bd_rates(summary, clip)).rows:
            yield from ("", f"{table.title}. {table.about}", "", *_table(table.head, table.rows))
        for rate in RATES:
            rows = [
                [label(series), *(number(m, summary.at_rate(clip, series, m, rate)) for m in summary.metrics)]
                for series in summary.series
            ]
            rows = [row for row in rows if any(cell != "–" for cell in row[1:])]
            if rows:
                yield from ("", *_table([f"{rate} bits per pixel", *labels], rows))
        yield from ("", f"Bytes for equal quality against {label(ANCHOR)}, and the range that both reach:", "")
        rows = [[label(s), *_bd_cells(summary, clip, s)] for s in summary.series if s != ANCHOR]
        yield from _table(["", *labels], rows)


def _bd_cells(summary: Summary, clip: str, series: tuple[str, str]) -> Iterator[str]:
    for metric in summary.metrics:
        rate = summary.bd_rate(clip, ANCHOR, series, metric)
        known = rate.percent is not None
        yield f"{rate.percent:+.0f} % ({number(metric, rate.low)} to {number(metric, rate.high)})" if known else "–"


def _tables(result: dict) -> Iterator[str]:
    for table in tables(result):
        yield from ("", f"## {table.title}", *_lines(table))
    yield ""


def _lines(table: Table) -> list[str]:
    return ["", table.about, "", *_table(table.head, table.rows)]


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results_page", description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--window", nargs=2, type=float, metavar="BPP", help="rates as for python -m benchmarks")
    arguments = parser.parse_args()
    found = json.loads(arguments.results.read_text())
    print(page(found | ({"window": arguments.window} if arguments.window else {})), end="")
