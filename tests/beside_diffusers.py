# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codec's loop without noise, to compare it step by step with a pipeline of diffusers."""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from torch import Tensor

from gvc.loop.denoise import Rule, denoise
from gvc.loop.transition import ode
from gvc.media import Clip
from gvc.prior import ConditionedPrior


class OneNoise:
    """A noise source of the loop that starts from given noise and injects nothing."""

    exhausted = False

    def __init__(self, vector: Tensor):
        self.initial = vector.clone


def silent_steps(ours: ConditionedPrior, sigmas: list[float], noise: Tensor) -> Iterator[Tensor]:
    """Yield the loop's state after each step from sigmas[0] to sigmas[-1], [size]; each is made from the noise anew."""
    for done in range(1, len(sigmas)):
        state, t = denoise(ours, Rule(sigmas[1 : done + 1], ode, silent=done), OneNoise(noise))
        assert t == sigmas[done]
        yield state


def watched(network, seen: list[dict]):
    """Append the named arguments of each call of a network to `seen`, until the end of the returned context."""
    return network.register_forward_pre_hook(lambda _module, _args, given: seen.append(given), with_kwargs=True)


def image(clip: Clip, index: int) -> Image.Image:
    """Return one picture of a grey clip in full range."""
    return Image.fromarray(np.stack([clip[0][index]] * 3, -1))
