# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the latent video models of diffusers have in common as priors of the codec.

A family (gvc.priors.wan is one) derives from both classes here. From DiffusionPrior: it loads its networks and says
what its latents are like. From ConditionedDiffusion: it turns the known pictures of a GOP and its prompt into inputs of
its network, and calls it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from ..errors import BitstreamError, PriorError
from ..pictures.rgb import from_rgb, pad_to_multiple, to_rgb
from ..prior import Clip, Condition, ModelOptions, Planes
from .loading import network_call, network_dtype, place_on_device

PICTURE_DEVIATION = 60.0  # luma samples: the standard deviation of pictures, about, which normalised latents stand for
BOUNDARIES = {"t2v": (False, False), "i2v": (True, False), "flf2v": (True, True)}  # which known pictures a mode has


@dataclass(frozen=True)
class LatentSpace:
    """What the latents of a model are like. mean, std: of each channel of what the VAE's encoder says."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    temporal_stride: int  # pictures a latent frame, the first frame excepted: it has one
    scale: int  # luma samples a latent value, each way
    patch: int = 1  # latent values a token of the network, each way

    @property
    def channels(self) -> int:
        """Channels of the latent."""
        return len(self.mean)

    @property
    def sample_scale(self) -> float:
        """Luma samples that a latent unit is worth, as in gvc.prior.Prior: a value stands for many samples."""
        samples = self.temporal_stride * self.scale**2 / self.channels
        return PICTURE_DEVIATION * samples**0.5

    def padded(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Return the least size of a video that the model takes and that is not smaller."""
        time, side = self.temporal_stride, self.scale * self.patch
        return _up(frames - 1, time) + 1, _up(height, side), _up(width, side)


def _up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


class DiffusionPrior:
    """A latent video model ready to be conditioned; implements gvc.prior.Prior.

    pipeline: of diffusers, with the networks that both sides run (`transformer`, `vae`, which is float32, and others of
        the family) in main memory. They are placed here as the options say. Its loop and scheduler are not used.
    modes: the modes that the model was trained for.
    prompts: gives the embedding of a text, by names of the family.
    Raises PriorError when the device cannot take the model.
    """

    conditioned: type["ConditionedDiffusion"]  # of the family
    adaptive_modes: tuple[str, ...] = ()  # video models want GOPs of the lengths that they were trained with
    cheap_steps = False

    def __init__(
        self,
        name: str,
        modes: tuple[str, ...],
        weights_hash: bytes,
        *,
        pipeline: DiffusionPipeline,
        space: LatentSpace,
        prompts: Callable[[str], dict[str, Tensor]],
        options: ModelOptions,
    ):
        self.name, self.modes, self.weights_hash = name, modes, weights_hash
        self.pipeline, self.network, self.vae = pipeline, pipeline.transformer, pipeline.vae
        self.space, self.sample_scale, self.prompts = space, space.sample_scale, prompts
        self.device, self.dtype = torch.device(options.device), network_dtype(options)  # where all vectors live
        shape = (1, space.channels, 1, 1, 1)
        self.latents_mean = torch.tensor(space.mean, device=self.device).view(shape)
        self.latents_std = torch.tensor(space.std, device=self.device).view(shape)
        place_on_device(pipeline, options)
        if options.tiling:
            self.vae.enable_tiling()
            self.vae.enable_slicing()

    def analyse(self, condition: Condition, clip: Clip) -> "NoAnalysis":
        """Encoder: nothing can be said of a GOP before the model has run."""
        return NoAnalysis()

    def condition(self, condition: Condition, side: bytes) -> "ConditionedDiffusion":
        """Show the model its known pictures. Raises BitstreamError (side information), PriorError (wrong mode)."""
        if side:
            raise BitstreamError("side information", 0, f"the prior {self.name} has none, so none may be sent")
        if condition.frames == 1 and self.modes == ("flf2v",):  # its one picture is the first and the last
            condition = replace(condition, last=condition.first)
        given = (condition.first is not None, condition.last is not None)
        if given not in [BOUNDARIES[mode] for mode in self.modes]:
            modes = {pictures: mode for mode, pictures in BOUNDARIES.items()}
            mode, own = modes.get(given, "of only a last picture"), " or ".join(self.modes)
            raise PriorError(f"{self.name} cannot code a GOP of mode {mode}; set mode={own} or another prior")
        with network_call(_size_of(condition)):
            return self.conditioned(self, condition)

    def encode(self, rgb: Tensor) -> Tensor:
        """Return the normalised latent [1, C, T', H', W'] of R'G'B' [1, 3, T, H, W] in [-1, 1], of padded size."""
        return (self.vae.encode(rgb).latent_dist.mode() - self.latents_mean) / self.latents_std

    def decode(self, latent: Tensor) -> Tensor:
        """Return R'G'B' [1, 3, T, H, W] in [-1, 1] of a normalised latent [1, C, T', H', W']."""
        return self.vae.decode(latent * self.latents_std + self.latents_mean).sample


