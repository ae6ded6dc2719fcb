# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m benchmarks.tiny OUT CLIP...`: what a small model of a video codes, in each mode and by each transition.

Clips are cropped to 3:2 and shrunk to 96x64. The program writes results.jsonl, a line for each clip, way of coding and
level, and goes on where it was stopped. Bytes are those of boundary stills, corrections, side information and atoms;
at this size headers and the container would hide all else. It ends with tables of Bjontegaard rates.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path

import cv2
import numpy as np
import torch
from gvc_container.probe import Bytes
from gvc_container.source import VideoSource
from torch import Tensor

import gvc
from benchmarks.bdrate import bd_rate
from gvc.bitstream import read_packet
from gvc.media import Planes
from gvc.metrics.perceptual import Lpips
from gvc.modes import Mode
from gvc.pictures.rgb import to_rgb
from gvc.priors import open_prior

VIDEO = gvc.VideoFormat(96, 64)
QUALITIES = (5, 20, 35, 50, 65)
ATOMS = (1, 4, 16, 64)
MODES = tuple(map(str, Mode))
ANCHOR = "ancestral"
# Ways of coding by name: options, and the option whose values are the levels.
WAYS = {
    ANCHOR: ({"prior": "wan:tiny"}, "quality", QUALITIES),
    "ancestral, x0_cache": ({"prior": "wan:tiny", "x0_cache": 1}, "quality", QUALITIES),
    "sde": ({"prior": "wan:tiny", "transition": "sde", "quality": 20}, "atoms", ATOMS),
    "gvcc": ({"prior": "wan:tiny", "preset": "gvcc", "quality": 20}, "atoms", ATOMS),
    "distilled": ({}, "quality", QUALITIES),
    "gp": ({"prior": "gp"}, "quality", QUALITIES),
}
METRICS = {"psnr_y": True, "lpips": False}  # name -> whether a higher value is better


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiny", description=__doc__)
    parser.add_argument("output", type=Path, help="folder of results.jsonl")
    parser.add_argument("clips", type=Path, nargs="*", help="videos; default: none, which only prints the table")
    parser.add_argument("--pictures", type=int, default=33, help="pictures of each clip to code; default: 33")
    parser.add_argument("--ways", nargs="*", choices=WAYS, help="ways of coding; default: all")
    parser.add_argument("--distilled", metavar="FOLDER", help="model of training.tiny.distil; default: none")
    arguments = parser.parse_args()
    ways = dict(WAYS)
    options, *levels = ways.pop("distilled")
    if arguments.distilled:
        ways["distilled"] = (options | {"prior": f"wan:{arguments.distilled}"}, *levels)
    chosen = [way for way in ways if arguments.ways is None or way in arguments.ways]
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = arguments.output / "results.jsonl"
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(row["clip"], row["mode"], row["way"], row["level"]) for row in rows}
    opener, lpips = lru_cache(open_prior), Lpips("alexnet")
    for path in arguments.clips:
        pictures = list(small(path, arguments.pictures))
        for mode, way in product(MODES, chosen):
            options, knob, levels = ways[way]
            for level in levels:
                if (path.stem, mode, way, level) in done:
                    continue
                settings = {"mode": mode, "gop": 33, knob: level} | options
                row = {"clip": path.stem, "mode": mode, "way": way, "level": level}
                rows.append(row | code(pictures, settings, opener, lpips))
                with results.open("a") as file:
                    print(json.dumps(rows[-1]), file=file, flush=True)
    print("\n".join(tables(rows)))


def small(path: Path, count: int) -> Iterator[Planes]:
    """Yield the planes of the first `count` pictures of an 8-bit 4:2:0 video, cropped in its middle and shrunk."""
    with VideoSource(path) as source:
        for picture, _ in zip(source.pictures(), range(count), strict=False):
            yield tuple(map(_small, picture.planes, VIDEO.plane_shapes))


def _small(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    (rows, columns), (height, width) = plane.shape, shape
    kept_rows, kept_columns = min(rows, columns * height // width), min(columns, rows * width // height)
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    part = plane[top : top + kept_rows, left : left + kept_columns]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


def code(pictures: list[Planes], options: dict, opener, lpips: Lpips) -> dict:
    """Code pictures and decode them; return bytes by use, and the metrics at realism 0."""
    encoder, used = gvc.Encoder(VIDEO, options, opener=opener), Bytes()
    given = [gvc.Picture(planes, pts=i, duration=1) for i, planes in enumerate(pictures)]
    packets = [packet for picture in [*given, None] for packet in encoder.encode(picture)]
    for packet in packets:
        used.add(packet.data, read_packet(packet.data))
    decoder = gvc.Decoder(encoder.extradata, {"prior": options["prior"]}, opener=opener)
    decoded = [picture.planes for packet in [*packets, None] for picture in decoder.decode(packet)]
    errors = np.stack([a[0].astype(float) - b[0] for a, b in zip(pictures, decoded, strict=True)])
    with torch.inference_mode():
        distance = lpips(_pixels(decoded), _pixels(pictures)).mean()
    psnr = 10 * np.log10(255**2 / np.square(errors).mean())
    return {"uses": asdict(used), "psnr_y": round(float(psnr), 3), "lpips": round(float(distance), 4)}


def _pixels(clip: list[Planes]) -> Tensor:
    """Convert pictures to R'G'B' in 0..1, [T, 3, H, W]."""
    planes = tuple(np.stack(plane) for plane in zip(*clip, strict=True))
    return to_rgb(planes, VIDEO)[0].transpose(0, 1) / 2 + 0.5


def counted(row: dict) -> int:
    """Return the bytes of a result that depend on the pictures."""
    return sum(row["uses"][use] for use in ("stills", "tails", "side", "atoms"))


def tables(rows: list[dict]) -> Iterator[str]:
    """Yield the lines of two tables: bytes in percent of those of another way or mode at equal quality."""
    yield from _head("mode", "way")
    measured = {row["way"] for row in rows} - {ANCHOR}
    for mode, way in product(MODES, filter(measured.__contains__, WAYS)):
        yield _line(rows, (mode, way), (mode, ANCHOR), f"{mode} | {way}")
    yield ""
    yield from _head("mode", "beside")
    for mode, other in combinations(MODES, 2):
        yield _line(rows, (mode, ANCHOR), (other, ANCHOR), f"{mode} | {other}")


def _head(*names: str) -> Iterator[str]:
    columns = (*names, *METRICS)
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"


def _line(rows: list[dict], tested: tuple[str, str], anchor: tuple[str, str], title: str) -> str:
    """Return a line of a table. tested, anchor: modes and ways."""
    cells = []
    for metric, rising in METRICS.items():
        rates = [
            bd_rate(_curve(rows, clip, *anchor, metric), _curve(rows, clip, *tested, metric), rising=rising)
            for clip in sorted({row["clip"] for row in rows})
        ]
        found = [rate.percent for rate in rates if rate.confident]
        cells.append(f"{np.mean(found):+.0f} % ({len(found)} clips)" if found else "nothing in common")
    return f"| {title} | {' | '.join(cells)} |"


def _curve(rows: list[dict], clip: str, mode: str, way: str, metric: str) -> list[tuple[float, float]]:
    key = (clip, mode, way)
    return [(counted(row), row[metric]) for row in rows if (row["clip"], row["mode"], row["way"]) == key]


if __name__ == "__main__":
    main()
