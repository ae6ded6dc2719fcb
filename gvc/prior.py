# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the codec asks of a generative model (a *prior*).

A prior is a rectified flow: x_t = (1 - t) * x0 + t * eps, velocity = eps - x0, t in [0, 1]. The codec sees its state as
one flat vector per GOP; `blocks` says which parts of it have a codebook of their own. Vectors are float32 arrays of
one kind throughout: numpy arrays, or torch tensors on the prior's device.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .media import Clip, Planes, VideoFormat
from .pictures.motion import motion_fields

Array = Any  # numpy.ndarray or torch.Tensor, float32

CHROMA_WEIGHT = 1.5  # of an error: a chroma sample covers four pixels of the picture


def on_host(array: Array) -> np.ndarray:
    """Return a vector as a numpy array, whichever kind and device it is of."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


@dataclass(frozen=True)
class KnownLatent:
    """A part of the clean latent that both sides have already. values: float32 [part.stop - part.start]."""

    part: slice
    values: Array


@dataclass(frozen=True)
class ModelOptions:
    """How a prior with a network is loaded and run (gvc.options.MODEL_OPTIONS)."""

    device: str = "cpu"  # torch device
    dtype: str = "auto"  # auto, float32, bfloat16, float16
    offload: str = "none"  # none, model, sequential, group
    tiling: bool = False  # the VAE works in tiles
    quantize: str = "none"  # none, int8, nf4

    @classmethod
    def of(cls, options: Any) -> "ModelOptions":
        """Return those of parsed encoder or decoder options (gvc.options)."""
        return cls(options.device, options.dtype, options.offload, bool(options.tiling), options.quantize)


DEFAULT_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class Condition:
    """What both sides know of a GOP before any atom: its shape and its decoded boundary pictures."""

    format: VideoFormat
    frames: int  # T, pictures of the GOP including its boundaries
    first: Planes | None = None  # decoded first picture (I2V, FLF2V)
    last: Planes | None = None  # decoded last picture (FLF2V)
    previous: Any = field(default=None, compare=False)  # ConditionedPrior.memory of the GOP before, in the same chain
    prompt: str = ""  # text for priors that were trained with texts; the others pass over it

    _fields: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def motion(self, smoothness: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion fields between both boundary pictures, forth and back (gvc/native/motion.cpp)."""
        if smoothness not in self._fields:
            self._fields[smoothness] = motion_fields(self.first[0], self.last[0], smoothness)
        return self._fields[smoothness]


@dataclass(frozen=True)
class Anchor:
    """What a GOP hands to the next one in its chain."""

    planes: Planes  # its decoded last picture
    memory: Any  # ConditionedPrior.memory, handed on


class ConditionedPrior(Protocol):
    """A prior that has been told all that both sides know of one GOP."""

    blocks: list[slice]  # partition of range(size): the parts with their own codebook
    size: int  # values of the latent vector
    tail: list[slice]  # the values of the last latent frame, a slice a channel; [] where there are no latent frames
    known: KnownLatent | None  # what need not be coded, if there is anything
    follows_flow: bool  # with realism > 0, to its end; else decode_latent alone sees to realism
    memory: Any  # handed to the next GOP of the chain as Condition.previous

    def velocity(self, x: Array, t: float) -> Array:
        """Return E[eps - x0 | x_t = x] [size]."""

    def zeros(self) -> Array:
        """Return a new latent vector of zeros [size]: says which array library and device the prior works with."""

    def encode_latent(self, clip: Clip) -> Array:
        """Return the clean latent x0 [size] of the GOP."""

    def decode_latent(self, x0: Array, realism: float) -> Clip:
        """Return the pictures of a clean latent; `realism` > 0 may add what the latent does not carry."""


class Analysis(Protocol):
    """Encoder: what a prior finds out about one GOP before it is coded."""

    def refined(self, sigma: float) -> "Analysis":
        """Return what a closer look finds, which takes time, for coding down to the noise level sigma."""

    def describe(self, sigma: float) -> bytes:
        """Return the side information for coding down to the noise level sigma = t / (1 - t)."""

    def rate_distortion(self, sigma: float) -> tuple[float, float] | None:
        """Predict (bits of the atoms, squared error in luma samples), or None if the prior cannot."""


class Prior(Protocol):
    """A generative model, ready to be conditioned."""

    name: str  # what the stream calls it, e.g. "gp/1"
    weights_hash: bytes  # 8 bytes; zeros where there are no weights
    modes: tuple[str, ...]  # the conditionings that it can work with
    adaptive_modes: tuple[str, ...]  # those in which GOPs may be as short as their content asks
    cheap_steps: bool  # a velocity takes no longer than the search for atoms, so that many small steps are worth it
    sample_scale: float  # luma samples: an error e of one latent value is about an error sample_scale * e of a sample

    def analyse(self, condition: Condition, clip: Clip) -> Analysis:
        """Encoder: look at the GOP's pictures."""

    def condition(self, condition: Condition, side: bytes) -> ConditionedPrior:
        """Prepare the prior for one GOP. Raises BitstreamError when `side` is not valid."""