class NoAnalysis:
    """Implements gvc.prior.Analysis: all that the model is told of a GOP are its known pictures."""

    def describe(self, sigma: float) -> bytes:
        """Return no side information."""
        return b""

    def refined(self, sigma: float) -> "NoAnalysis":
        return self

    def rate_distortion(self, sigma: float) -> None:
        """Predict nothing."""


class ConditionedDiffusion:
    """A model for one GOP; implements gvc.prior.ConditionedPrior with torch tensors on the prior's device.

    The vector is the normalised latent [T', C, H', W'] in C order, so that a block, one latent frame, is contiguous.
    The video is padded to a size that the model takes by repeating its last picture, bottom row and right column; a
    known last picture is then the last one of the padded video.
    """

    memory = known = None
    follows_flow = True

    def __init__(self, prior: DiffusionPrior, condition: Condition):
        self.prior, self.format, self.frames = prior, condition.format, condition.frames
        self._what = _size_of(condition)
        known = ((0, condition.first), (self.frames - 1, condition.last))
        self._pictures = [(index, planes) for index, planes in known if planes is not None]
        space = prior.space
        self.padded = space.padded(self.frames, self.format.height, self.format.width)  # frames, height, width
        time, height, width = self.padded
        latent_frames = (time - 1) // space.temporal_stride + 1
        self.shape = (latent_frames, space.channels, height // space.scale, width // space.scale)
        plane = self.shape[2] * self.shape[3]
        self.size = latent_frames * space.channels * plane
        self.blocks = _cut(0, self.size, space.channels * plane)
        self.tail = _cut(self.blocks[-1].start, self.size, plane)

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return the network's E[eps - x0 | x_t = latent], both [1, C, T', H', W']; the latent is float32.

        To be written by a family.
        """
        raise NotImplementedError

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = x] as float32 [size]."""
        with network_call(self._what):
            return flatten(self.predict(self._unflatten(x), t).float())

    def zeros(self) -> Tensor:
        """Return float32 zeros [size] on the prior's device."""
        return torch.zeros(self.size, device=self.prior.device)

    def encode_latent(self, clip: Clip) -> Tensor:
        """Return the clean latent, float32 [size], of planes uint8 [T, H, W]."""
        with network_call(self._what):
            return flatten(self.prior.encode(self.video(clip, self.padded[0])))

    def decode_latent(self, x0: Tensor, realism: float) -> Clip:
        """Return planes uint8 [T, H, W], the known pictures as they are known.

        `realism` is not used: what was not coded, the trajectory has filled in.
        """
        with network_call(self._what):
            rgb = self.prior.decode(self._unflatten(x0))
            clip = from_rgb(rgb[:, :, : self.frames, : self.format.height, : self.format.width], self.format)
        for index, planes in self._pictures:
            for plane, known in zip(clip, planes, strict=True):
                plane[index] = known
        return clip

    def picture(self, planes: Planes) -> Tensor:
        """Return one padded picture as R'G'B' [1, 3, 1, H, W] in [-1, 1] on the prior's device."""
        return self.video(tuple(plane[None] for plane in planes), frames=1)

    def video(self, clip: Clip, frames: int) -> Tensor:
        """Return a clip, padded to `frames` pictures of padded size, as R'G'B' [1, 3, frames, H, W] in [-1, 1]."""
        space = self.prior.space
        return pad_to_multiple(to_rgb(clip, self.format, self.prior.device), frames, space.scale * space.patch)

    def _unflatten(self, x: Tensor) -> Tensor:
        """Return [1, C, T', H', W'], the layout of the networks, of a vector [size]."""
        return x.view(self.shape).transpose(0, 1)[None]


def flatten(latent: Tensor) -> Tensor:
    """Return the vector of a latent [1, C, T', H', W']."""
    return latent[0].transpose(0, 1).reshape(-1)


def _size_of(condition: Condition) -> str:
    return f"{condition.frames} pictures of {condition.format.width}x{condition.format.height}"


def _cut(start: int, stop: int, step: int) -> list[slice]:
    return [slice(at, at + step) for at in range(start, stop, step)]
