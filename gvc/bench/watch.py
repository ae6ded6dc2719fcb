# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Attaches the stopwatch to the prior and to its networks.

All other stages are announced by the parts of the codec themselves (gvc.machine.stages).
"""

from typing import Any

from .stand_in import StandIn
from .stopwatch import Stopwatch

STAGES = {
    "stills": "boundary stills",
    "analysis": "analysis by the prior",
    "conditioning": "conditioning",
    "latent_encode": "pictures to latent",
    "initial_noise": "initial noise",
    "velocity": "network steps",
    "lowres_velocity": "network steps, low resolution",
    "atoms": "atoms and noise",
    "latent_decode": "latent to pictures",
    "rest": "rest",
}
OF_THE_PRIOR = ("analysis", "conditioning", "latent_encode", "velocity", "lowres_velocity", "latent_decode")
# Methods of a prior and of the objects that they return: name -> (stage, methods of the result).
CONDITIONED = {
    "velocity": ("velocity", {}),
    "low_band": ("conditioning", {"velocity": ("lowres_velocity", {})}),
    "encode_latent": ("latent_encode", {}),
    "decode_latent": ("latent_decode", {}),
}
ANALYSIS = {name: ("analysis", {}) for name in ("refined", "describe", "rate_distortion")}
PRIOR = {"condition": ("conditioning", CONDITIONED), "analyse": ("analysis", ANALYSIS)}


class _Watched(StandIn):
    """A stand-in for an object that times the given methods, and watches the objects that they return."""

    def __init__(self, target: Any, stopwatch: Stopwatch, methods: dict):
        super().__init__(target)
        self._stopwatch, self._methods = stopwatch, methods

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name not in self._methods:
            return value
        stage, results = self._methods[name]

        def call(*args: object, **kwargs: object) -> Any:
            with self._stopwatch.stage(stage):
                result = value(*args, **kwargs)
            return _Watched(result, self._stopwatch, results) if results else result

        return call


def watch_prior(prior: Any, stopwatch: Stopwatch) -> Any:
    """Return a stand-in for a prior (gvc.prior.Prior) whose work is timed."""
    return _Watched(prior, stopwatch, PRIOR)


def watch_networks(stopwatch: Stopwatch) -> None:
    """Time each outermost forward pass of a torch module as network time, for the rest of this process.

    During such a pass inner modules are called directly, so that the measurement does not slow down the network.
    """
    from torch.nn import Module

    plain = Module.__call__

    def call(module: Module, *args: object, **kwargs: object) -> Any:
        Module.__call__ = plain
        try:
            with stopwatch.network():
                return plain(module, *args, **kwargs)
        finally:
            Module.__call__ = call

    Module.__call__ = call
