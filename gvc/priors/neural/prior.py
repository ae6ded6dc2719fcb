"""`neural`: the closed form of `gp`, and a learned last step.

The trajectory is that of `gp`, whose denoiser is exact for a Gaussian and costs next to nothing. The last estimate of
the clean picture, with which a trajectory ends, is where a Gaussian is worst: it neither sees what motion has hidden
nor knows what edges look like. There a network adds to it (gvc.priors.neural.network), in units of the error that the
process expects. It sees the estimate and both boundaries warped to it. With realism 0 it aims at the least squared
error, towards 1 at what looks like the source.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import numpy as np
import torch
from safetensors.torch import load

from ...errors import PriorError
from ..base import Clip, Condition, ModelOptions
from ..gp import VERSIONS, GpPrior
from ..gp.prior import ConditionedGp
from .inputs import View, unpack, view_of
from .network import Network

NAME = "neural/1"
WEIGHTS = "weights.safetensors"
AT_ONCE = 4  # pictures that pass the network together: bounds its memory


class NeuralPrior(GpPrior):
    """`gp` with a learned last step. data: a safetensors file with the network's weights. Raises PriorError."""

    def __init__(self, data: bytes, options: ModelOptions):
        super().__init__()
        self.name, self.weights_hash = NAME, hashlib.sha256(data).digest()[:8]
        self._network = Network()
        self._network.load_state_dict(load(data))
        self._network.eval().to(options.device, memory_format=torch.channels_last)
        self._device = options.device

    @classmethod
    def bundled(cls, options: ModelOptions) -> "NeuralPrior":
        """Return the prior with the weights that GVC brings."""
        return cls(_bundled_weights(), options)

    def condition(self, condition: Condition, side: bytes) -> "ConditionedNeural":
        """Prepare the process for one GOP. Raises BitstreamError."""
        return ConditionedNeural(condition, side, self._improve)

    @torch.inference_mode()
    def _improve(self, view: View, realism: float) -> torch.Tensor:
        view = view.to(self._device)
        inputs = view.inputs(torch.full_like(view.way, realism)).contiguous(memory_format=torch.channels_last)
        return view.improved(self._network(inputs)).cpu()


class ConditionedNeural(ConditionedGp):
    """The process for one GOP. improve: (view, realism) -> better estimates, as `View.improved`."""

    def __init__(self, condition: Condition, side: bytes, improve: Callable[[View, float], torch.Tensor]):
        super().__init__(condition, side, VERSIONS[-1])
        self._improve = improve

    def decode_latent(self, x0: np.ndarray, realism: float) -> Clip:
        """Return the pictures, uint8 [T, H, W] a plane; `realism` is what the network aims at."""
        clip = super().decode_latent(x0, 0.0)
        condition = self._condition
        height, width = condition.format.plane_shapes[0]
        error = self.deviations()[0]
        # The first picture is another GOP's last one, and was improved there.
        start = int(condition.first is not None and condition.previous is not None)
        for at in range(start, condition.frames, AT_ONCE):
            indices = range(at, min(at + AT_ONCE, condition.frames))
            better = unpack(self._improve(view_of(condition, clip, error, indices), realism), height, width)
            for plane, pictures in zip(clip, better, strict=True):
                plane[indices.start : indices.stop] = pictures
        return clip


@lru_cache(maxsize=1)
def _bundled_weights() -> bytes:
    try:
        return files(__package__).joinpath(WEIGHTS).read_bytes()
    except OSError as error:
        raise PriorError(f"the weights of {NAME} are missing ({error}); install GVC again") from error
