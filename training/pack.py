# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Code training material with `gp`, and save the network's inputs with the source pictures as safetensors files.

A list of media names the material; media without a permitted licence are refused (training.media).

A file holds the pictures of one short video: estimate, first, last and source as uint8 [N, 6, H/2, W/2] (the half-size
layout of gvc.priors.neural.inputs), error as float16 [N, 1, H/2, W/2], way and distance as float32 [N].
"""

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from gvc.bitstream import read_packet
from gvc.encoder import Encoder
from gvc.gop.decoder import open_gop
from gvc.gop.survival import ChainState
from gvc.media import Picture, VideoFormat
from gvc.priors.gp import GpPrior
from gvc.priors.neural.inputs import pack, view_of
from training.material import HEIGHT, PHOTO_PICTURES, WIDTH, Planes, clip_windows, moved_photo
from training.media import Media, MediaError, read_media

FINEST = 55.0  # highest quality to train on; low ones, where a network can gain most, are drawn more often
MODES, SHARES = ("flf2v", "i2v", "t2v"), (0.86, 0.07, 0.07)
RowsOf = Callable[[list[Planes], np.random.Generator], dict[str, torch.Tensor]]
SHORT_GOP = 9  # pictures in GOPs with fewer than two boundaries; far from a boundary there is nothing to learn


def code(pictures: list[Planes], rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Code a short video at a random quality; return the views of its GOPs and the source pictures."""
    mode = str(rng.choice(MODES, p=SHARES))
    options = {"mode": mode, "quality": round(FINEST * rng.random() ** 2, 1), "tail": 0}
    if mode != "flf2v":
        options["gop"] = SHORT_GOP
    elif rng.random() < 0.3:
        options["gop"] = int(rng.choice((5, 9, 17)))
    encoder = Encoder(VideoFormat(WIDTH, HEIGHT), options)
    packets = [p for picture in [*map(Picture, pictures), None] for p in encoder.encode(picture)]
    rows, at, chain, prior, header = [], 0, None, GpPrior(), None
    for unit in filter(None, (read_packet(packet.data) for packet in packets)):
        header = unit.header or header
        chain = ChainState(header, unit) if unit.key else chain
        chain.enter(unit)
        anchor = chain.anchor(unit) if header.mode.has_first and not unit.key else None
        gop = open_gop(prior, header, unit, anchor, chain.stills).reconstruct()
        known = int(anchor is not None)
        view = view_of(
            gop.conditioned.motion_mean,
            _padded(gop.plain, known),
            gop.conditioned.deviations()[0],
            range(known, known + unit.shown),
        )
        source = pack(*(np.stack(planes) for planes in zip(*pictures[at : at + unit.shown], strict=True)))
        rows.append(_stored(view, source))
        chain.leave(gop.anchor())
        at += unit.shown
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}


def _padded(clip: tuple, known: int) -> tuple:
    """Return a clip with its first `known` pictures repeated in front, as placeholders for pictures known before."""
    return tuple(np.concatenate([plane[:known], plane]) for plane in clip)


def _stored(view, source: torch.Tensor) -> dict[str, torch.Tensor]:
    pictures = {"estimate": view.estimate, "first": view.first, "last": view.last, "source": source}
    stored = {name: tensor.to(torch.uint8).contiguous() for name, tensor in pictures.items()}
    error = view.error.half().expand(len(source), -1, -1, -1).contiguous()
    return stored | {"error": error, "way": view.way.float(), "distance": view.distance.float()}


def pack_all(
    media: Media, output: Path, windows: int, seed: int, *, rows_of: RowsOf = code, moved: int = PHOTO_PICTURES
) -> None:
    """Write the packed files of all media into the folder `output`.

    windows: number of files for each clip; a photograph has one. seed: seed of all random choices.
    rows_of: function from a short video to the rows of its file, default `code`.
    moved: number of pictures of a photograph under a moving camera, default PHOTO_PICTURES.
    """
    output.mkdir(parents=True, exist_ok=True)
    for path in [*media.clips, *media.photos]:
        rng = np.random.default_rng([seed, zlib.crc32(path.name.encode())])
        names = [f"{path.stem}_s{seed}_{i}" for i in range(windows if path in media.clips else 1)]
        if all((output / f"{name}.safetensors").exists() for name in names):
            continue
        if path in media.clips:
            videos = clip_windows(path, rng, len(names))
        else:
            videos = [moved_photo(path, media.photos, rng, moved)]
        for name, video in zip(names, videos, strict=True):
            rows = rows_of(video, rng)
            target = output / f"{name}.safetensors"
            save_file(rows, target.with_suffix(".partial"))
            target.with_suffix(".partial").rename(target)
            print(f"{name}: {len(next(iter(rows.values())))} rows", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    parser.add_argument("output", type=Path, help="folder for the files; what is there already is kept")
    parser.add_argument("media", type=Path, help="list of the media (training.media says how)")
    parser.add_argument("--folder", type=Path, help="folder with the media; default: that of the list")
    parser.add_argument("--windows", type=int, default=2, help="number of windows of each clip; default: 2")
    parser.add_argument("--seed", type=int, default=1, help="seed of all choices; default: 1")
    arguments = parser.parse_args()
    try:
        media = read_media(arguments.media, arguments.folder or arguments.media.parent)
    except (MediaError, OSError) as error:
        sys.exit(str(error))
    torch.set_num_threads(1)
    pack_all(media, arguments.output, arguments.windows, arguments.seed)


if __name__ == "__main__":
    main()
