# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Train `wan-tiny` from a list of media: pack clips, train the autoencoder, encode the clips, train the transformer,
and write the model's folder. After any stop the same command goes on where it was."""

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan

from training.data import divided
from training.media import MediaError, read_media
from training.pack import pack_all
from training.tiny.clips import PICTURES, Clips, crops
from training.tiny.flow import train_flow
from training.tiny.latents import encode_all
from training.tiny.models import channels_last, export
from training.tiny.run import Run
from training.tiny.vae import train_decoder, train_vae


def main() -> None:
    arguments = _parser().parse_args()
    torch.set_num_threads(arguments.threads)
    run = Run(**{name: getattr(arguments, name) for name in Run.__dataclass_fields__})
    rows_of = partial(crops, count=arguments.crops)
    try:
        media = read_media(arguments.media, arguments.folder or arguments.media.parent)
        pack_all(media, run.output / "clips", arguments.windows, run.seed, rows_of=rows_of, moved=PICTURES)
        clips = divided((run.output / "clips").glob("*.safetensors"))
    except (MediaError, OSError) as error:
        sys.exit(str(error))
    drawn = tuple(map(Clips, clips))
    vae = AutoencoderKLWan.from_pretrained(train_vae(*drawn, run), dtype=torch.float32)
    vae = train_decoder(channels_last(vae).to(run.device), *drawn, run)
    encode_all([*clips[0], *clips[1]], vae, run.output / "latents")
    latents = tuple([run.output / "latents" / path.name for path in part] for part in clips)
    export(run.output / "wan-tiny", vae, train_flow(latents, vae, run), arguments.media)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.tiny", description=__doc__)
    parser.add_argument("output", type=Path, help="folder for all that is made; the model is in its folder wan-tiny")
    parser.add_argument("media", type=Path, help="list of the media (training.media says how)")
    parser.add_argument("--folder", type=Path, help="folder with the media; default: that of the list")
    parser.add_argument("--windows", type=int, default=4, help="number of windows of each clip; default: 4")
    parser.add_argument("--crops", type=int, default=6, help="number of crops of each window, at least 3; default: 6")
    parser.add_argument("--vae_steps", type=int, default=1800, help="steps of the autoencoder; default: 1800")
    parser.add_argument("--vae_batch", type=int, default=4, help="clips a step; default: 4")
    parser.add_argument("--decoder_steps", type=int, default=900, help="steps of the decoder alone; default: 900")
    parser.add_argument("--flow_steps", type=int, default=3000, help="steps of the transformer; default: 3000")
    parser.add_argument("--flow_batch", type=int, default=8, help="clips a step; default: 8")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=1, help="seed of all choices; default: 1")
    return parser


if __name__ == "__main__":
    main()
