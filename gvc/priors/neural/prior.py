# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`neural`: the closed form of `gp`, and a learned last step.

The trajectory is that of `gp`, whose denoiser is exact for a Gaussian and costs next to nothing. A Gaussian is worst at
the end of the trajectory, the final estimate of the clean picture: it neither sees what motion has uncovered nor knows
what edges look like. There a network (gvc.priors.neural.network) adds a correction in units of the expected error. Its
input is the estimate and both boundaries warped to it. With realism 0 it minimises squared error; towards 1 it aims
more and more at the look of the source.
"""

import hashlib
import time
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load

from ...errors import PriorError
from ...machine.processors import processors
from ...media import Clip, VideoFormat
from ...prior import Condition, ModelOptions
from ..device import DTYPES, check_options, has_bfloat16, one_line
from ..gp import GpPrior
from ..gp.mean import MotionMean
from ..gp.prior import ConditionedGp, Layout
from ..gp.texture import bounded
from .inputs import LEAST_ERROR, View, unpack, view_of
from .network import MULTIPLE, REACH, Network


class Version(NamedTuple):
    """A version of `neural`: a version of `gp`, and the file of the network's weights."""

    gp: int
    weights: str


VERSIONS = {
    1: Version(2, "weights_1.safetensors"),
    2: Version(3, "weights_1.safetensors"),
    3: Version(4, "weights_1.safetensors"),
    4: Version(4, "weights_4.safetensors"),
}
TIMED_RUNS = 5  # runs of which the fastest counts; the first one is slow, and others may be interrupted
AT_ONCE = 2**19  # luma samples in a batch of pictures; a batch holds at least one picture
# luma samples of the largest picture processed whole; larger ones are cut into strips of half this size
LARGEST = 2**23


class NeuralPrior(GpPrior):
    """`gp` with a learned last step.

    data: contents of a safetensors file with the network's weights.
    options: device and dtype of the network.
    version: version of the streams to decode, default the latest; encoding needs the latest.
    Raises PriorError if the weights are damaged or the options do not fit this machine.
    """

    def __init__(self, data: bytes, options: ModelOptions, version: int = max(VERSIONS)):
        super().__init__(VERSIONS[version].gp)
        check_options(options)
        self.name, self.weights_hash = f"neural/{version}", hashlib.sha256(data).digest()[:8]
        try:
            self._network = Network.of(load(data))
        except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
            raise PriorError(f"the weights of neural are damaged ({one_line(error)}); install GVC again") from error
        self._device, self._dtype = options.device, _dtype(options)
        self._turn = Lock()  # Held by the network, which uses all processors for one picture.
        self._network.eval().to(self._device, self._dtype, memory_format=torch.channels_last)

    @classmethod
    def bundled(cls, options: ModelOptions, version: int = max(VERSIONS)) -> "NeuralPrior":
        """Return the prior with the weights that come with GVC."""
        return cls(_bundled_weights(VERSIONS[version].weights), options, version)

    def condition(self, condition: Condition, side: bytes) -> "ConditionedNeural":
        """Condition the process on one GOP. Raises BitstreamError if `side` is not valid."""
        return ConditionedNeural(condition, Layout.of(condition), side, self._version, self._improve)

    def _improve(self, view: View, realism: float) -> torch.Tensor:
        """Return the improved pictures of a view, [N, 6, H/2, W/2]. Strips bound the memory for large pictures."""
        height, width = view.estimate.shape[2:]
        if 4 * height * width <= LARGEST:
            return self._improve_at_once(view, realism)
        result, multiple = torch.empty_like(view.estimate), MULTIPLE // 2
        step = max(1, LARGEST // 8 // width // multiple) * multiple
        for top in range(0, height, step):
            above = min(top, REACH)
            strip = self._improve_at_once(view.rows(slice(top - above, top + step + REACH)), realism)
            result[:, :, top : top + step] = strip[:, :, above : above + step]
        return result

    @torch.inference_mode()
    def _improve_at_once(self, view: View, realism: float) -> torch.Tensor:
        with self._turn:
            view = view.to(self._device)
            inputs = view.inputs(torch.full_like(view.way, realism)).to(self._dtype, memory_format=torch.channels_last)
            return view.improved(self._network(inputs).float()).cpu()

    def seconds(self, side: int) -> float:
        """Return the time in seconds that the network takes for a picture of side x side on an idle machine.

        On the CPU this is the processor time of this thread, which does its share of the network's parallel work and
        all of its serial work. Wall-clock time would also count other programs. The result is the smallest of several
        runs.
        """
        video = VideoFormat(side, side)
        flat = tuple(np.full((2, *shape), 128, np.uint8) for shape in video.plane_shapes)
        view = view_of(MotionMean(Condition(video, 2), self._version), flat, LEAST_ERROR, range(2))
        on_cpu = torch.device(self._device).type == "cpu"
        clock = time.thread_time if on_cpu else time.perf_counter
        times = []
        for _ in range(TIMED_RUNS):
            started = clock()
            self._improve(view, 0.0)
            times.append(clock() - started)
        # In a container with a quota there may be more threads than processors, which then share the processors.
        sharing = max(1.0, torch.get_num_threads() / processors()) if on_cpu else 1.0
        return min(times) / 2 * sharing


class ConditionedNeural(ConditionedGp):
    """The process of `gp` conditioned on one GOP, with the network as last step.

    improve: function (view, realism) -> improved estimates in the form of `View.improved`.
    """

    def __init__(
        self,
        condition: Condition,
        layout: Layout,
        side: bytes,
        version: int,
        improve: Callable[[View, float], torch.Tensor],
    ):
        super().__init__(condition, layout, side, version)
        self._improve = improve

    def decode_latent(self, x0: np.ndarray, realism: float) -> Clip:
        """Return the pictures, uint8 [T, H, W] for each plane; `realism` is an input of the network."""
        clip = super().decode_latent(x0, 0.0)
        condition = self._condition
        height, width = condition.format.plane_shapes[0]
        error = self.deviations()[0]
        # With a GOP before, the first picture is that GOP's last one and was improved there.
        start = int(condition.first is not None and condition.previous is not None)
        count = max(1, AT_ONCE // (height * width))
        for at in range(start, condition.frames, count):
            indices = range(at, min(at + count, condition.frames))
            view = view_of(self.motion_mean, clip, error, indices)
            luma, *chroma = unpack(self._improve(view, realism), height, width)
            if realism > 0:
                luma = bounded(clip[0][indices.start : indices.stop], luma, self.sigma, realism)
            for plane, pictures in zip(clip, (luma, *chroma), strict=True):
                plane[indices.start : indices.stop] = pictures
        return clip


def _dtype(options: ModelOptions) -> torch.dtype:
    """Return the dtype of the network; dtype=auto means bfloat16 on devices that have instructions for it."""
    if options.dtype != "auto":
        return DTYPES[options.dtype]
    return torch.bfloat16 if has_bfloat16(options.device) else torch.float32


@lru_cache(maxsize=1)
def _bundled_weights(name: str) -> bytes:
    try:
        return files(__package__).joinpath(name).read_bytes()
    except OSError as error:
        raise PriorError(f"the weights of neural are missing ({error}); install GVC again") from error
