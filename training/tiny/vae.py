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
from gvc.priors.device import has_bfloat16
from training.loop import State, train
from training.tiny.clips import Clips
from training.tiny.models import VAE
from training.tiny.run import CHECKPOINT_SECONDS, Run, normal

LENGTH = 9  # pictures of a training clip: latent frames of one picture and of four, with one and two before them
PERCEPTUAL_WEIGHT = 0.02  # weight of LPIPS relative to the squared error of values in [-1, 1]
PERCEIVED = 4  # one of so many pictures gets LPIPS, since AlexNet costs as much as a fifth of the autoencoder
# Weight of the divergence from a normal distribution, in nats a latent value. It makes the latents smooth: an error of
# them, which is what the codec leaves, then costs little.
DIVERGENCE_WEIGHT = 1e-4
HELD_OUT_CLIPS = 8
RATE = 1e-3


class Reconstruction:
    """Implements training.loop.Task: decoded clips become like their source."""

    def __init__(self, clips: Clips, held_out: Clips, run: Run):
        self._clips, self._batch, self._device = clips, run.vae_batch, run.device
        self._held_out = held_out.draw(HELD_OUT_CLIPS, LENGTH, np.random.default_rng(0)).to(run.device)
        self._lpips = Lpips("alexnet").to(run.device)

    def loss(self, network: AutoencoderKLWan, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        source = self._clips.draw(self._batch, LENGTH, rng).to(self._device)
        with torch.autocast(self._device, torch.bfloat16, enabled=has_bfloat16(self._device)):
            found = network.encode(source).latent_dist
            mean, deviation = found.mean.float(), found.std.float()
            latent = mean + deviation * normal(mean.shape, rng).to(self._device)
            made = network.decode(latent).sample.float()
        squared = (made - source).square().mean()
        perceived = int(rng.integers(PERCEIVED))
        distance = self._distance(made[:, :, perceived::PERCEIVED], source[:, :, perceived::PERCEIVED])
        divergence = (mean.square() + deviation.square() - 1).mean() / 2 - deviation.log().mean()
        total = squared + PERCEPTUAL_WEIGHT * distance + DIVERGENCE_WEIGHT * divergence
        figures = {
            "psnr": _psnr(squared.detach()),
            "lpips": float(distance.detach()),
            "nats": float(divergence.detach()),
        }
        return total, figures

    @torch.inference_mode()
    def evaluate(self, network: AutoencoderKLWan) -> dict[str, float]:
        """Return PSNR in dB and LPIPS of held-out clips, without quantisation or noise in the latent."""
        made = network.decode(network.encode(self._held_out).latent_dist.mode()).sample
        squared = (made - self._held_out).square().mean()
        return {"psnr": round(_psnr(squared), 3), "lpips": round(float(self._distance(made, self._held_out)), 4)}

    def _distance(self, made: Tensor, source: Tensor) -> Tensor:
        """Return the mean LPIPS of pictures [N, 3, T, H, W] in [-1, 1]."""
        pictures = (x.transpose(1, 2).flatten(0, 1) / 2 + 0.5 for x in (made, source))
        return self._lpips(*pictures).mean()


def train_vae(clips: Clips, held_out: Clips, run: Run) -> Path:
    """Train the autoencoder; return its folder. An autoencoder that is there already is kept."""
    folder = run.output / "vae"
    if not (folder / "config.json").exists():
        torch.manual_seed(run.seed)
        state = State.of(AutoencoderKLWan(**VAE).to(run.device), betas=(0.9, 0.99))
        task = Reconstruction(clips, held_out, run)
        settings = {"steps": run.vae_steps, "rate": RATE, "seed": run.seed, "pause": CHECKPOINT_SECONDS}
        train(state, task, run.output / "vae_training", **settings)
        mean, std = statistics(state.average, clips, run)
        state.average.register_to_config(latents_mean=mean.tolist(), latents_std=std.tolist())
        state.average.half().save_pretrained(folder)
    return folder


@torch.inference_mode()
def statistics(vae: AutoencoderKLWan, clips: Clips, run: Run) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each latent channel."""
    drawn = clips.one_of_each(np.random.default_rng(run.seed))
    values = (
        torch.cat([vae.encode(clip.to(run.device)).latent_dist.mode() for clip in drawn]).transpose(0, 1).flatten(1)
    )
    return values.mean(1), values.std(1)


def _psnr(squared: Tensor) -> float:
    """Return the PSNR in dB of values in [-1, 1] with a mean squared error."""
    return float(10 * torch.log10(4 / squared))
