# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The first network of `wan-tiny`: the autoencoder."""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.random import Generator
from torch import Tensor

from gvc.metrics.perceptual import Lpips
from training.loop import State, train
from training.tiny import single_pass
from training.tiny.clips import PICTURES, Clips
from training.tiny.models import new_vae
from training.tiny.run import CHECKPOINT_SECONDS, Run, faster, normal

LENGTH = 9  # pictures of the short clips that both halves are trained with
PERCEPTUAL_WEIGHT = 0.01  # weight of LPIPS relative to the squared error of values in [-1, 1]
# Deviation of the noise that is added to a latent channel, relative to that of the channel. It makes the latents
# smooth: an error of them, which is what the codec leaves, then costs little.
NOISE = 0.1
HELD_OUT_CLIPS = 8
COUNTED_CLIPS = 64  # clips for the statistics of the latents
RATE = 1e-3
DECODER_RATE = 5e-4


class Reconstruction:
    """Implements training.loop.Task: decoded clips become like their source.

    length: pictures of a clip. batch: clips a step.
    """

    def __init__(self, clips: Clips, held_out: Clips, device: str, length: int, batch: int):
        self._clips, self._device, self._length, self._batch = clips, device, length, batch
        self._held_out = held_out.draw(HELD_OUT_CLIPS, length, np.random.default_rng(0)).to(device)
        self._lpips = Lpips("alexnet").to(device)

    def loss(self, network: AutoencoderKLWan, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        source = self._clips.draw(self._batch, self._length, rng).to(self._device)
        with faster(self._device):
            latent = single_pass.encode(network, source).float()
            deviation = latent.detach().std((0, 2, 3, 4), keepdim=True)
            latent = latent + NOISE * deviation * normal(latent.shape, rng).to(self._device)
            made = single_pass.decode(network, latent).float()
        squared = (made - source).square().mean()
        perceived = slice(int(rng.integers(LENGTH)), None, LENGTH)  # Few pictures of a clip, to save time
        distance = self._distance(made[:, :, perceived], source[:, :, perceived])
        return squared + PERCEPTUAL_WEIGHT * distance, {
            "psnr": _psnr(squared.detach()),
            "lpips": float(distance.detach()),
        }

    @torch.inference_mode()
    def evaluate(self, network: AutoencoderKLWan) -> dict[str, float]:
        """Return PSNR in dB and LPIPS of held-out clips, without quantisation or noise in the latent."""
        with faster(self._device):
            made = single_pass.decode(network, single_pass.encode(network, self._held_out)).float()
        squared = (made - self._held_out).square().mean()
        return {"psnr": round(_psnr(squared), 3), "lpips": round(float(self._distance(made, self._held_out)), 4)}

    def _distance(self, made: Tensor, source: Tensor) -> Tensor:
        """Return the mean LPIPS of pictures [N, 3, T, H, W] in [-1, 1]."""
        pictures = (x.transpose(1, 2).flatten(0, 1) / 2 + 0.5 for x in (made, source))
        return self._lpips(*pictures).mean()


def train_vae(clips: Clips, held_out: Clips, run: Run) -> Path:
    """Train the autoencoder on short clips; return its folder. An autoencoder that is there already is kept."""
    folder = run.output / "vae"
    if not (folder / "config.json").exists():
        torch.manual_seed(run.seed)
        state = State.of(new_vae().to(run.device), betas=(0.9, 0.99))
        task = Reconstruction(clips, held_out, run.device, LENGTH, run.vae_batch)
        settings = {"steps": run.vae_steps, "rate": RATE, "seed": run.seed, "pause": CHECKPOINT_SECONDS}
        train(state, task, run.output / "vae_training", **settings)
        mean, std = statistics(state.average, clips, run)
        state.average.register_to_config(latents_mean=mean.tolist(), latents_std=std.tolist())
        state.average.half().save_pretrained(folder)
    return folder


def train_decoder(vae: AutoencoderKLWan, clips: Clips, held_out: Clips, run: Run) -> AutoencoderKLWan:
    """Train the decoder of `vae` further on clips of full length; return the autoencoder.

    A decoder that has seen the beginnings of clips only fails at later latent frames, which have more frames before
    them. The encoder does not change, so latents stay valid.
    """
    vae.requires_grad_(False)
    for part in (vae.decoder, vae.post_quant_conv):
        part.requires_grad_(True)
    state = State.of(vae, betas=(0.9, 0.99))
    batch = max(run.vae_batch * LENGTH // PICTURES, 1)
    task = Reconstruction(clips, held_out, run.device, PICTURES, batch)
    settings = {"steps": run.decoder_steps, "rate": DECODER_RATE, "seed": run.seed, "pause": CHECKPOINT_SECONDS}
    train(state, task, run.output / "decoder_training", **settings)
    return state.average


@torch.inference_mode()
def statistics(vae: AutoencoderKLWan, clips: Clips, run: Run) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each latent channel."""
    drawn = clips.draw(COUNTED_CLIPS, PICTURES, np.random.default_rng(run.seed)).split(1)
    latents = [single_pass.encode(vae, clip.to(run.device)) for clip in drawn]
    values = torch.cat(latents).transpose(0, 1).flatten(1)
    return values.mean(1), values.std(1)


def _psnr(squared: Tensor) -> float:
    """Return the PSNR in dB of values in [-1, 1] with a mean squared error."""
    return float(10 * torch.log10(4 / squared))
