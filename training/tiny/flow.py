# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The second network of `wan-tiny`: the transformer, a rectified flow on the latents of training.tiny.latents."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanVACETransformer3DModel
from numpy.random import Generator
from safetensors import safe_open
from torch import Tensor

from gvc.modes import Mode
from training.data import Scenes
from training.loop import State, train
from training.tiny.clips import HEIGHT, PICTURES, WIDTH
from training.tiny.latents import SHORT
from training.tiny.models import SPATIAL_STRIDE, TEXT_CHANNELS, TRANSFORMER, encode, latent_frames
from training.tiny.run import CHECKPOINT_SECONDS, Run, faster, normal

RATE = 8e-4
EARLIEST = 0.03  # smallest time of the half of the times that is drawn by their logarithm
HELD_OUT_CLIPS = 8
TIMES = (0.1, 0.4, 0.8)  # times at which held-out clips are looked at


class Latents:
    """Files of training.tiny.latents, drawn as by Scenes."""

    def __init__(self, files: Iterable[Path], vae: AutoencoderKLWan):
        self._scenes = Scenes(files)
        grey = torch.zeros(1, 3, PICTURES, HEIGHT, WIDTH, device=vae.device)
        with torch.inference_mode():
            self._grey = encode(vae, grey)[0].cpu()

    def draw(self, modes: list[Mode], pictures: int, rng: Generator) -> tuple[Tensor, Tensor]:
        """Return the latents of a random clip for each mode, [N, 16, T', H', W'], and the controls [N, 96, T', H', W'].

        A control is what the transformer is shown: the latents of the known pictures, those of an unknown video, and
        the mask, which is 1 everywhere, since the first and the last picture do not show in it.
        """
        frames = latent_frames(pictures)
        rows = [self._clip(mode, frames, rng) for mode in modes]
        clean, shown = (torch.stack(column) for column in zip(*rows, strict=True))
        grey = self._grey[:, :frames].expand_as(shown)
        mask = torch.ones(len(rows), SPATIAL_STRIDE**2, *clean.shape[2:])
        return clean, torch.cat((shown, grey, mask), dim=1)

    def _clip(self, mode: Mode, frames: int, rng: Generator) -> tuple[Tensor, Tensor]:
        both = "both" if frames == latent_frames(PICTURES) else "both_short"
        name = {Mode.I2V: "first", Mode.FLF2V: both}.get(mode) or ("first", both)[rng.integers(2)]
        with safe_open(self._scenes.file(rng), "pt") as file:
            clips = file.get_slice(f"clean_{name}").get_shape()[0]
            window = (int(rng.integers(clips)), slice(None), slice(frames))
            clean, shown = (file.get_slice(f"{kind}_{name}")[window].float() for kind in ("clean", "shown"))
            return clean, self._grey[:, :frames] if mode == Mode.T2V else shown


class Flow:
    """Implements training.loop.Task: the mean of eps - x0 given x_t = (1 - t) x0 + t eps and the known pictures."""

    def __init__(self, latents: Latents, held_out: Latents, run: Run):
        self._latents, self._batch, self._device = latents, run.flow_batch, run.device
        rng = np.random.default_rng(0)
        self._held_out = {mode: held_out.draw([mode] * HELD_OUT_CLIPS, PICTURES, rng) for mode in Mode}
        self._noise = normal(next(iter(self._held_out.values()))[0].shape, rng)

    def loss(self, network: WanVACETransformer3DModel, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        clean, control = draw_batch(self._latents, self._batch, rng)
        squared = self._squared_errors(network, clean, control, times(self._batch, rng), normal(clean.shape, rng))
        return squared.mean(), {}

    @torch.inference_mode()
    def evaluate(self, network: WanVACETransformer3DModel) -> dict[str, dict[str, float]]:
        """Return the mean squared error of the velocity of held-out clips, by mode and time."""
        found = {}
        for mode, (clean, control) in self._held_out.items():
            squared = (
                self._squared_errors(network, clean, control, np.full(len(clean), t), self._noise) for t in TIMES
            )
            found[mode] = {str(t): round(float(s.mean()), 4) for t, s in zip(TIMES, squared, strict=True)}
        return found

    def _squared_errors(
        self, network: WanVACETransformer3DModel, clean: Tensor, control: Tensor, t: np.ndarray, noise: Tensor
    ) -> Tensor:
        """Return the squared errors of the velocity of latents [N, 16, T', H', W'] at times t [N]."""
        clean, control, noise = (x.to(self._device) for x in (clean, control, noise))
        t = torch.from_numpy(t).float().to(self._device)
        found = velocity(network, noisy(clean, noise, t), t, control)
        return (found - (noise - clean)).square()


def noisy(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return x_t of latents and noise [N, 16, T', H', W'] at times t [N]."""
    weight = t.view(-1, 1, 1, 1, 1)
    return (1 - weight) * clean + weight * noise


def velocity(network: WanVACETransformer3DModel, x: Tensor, t: Tensor, control: Tensor) -> Tensor:
    """Return the network's velocity, float32 [N, 16, T', H', W'], of x_t at times t [N], with an empty prompt."""
    # All tokens of the empty prompt are zero, and attention to many equal tokens is attention to one.
    text = torch.zeros(len(x), 1, TEXT_CHANNELS, device=x.device)
    with faster(x.device.type):
        (found,) = network(
            hidden_states=x,
            timestep=1000 * t,
            encoder_hidden_states=text,
            control_hidden_states=control,
            return_dict=False,
        )
    return found.float()


def times(count: int, rng: Generator) -> np.ndarray:
    """Return random times [count]; half of them are uniform in 0..1, and the logarithms of the others are.

    An error of the velocity at time t costs bits in proportion to (1 - t) / t.
    """
    uniform = np.linspace(0, 1, count, endpoint=False) + rng.random(count) / count
    return np.where(np.arange(count) % 2, uniform, EARLIEST**uniform)


def draw_batch(latents: Latents, count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """Return random latents and controls (Latents.draw), as many of each mode, and short clips half of the time."""
    pictures = SHORT if rng.random() < 0.5 else PICTURES
    return latents.draw([list(Mode)[i % len(Mode)] for i in range(count)], pictures, rng)


def train_flow(files: tuple[list[Path], list[Path]], vae: AutoencoderKLWan, run: Run) -> WanVACETransformer3DModel:
    """Train the transformer and return it.

    files: latents to train on, and those of the held-out scenes. vae: the autoencoder that made them.
    """
    torch.manual_seed(run.seed)
    network = WanVACETransformer3DModel(**TRANSFORMER)
    task = Flow(*(Latents(part, vae) for part in files), run)
    state = State.of(network.to(run.device), betas=(0.9, 0.99))
    settings = {"steps": run.flow_steps, "rate": RATE, "seed": run.seed, "pause": CHECKPOINT_SECONDS}
    train(state, task, run.output / "flow_training", **settings)
    return state.average
