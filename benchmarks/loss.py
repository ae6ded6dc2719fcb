# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is seen where packets are lost or damaged, of GVC and of other codecs in files of about the same size.

    python -m benchmarks.loss CLIP ... -o FOLDER [--seeds 5] [--qualities 20 40] [--gvc resilience=1]
    python -m benchmarks.loss_page FOLDER/loss.json ... >docs/results/loss.md

Clips go forward and back. Each kind of damage hits each stream once for each seed, and each clip in another way. GVC
decodes its streams, and FFmpeg's library the others, with its own concealment; both go on after errors. Packets keep
the times of their pictures, so that the right picture at a wrong time counts as wrong. All figures go into loss.json. A
run that was broken off goes on where it was, and only what depends on changed code is measured again.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import torch

from benchmarks import damage
from benchmarks.cache import cached
from benchmarks.damage import KINDS, Distance, seen
from benchmarks.loss_streams import OTHERS, Stream, gvc_stream, other_stream, prepare
from benchmarks.machine import ROOT, command_line, describe
from gvc.media import Planes, VideoFormat
from gvc.metrics.perceptual import Lpips
from gvc.pictures.rgb import to_rgb

OURS = "GVC"


@cache
def lpips(video_format: VideoFormat) -> Distance:
    """Return a function for the LPIPS of two pictures of a format."""
    network = Lpips("alexnet")

    def pixels(picture: Planes) -> torch.Tensor:
        return to_rgb(tuple(plane[None] for plane in picture), video_format)[:, :, 0] / 2 + 0.5

    def distance(picture: Planes, other: Planes) -> float:
        with torch.inference_mode():
            return float(network(pixels(picture), pixels(other)))

    return distance


def streams(clip: Path, quality: float, given: argparse.Namespace) -> Iterator[tuple[str, Stream]]:
    """Yield GVC's stream of a quality, and those of other codecs of about its size, by the codec's name."""
    options = {"quality": quality, "keyint": given.keyint, **dict(pair.split("=", 1) for pair in given.gvc)}
    ours = gvc_stream(clip, options, given.output)
    for codec in given.codecs:
        stream = ours if codec == OURS else other_stream(codec, clip, given.keyint, ours.size, given.output)
        yield codec, stream


def measured(stream: Stream, kind: str, seed: tuple[int, int], folder: Path) -> dict:
    """Return what is seen of a stream after a kind of damage, by the names of `Seen`."""

    def figures(_: Path) -> dict:
        came = stream.decode(KINDS[kind](stream.packets, np.random.default_rng(seed)))
        return asdict(seen(stream.whole, came, lpips(stream.format)))

    return cached(folder, [stream.digest, Path(damage.__file__).read_text(), kind, seed], figures)


def rows(given: argparse.Namespace) -> Iterator[dict]:
    """Yield the figures of each clip, codec, quality and kind of damage."""
    for source in given.clips:
        seeds = [(seed, crc32(source.stem.encode())) for seed in range(given.seeds)]
        clip = prepare(source, given.frames, given.size, given.output)
        for quality in given.qualities:
            for codec, stream in streams(clip, quality, given):
                row = {"clip": source.stem, "codec": codec, "quality": quality, "bytes": stream.size}
                for kind in KINDS:
                    found = [measured(stream, kind, seed, given.output) for seed in seeds]
                    yield row | {"damage": kind, "seeds": found}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loss", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path, default=[ROOT / "assets" / "city_416x240.mp4"])
    parser.add_argument("--frames", type=int, default=129, help="pictures of each clip; default: 129")
    parser.add_argument("--size", metavar="WxH", help="size to shrink and crop to; default: that of the clip")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds; default: 5")
    parser.add_argument("--qualities", type=float, nargs="+", default=[20, 40], help="GVC's qualities; default: 20 40")
    parser.add_argument("--keyint", type=int, default=33, help="interval of keyframes; default: 33")
    parser.add_argument("--codecs", nargs="+", choices=[OURS, *OTHERS], default=[OURS, *OTHERS], help="default: all")
    parser.add_argument("--gvc", nargs="*", default=[], metavar="NAME=VALUE", help="options of GVC; default: none")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "loss", help="folder of the results")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    started, found = time.strftime("%Y-%m-%d", time.gmtime()), []
    result = {"command": command_line("benchmarks.loss"), "started": started, **describe()}
    for row in rows(given):
        found.append(row)
        print(row["clip"], row["codec"], f"quality {row['quality']:g}", row["damage"], flush=True)
    (given.output / "loss.json").write_text(json.dumps(result | {"rows": found}, indent=1))


if __name__ == "__main__":
    main()
