# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The latents of all clips, encoded once: what the transformer codes, and what it is shown of known pictures.

A file holds the latents of the clips in a file of training.tiny.clips, each for one of CONDITIONS, whose names end
those of the tensors, float16 [clips, 16, latent frames, H/8, W/8]: `clean_` are the clips themselves and `shown_` their
known pictures. These are stills that were coded at a random quality, as in the codec.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.random import Generator
from safetensors.torch import load_file, save_file
from torch import Tensor

from gvc.pictures.rgb import to_rgb
from gvc.stills.av1 import decode_still, encode_still
from training.tiny.clips import FORMAT, PICTURES, PLANES, mirrored, rgb
from training.tiny.models import encode
from training.tiny.run import faster

SHORT = 17  # pictures of short clips, which are the beginnings of the others
QUANTISERS = (20, 56)  # range of the AV1 quantiser of known pictures
# Known pictures of a clip, and its length. The beginnings of `first` serve for short clips too, since the autoencoder
# is causal.
CONDITIONS = {
    "first": ((0,), PICTURES),
    "both": ((0, PICTURES - 1), PICTURES),
    "both_short": ((0, SHORT - 1), SHORT),
}


@torch.inference_mode()
def encode_all(files: Iterable[Path], vae: AutoencoderKLWan, output: Path) -> None:
    """Write a file of latents into the folder `output` for each file of clips that has none yet."""
    output.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = output / path.name
        if target.exists():
            continue
        rng = np.random.default_rng(list(path.name.encode()))
        planes = load_file(path)
        stored = {}
        for start, (name, (known, length)) in enumerate(CONDITIONS.items()):
            part = {plane: planes[plane][start :: len(CONDITIONS), :length] for plane in PLANES}
            if rng.random() < 0.5:
                part = mirrored(part)
            pictures = {"clean": rgb(part), "shown": _shown(part, known, rng)}
            with faster(vae.device.type):
                stored |= {f"{kind}_{name}": encode(vae, video.to(vae.device)) for kind, video in pictures.items()}
        save_file(
            {name: latent.half().cpu().contiguous() for name, latent in stored.items()}, target.with_suffix(".partial")
        )
        target.with_suffix(".partial").rename(target)
        print(f"{path.stem}: encoded", flush=True)


def _shown(clips: dict[str, Tensor], known: tuple[int, ...], rng: Generator) -> Tensor:
    """Return the known pictures of clips in otherwise grey ones, R'G'B' [N, 3, T, H, W]."""
    shown = torch.zeros(len(clips["y"]), 3, *clips["y"].shape[1:])
    for clip in range(len(shown)):
        for picture in known:
            planes = tuple(clips[name][clip, picture].numpy() for name in PLANES)
            decoded = decode_still(encode_still(planes, int(rng.integers(*QUANTISERS)), "fast"), FORMAT)
            shown[clip, :, picture] = to_rgb(tuple(plane[None] for plane in decoded), FORMAT)[0, :, 0]
    return shown
