# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Common parts of priors that are latent video models of diffusers.

A family, such as gvc.priors.wan, derives a class from each of the two here. Its DiffusionPrior loads the networks and
describes the latents. Its ConditionedDiffusion turns the known pictures of a GOP and the prompt into inputs of the
network, and calls it.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from diffusers import DiffusionPipeline
from PIL import Image
from torch import Tensor

from ..errors import BitstreamError, PriorError
from ..media import Clip, Planes
from ..modes import Mode
from ..pictures.rgb import from_rgb, pad_to_multiple, to_rgb
from ..prior import Condition, ModelOptions
from .loading import network_call, network_dtype, place_on_device
from .low_band import DiffusionLowBand

PICTURE_DEVIATION = 60.0  # approximate standard deviation of pictures, in luma samples; normalised latents have 1
BOUNDARIES = {mode: (mode.has_first, mode.has_last) for mode in Mode}  # Known pictures of a GOP: first, last.


@dataclass(frozen=True)
class LatentSpace:
    """Geometry and scale of a model's latents."""

    mean: tuple[float, ...]  # mean of each channel of the VAE's latents
    std: tuple[float, ...]  # standard deviation of each channel
    temporal_stride: int  # pictures in a latent frame, except the first, which holds a single picture
    scale: int  # luma samples per latent value, horizontally and vertically
    patch: int = 1  # latent values per token of the network, horizontally and vertically; default 1

    @classmethod
    def of_wan(cls, vae: Mapping[str, Any], patch: int) -> Self:
        """Return the space of Wan's VAE. vae: its configuration."""
        mean, std = tuple(vae.latents_mean), tuple(vae.latents_std)
        return cls(mean, std, vae.scale_factor_temporal, vae.scale_factor_spatial, patch)

    @classmethod
    def of_one_scale(cls, vae: Mapping[str, Any], patch: int = 1) -> Self:
        """Return the space of a VAE with one scale for all channels. vae: its configuration."""
        mean, std = (0.0,) * vae.latent_channels, (1 / vae.scaling_factor,) * vae.latent_channels
        return cls(mean, std, vae.temporal_compression_ratio, vae.spatial_compression_ratio, patch)

    @property
    def channels(self) -> int:
        """Number of channels of the latent."""
        return len(self.mean)

    @property
    def sample_scale(self) -> float:
        """Error in luma samples that an error of 1 in a latent value stands for, as in gvc.prior.Prior."""
        samples = self.temporal_stride * self.scale**2 / self.channels
        return PICTURE_DEVIATION * samples**0.5

    def padded(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Return the smallest (frames, height, width) that the model accepts and that holds a video of this size."""
        time, side = self.temporal_stride, self.scale * self.patch
        return _up(frames - 1, time) + 1, _up(height, side), _up(width, side)


def _up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


class DiffusionPrior:
    """A latent video model ready to be conditioned; implements gvc.prior.Prior.

    name: name of the prior in streams.
    modes: modes that the model was trained for.
    weights_hash: 8 bytes that identify the weights.
    pipeline: pipeline of diffusers with the networks that encoder and decoder run (`transformer`, a float32 `vae`, and
        others of the family) in main memory. They are moved to the device here. Its loop and scheduler are not used.
    space: geometry and scale of the latents.
    prompts: function that returns the embedding of a text, as tensors under the family's names.
    options: device, dtype and placement of the networks.
    Raises PriorError if the device has too little memory for the model.
    """

    conditioned: type["ConditionedDiffusion"]  # the family's class for one GOP
    adaptive_modes: tuple[str, ...] = ()  # none: video models need the GOP lengths that they were trained with
    has_low_band = False  # True in families whose ConditionedDiffusion has a `_shrink` for all of its inputs
    cheap_steps = False
    concurrent = False
    takes_loras = False  # whether `from_pretrained` of the family adds those of the option `lora` to the weights

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
        self.device, self.dtype = torch.device(options.device), network_dtype(options)
        shape = (1, space.channels, 1, 1, 1)
        self.latents_mean = torch.tensor(space.mean, device=self.device).view(shape)
        self.latents_std = torch.tensor(space.std, device=self.device).view(shape)
        place_on_device(pipeline, options)
        if options.tiling:
            self.vae.enable_tiling()
            self.vae.enable_slicing()

    def analyse(self, condition: Condition, clip: Clip) -> "NoAnalysis":
        """Return an empty analysis: nothing can be predicted of a GOP before the model has run."""
        return NoAnalysis()

    def condition(self, condition: Condition, side: bytes) -> "ConditionedDiffusion":
        """Prepare the model for one GOP.

        Raises BitstreamError if there is side information, PriorError if the model lacks the mode.
        """
        if side:
            raise BitstreamError("side", 0, f"the prior {self.name} has none, so none may be sent")
        if condition.frames == 1 and self.modes == ("flf2v",):  # A single picture is both the first and the last.
            condition = replace(condition, last=condition.first)
        given = (condition.first is not None, condition.last is not None)
        if given not in [BOUNDARIES[mode] for mode in self.modes]:
            modes = {pictures: mode for mode, pictures in BOUNDARIES.items()}
            kind = f"of mode {modes[given]}" if given in modes else "with only a last picture"
            raise PriorError(
                f"{self.name} cannot code a GOP {kind}; set mode={' or '.join(self.modes)} or another prior"
            )
        with network_call(_size_of(condition)):
            return self.conditioned(self, condition)

    def encode(self, rgb: Tensor) -> Tensor:
        """Encode R'G'B' [1, 3, T, H, W] in [-1, 1], of padded size, to a normalised latent [1, C, T', H', W']."""
        return (self.vae.encode(rgb).latent_dist.mode() - self.latents_mean) / self.latents_std

    def decode(self, latent: Tensor) -> Tensor:
        """Decode a normalised latent [1, C, T', H', W'] to R'G'B' [1, 3, T, H, W] in [-1, 1]."""
        return self.vae.decode(latent * self.latents_std + self.latents_mean).sample


class NoAnalysis:
    """Implements gvc.prior.Analysis for models that get no side information, only the known pictures."""

    def describe(self, sigma: float) -> bytes:
        """Return no side information."""
        return b""

    def refined(self, sigma: float) -> "NoAnalysis":
        return self

    def rate_distortion(self, sigma: float) -> None:
        """Predict nothing."""


class ConditionedDiffusion:
    """A model conditioned on one GOP; implements gvc.prior.ConditionedPrior with torch tensors on the prior's device.

    The vector is the normalised latent [T', C, H', W'] in C order, so that a latent frame, which is a block, is
    contiguous. The video is padded to a size that the model accepts by repeating its last picture, bottom row and right
    column. A known last picture is therefore the last one of the padded video.
    """

    memory, known = None, ()
    follows_flow = True

    def __init__(self, prior: DiffusionPrior, condition: Condition):
        self.prior, self.format, self.frames = prior, condition.format, condition.frames
        self._what = _size_of(condition)
        known = ((0, condition.first), (self.frames - 1, condition.last))
        self._pictures = [(index, planes) for index, planes in known if planes is not None]
        space = prior.space
        self.padded = space.padded(self.frames, self.format.height, self.format.width)
        time, height, width = self.padded
        latent_frames = (time - 1) // space.temporal_stride + 1
        self.shape = (latent_frames, space.channels, height // space.scale, width // space.scale)
        self._lay_out(range(latent_frames))
        self._low_bands: dict[int, DiffusionLowBand] = {}

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return the network's E[eps - x0 | x_t = latent], both [1, C, T', H', W']; families implement this.

        latent: float32 state of the flow. t: time in [0, 1].
        """
        raise NotImplementedError

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = x] as float32 [size]."""
        with network_call(self._what):
            return self._flatten(self.predict(self._unflatten(x), t).float())

    def zeros(self) -> Tensor:
        """Return float32 zeros [size] on the prior's device."""
        return torch.zeros(self.size, device=self.prior.device)

    def encode_latent(self, clip: Clip) -> Tensor:
        """Encode planes, uint8 [T, H, W], to the clean latent, float32 [size]."""
        with network_call(self._what):
            return self._flatten(self.prior.encode(self.video(clip, self.padded[0])))

    def decode_latent(self, x0: Tensor, realism: float) -> Clip:
        """Decode a clean latent to planes, uint8 [T, H, W]; known pictures replace their decoded versions.

        `realism` is not used: the flow itself has generated what was not coded.
        """
        with network_call(self._what):
            rgb = self.prior.decode(self._unflatten(x0))
            clip = from_rgb(rgb[:, :, : self.frames, : self.format.height, : self.format.width], self.format)
        for index, planes in self._pictures:
            for plane, known in zip(clip, planes, strict=True):
                plane[index] = known
        return clip

    def low_band(self, size: int) -> DiffusionLowBand:
        """Return the flow at low resolution. size: length of each side in percent, 1..99."""
        if size not in self._low_bands:
            self._low_bands[size] = DiffusionLowBand(self, size)
        return self._low_bands[size]

    def shrunk(self, band: DiffusionLowBand) -> Self:
        """Return the same model for latents of the size of a low band; only `velocity` is of use."""
        model = copy.copy(self)
        model._low_bands = {}
        model._shrink(band)
        return model

    def _shrink(self, band: DiffusionLowBand) -> None:
        """Adopt the size of a low band, for `shrunk`; families also shrink whatever else the network is shown."""
        self.shape = (*self.shape[:2], *band.side)
        self._lay_out(self._frames)

    def picture(self, planes: Planes) -> Tensor:
        """Convert one picture to R'G'B' [1, 3, 1, H, W] in [-1, 1], padded, on the prior's device."""
        return self.video(tuple(plane[None] for plane in planes), frames=1)

    def image(self, planes: Planes) -> Image.Image:
        """Convert one picture to the input of an image encoder, 8-bit R'G'B' without padding."""
        rgb = to_rgb(tuple(plane[None] for plane in planes), self.format)[0, :, 0]
        return Image.fromarray(((rgb + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy())

    def video(self, clip: Clip, frames: int) -> Tensor:
        """Convert a clip to R'G'B' [1, 3, frames, H, W] in [-1, 1], padded to `frames` pictures of padded size."""
        space = self.prior.space
        return pad_to_multiple(to_rgb(clip, self.format, self.prior.device), frames, space.scale * space.patch)

    def _lay_out(self, frames: Collection[int]) -> None:
        """Set size, blocks and tail of a vector that holds these latent frames, in ascending order."""
        self._frames = frames
        latent_frames, channels, height, width = self.shape
        plane = height * width
        self.size = len(frames) * channels * plane
        self.blocks = _cut(0, self.size, channels * plane)
        self.tail = _cut(self.blocks[-1].start, self.size, plane) if latent_frames - 1 in frames else []

    def _unflatten(self, x: Tensor) -> Tensor:
        """Return the latent [1, C, T', H', W'] of a vector [size]."""
        return x.view(self.shape).transpose(0, 1)[None]

    def _flatten(self, latent: Tensor) -> Tensor:
        """Return the vector [size] of a latent [1, C, T', H', W']."""
        return flatten(latent)


def flatten(latent: Tensor) -> Tensor:
    """Reshape a latent [1, C, T', H', W'] to a vector in the order of the codec."""
    return latent[0].transpose(0, 1).reshape(-1)


def _size_of(condition: Condition) -> str:
    return f"{condition.frames} pictures of {condition.format.width}x{condition.format.height}"


def _cut(start: int, stop: int, step: int) -> list[slice]:
    return [slice(at, at + step) for at in range(start, stop, step)]
