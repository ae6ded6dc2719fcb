# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The interface between the codec and a generative model (a *prior*).

A prior is a rectified flow: x_t = (1 - t) * x0 + t * eps, velocity = eps - x0, t in [0, 1]. The codec sees its state as
one flat vector per GOP; `blocks` says which parts of it have a codebook of their own. All vectors of a prior are
float32 arrays of one kind: numpy arrays, or torch tensors on the prior's device.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, TypeVar

import numpy as np

from .media import Clip, Planes, VideoFormat
from .pictures.motion import motion_fields

Array = Any  # numpy.ndarray or torch.Tensor, float32
Result = TypeVar("Result")

CHROMA_WEIGHT = 1.5  # weight of a chroma sample's error, since the sample covers four pixels of the picture


def on_host(array: Array) -> np.ndarray:
    """Return a vector as a numpy array; a torch tensor is copied from its device."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


@dataclass(frozen=True)
class KnownLatent:
    """A part of the clean latent that encoder and decoder know without coding."""

    part: slice  # its place in the vector
    values: Array  # float32 [part.stop - part.start]


@dataclass(frozen=True)
class ModelOptions:
    """How a prior with a network is loaded and run (gvc.options.MODEL_OPTIONS)."""

    device: str = "cpu"  # torch device
    dtype: str = "auto"  # auto, float32, bfloat16 or float16
    offload: str = "none"  # none, model, sequential or group
    tiling: bool = False  # whether the VAE works in tiles
    quantize: str = "none"  # none, int8 or nf4
    lora: str = ""  # files with changes to the weights, as in the option (gvc.priors.lora_files)

    @classmethod
    def of(cls, options: Any) -> "ModelOptions":
        """Return the model options among parsed encoder or decoder options (gvc.options)."""
        values = {field.name: getattr(options, field.name) for field in fields(cls)}
        return cls(**values | {"tiling": bool(options.tiling)})


DEFAULT_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class Condition:
    """Everything that encoder and decoder know of a GOP before any atom: its shape and its decoded boundaries."""

    format: VideoFormat
    frames: int  # T, number of pictures including boundaries
    first: Planes | None = None  # decoded first picture (I2V, FLF2V)
    last: Planes | None = None  # decoded last picture (FLF2V)
    # ConditionedPrior.memory of the key GOP, in older streams of the GOP before, or a Future of it in the encoder
    previous: Any = field(default=None, compare=False)
    prompt: str = ""  # text for priors that were trained with text; other priors ignore it

    _results: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def ending(self) -> Planes | None:
        """The last picture at realism 0, if it is a still; None if it follows from the latent."""
        return self.last or (self.first if self.frames == 1 else None)

    @property
    def memory(self) -> Any:
        """ConditionedPrior.memory of the GOP that this one refers to, None without one; wait for it if need be."""
        return self.previous.result() if isinstance(self.previous, Future) else self.previous

    def handed_on(self, memory: Any) -> Any:
        """Return the memory for the next GOP of the chain: that of the key GOP. memory: this GOP's own."""
        return memory if self.previous is None else self.previous

    def once(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Return the result of `compute`, which is called at most once for each key and kept with this condition.

        So analysis and coding of a GOP share what follows from the condition alone, and it is freed with the GOP.
        """
        if key not in self._results:
            self._results[key] = compute()
        return self._results[key]

    def leave(self, key: Hashable, result: Any) -> None:
        """Keep a result of the analysis for the coding of the same GOP, in place of an earlier one of this key."""
        self._results[key] = result

    def take(self, key: Hashable) -> Any:
        """Return what `leave` has kept, which is kept no longer; None if there is nothing."""
        return self._results.pop(key, None)

    def motion(self, smoothness: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion fields from the first boundary to the last and back (gvc/native/motion.cpp)."""
        return self.once(("motion", smoothness), lambda: motion_fields(self.first[0], self.last[0], smoothness))


@dataclass(frozen=True)
class Anchor:
    """The state that a GOP passes to the next one in its chain."""

    planes: Planes  # decoded last picture
    memory: Any  # ConditionedPrior.memory, or a Future of it


class Flow(Protocol):
    """The flow of one GOP as the loop sees it: that of whole latents, or that of their low band."""

    blocks: list[slice]  # partition of range(size) into the parts that have a codebook of their own
    size: int  # number of values in the latent vector
    known: tuple[KnownLatent, ...]  # parts of the latent that need not be coded

    def velocity(self, x: Array, t: float) -> Array:
        """Return E[eps - x0 | x_t = x], [size]."""

    def zeros(self) -> Array:
        """Return a new vector of zeros [size]; its type and device are those of all vectors of this prior."""


class LowBand(Flow, Protocol):
    """The flow of the low spatial frequencies of a GOP's latent, computed at a lower resolution.

    The values of the low band are coordinates in an orthonormal basis, so it has the same white noise and the same
    times as the whole latent.
    """

    def restrict(self, x: Array) -> Array:
        """Return the low band [size] of a whole vector."""

    def extend(self, low: Array, rest: Array) -> Array:
        """Return a whole vector: its low band is `low` [size], all else is that of the whole vector `rest`."""


class ConditionedPrior(Flow, Protocol):
    """A prior conditioned on one GOP."""

    tail: list[slice]  # values of the last latent frame, a slice for each channel; [] without latent frames
    follows_flow: bool  # whether realism > 0 continues the flow to t = 0; otherwise only decode_latent gets realism
    memory: Any  # state for the next GOP of the chain, where it is Condition.memory

    def low_band(self, size: int) -> LowBand:
        """Return the flow at low resolution, the same one at each call; only for priors with `has_low_band`.

        size: length of each side in percent of the full one, 1..99.
        """

    def encode_latent(self, clip: Clip) -> Array:
        """Return the clean latent x0 [size] of the GOP."""

    def decode_latent(self, x0: Array, realism: float) -> Clip:
        """Return the pictures of a clean latent; `realism` > 0 may add what the latent does not carry."""


class Analysis(Protocol):
    """Encoder: a prior's analysis of one GOP before it is coded."""

    def refined(self, sigma: float) -> "Analysis":
        """Return a more precise (and slower) analysis, for coding down to the noise level sigma."""

    def describe(self, sigma: float) -> bytes:
        """Return the side information for coding down to the noise level sigma = t / (1 - t)."""

    def rate_distortion(self, sigma: float) -> tuple[float, float] | None:
        """Predict (bits of the atoms, squared error in luma samples); None if the prior cannot predict them."""


class Prior(Protocol):
    """A generative model, ready to be conditioned."""

    name: str  # name in streams, such as "gp/4"
    weights_hash: bytes  # 8 bytes that identify the weights; zeros for a prior without weights
    modes: tuple[str, ...]  # supported conditionings: t2v, i2v, flf2v
    adaptive_modes: tuple[str, ...]  # modes in which GOPs may be as short as their content needs
    cheap_steps: bool  # whether a velocity takes no longer than the search for atoms, so that many steps pay off
    concurrent: bool  # whether several threads may use it at the same time, each for a GOP of its own
    has_low_band: bool  # whether steps can be computed at low resolution (ConditionedPrior.low_band)
    sample_scale: float  # an error e of one latent value means an error of about sample_scale * e luma samples

    def analyse(self, condition: Condition, clip: Clip) -> Analysis:
        """Encoder: analyse the GOP's pictures."""

    def condition(self, condition: Condition, side: bytes) -> ConditionedPrior:
        """Condition the prior on one GOP. side: side information. Raises BitstreamError if it is not valid."""
