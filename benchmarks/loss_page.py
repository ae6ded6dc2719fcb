# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m benchmarks.loss_page LOSS.json ...`: print a page of docs/results, made from runs of benchmarks.loss."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.damage import BURST, LPIPS_EVERY
from benchmarks.results_page import NOTICE

FIGURES = {"shown": ".1f", "exact": ".1f", "frozen": ".1f", "psnr": ".1f", "lpips": ".3f"}
ABOUT = f"""\
# Results of losses and damage

Written by `python -m benchmarks.loss_page`. Clips go forward and back, and all files of a table have about the same
size. *Shown*: pictures that came at their own times; of other codecs a lost packet shows none, and GVC is decoded as
by `gvc decode`, where many come with the next packet. *Exact*: times at which the right picture is seen. *Frozen*:
times at which the picture before is seen again. PSNR is that of luma, and LPIPS that by AlexNet, both against the whole
stream at times that are not exact, LPIPS at one in {LPIPS_EVERY} of them. Bursts are of {BURST} packets on average. All
figures are means over the seeds. x265 slow and SVT-AV1 preset 6 have the same keyframes and are decoded by FFmpeg's
library (hevc, libdav1d, one thread) as it does by default. It then leaves out pictures of x265 whose references are
lost; with `-flags +output_corrupt` it shows them, so that few are frozen and most are far from right (one run of the
dog at 5 %: 9 in place of 53 frozen, 18 in place of 26 dB). libdav1d may also refuse the keyframe after lost pictures.
No codec loses the headers that containers hold.
"""


def page(results: Sequence[dict]) -> str:
    """Return the page as Markdown."""
    return "\n".join([NOTICE, ABOUT, *(line for result in results for line in chapter(result))])


def chapter(result: dict) -> Iterator[str]:
    """Yield the lines of a run."""
    found = result["rows"]
    command = " ".join(word.rpartition("/")[2] for word in result["command"].split())
    yield from (f"## `{command}`", "")
    yield from (f"{result['started']}, sources {result['commit']}, {len(found[0]['seeds'])} seeds.", "")
    clips = list(dict.fromkeys(row["clip"] for row in found))
    for quality in dict.fromkeys(row["quality"] for row in found):
        chosen = [row for row in found if row["quality"] == quality]
        if len(clips) > 1:
            yield from (f"### Mean of {len(clips)} clips, quality {quality:g}", "", *table(chosen), "")
        for clip in clips:
            yield from (f"### {clip}, quality {quality:g}", "")
            yield from (*table([row for row in chosen if row["clip"] == clip]), "")


def table(rows: Sequence[dict]) -> Iterator[str]:
    """Yield a table of means over clips and seeds."""
    yield "| lost | | bytes | shown | exact | frozen | PSNR, dB | LPIPS |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for kind in dict.fromkeys(row["damage"] for row in rows):
        for codec in dict.fromkeys(row["codec"] for row in rows):
            chosen = [row for row in rows if (row["damage"], row["codec"]) == (kind, codec)]
            size = np.mean([row["bytes"] for row in chosen])
            cells = [mean(chosen, name, form) for name, form in FIGURES.items()]
            yield f"| {' | '.join([kind, codec, f'{size:.0f}', *cells])} |"


def mean(rows: Sequence[dict], name: str, form: str) -> str:
    """Return the mean of a figure over clips and seeds as text; seeds without the figure do not count."""
    values = [seed[name] for row in rows for seed in row["seeds"] if seed[name] is not None]
    return format(np.mean(values), form) if values else "–"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loss_page", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+")
    print(page([json.loads(path.read_text()) for path in parser.parse_args().results]), end="")
