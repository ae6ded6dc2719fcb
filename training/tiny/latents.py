# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The latents of all clips, encoded once: what the transformer codes, and what it is shown of known pictures.

A file holds, for each clip of a file of training.tiny.clips and for its mirrored and reversed twin, float16 tensors
[clips, 16, latent frames, H/8, W/8]: `clean`, the clip itself, and for each of CONDITIONS the latents of the known
pictures. These are stills that were coded at a random quality, as in the codec.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.random import Generator
from safetensors.torch import load_file, save_file
from torch import Tensor

from gvc.stills.av1 import decode_still, encode_still
from training.tiny.clips import FORMAT, PICTURES, PLANES, mirrored, rgb
from training.tiny.models import encode

SHORT = 17  # pictures of short clips, which are the beginnings of the others
QUANTISERS = (20, 56)  # range of the AV1 quantiser of known pictures
# Known pictures of a clip, and its length. The first picture of a short clip needs no entry of its own, since the
# autoencoder is causal.
CONDITIONS = {
    "first": ((0,), PICTURES),
    "both": ((0, PICTURES - 1), PICTURES),
    "both_short": ((0, SHORT - 1), SHORT),
}


def encode_all(files: Iterable[Path], vae: AutoencoderKLWan, output: Path) -> None:
    """Write a file of latents into the folder `output` for each file of clips that has none yet."""
    output.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = output / path.name
        if target.exists():
            continue
        rng = np.random.default_rng(list(path.name.encode()))
        planes = load_file(path)
        rows = [_latents(clip, vae, rng) for clip in _clips(planes)]
        stored = {name: torch.cat([row[name] for row in rows]).half().cpu() for name in rows[0]}
        save_file(stored, target.with_suffix(".partial"))
        target.with_suffix(".partial").rename(target)
        print(f"{path.stem}: {len(rows)} clips encoded", flush=True)


def _clips(planes: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Yield each clip, and its mirrored and reversed twin, as planes [1, T, H, W]."""
    for i in range(len(planes["y"])):
        clip = {name: planes[name][i : i + 1] for name in PLANES}
        yield from (clip, mirrored(clip))


@torch.inference_mode()
def _latents(clip: dict[str, Tensor], vae: AutoencoderKLWan, rng: Generator) -> dict[str, Tensor]:
    source = rgb(clip).to(vae.device)
    found = {"clean": encode(vae, source)}
    for name, (known, length) in CONDITIONS.items():
        shown = torch.zeros_like(source[:, :, :length])  # Unknown pictures are grey.
        for i in known:
            shown[:, :, i] = rgb(_still(clip, i, rng)).to(source.device)[:, :, 0]
        found[name] = encode(vae, shown)
    return found


def _still(clip: dict[str, Tensor], index: int, rng: Generator) -> dict[str, Tensor]:
    """Return a picture of a clip as a still that was coded at a random quality, planes [1, 1, H, W]."""
    planes = tuple(clip[name][0, index].numpy() for name in PLANES)
    decoded = decode_still(encode_still(planes, int(rng.integers(*QUANTISERS)), "fast"), FORMAT)
    return {name: torch.from_numpy(plane)[None, None] for name, plane in zip(PLANES, decoded, strict=True)}
