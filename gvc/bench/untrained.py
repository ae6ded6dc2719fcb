# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A stand-in for priors with random weights, which gives their clean latents the variance of trained ones.

Without it the latents would be almost zero, and coding would end after a few steps.
"""

from ..media import Clip
from ..prior import Array, Condition
from .stand_in import StandIn


class TypicalPrior(StandIn):
    """An untrained prior with latents of variance 1; implements gvc.prior.Prior."""

    def condition(self, condition: Condition, side: bytes) -> "TypicalConditioned":
        """Condition the prior on one GOP. Raises BitstreamError if `side` is not valid."""
        return TypicalConditioned(self.target.condition(condition, side))


class TypicalConditioned(StandIn):
    """An untrained prior for one GOP; implements gvc.prior.ConditionedPrior."""

    def encode_latent(self, clip: Clip) -> Array:
        """Return the clean latent x0 [size] of the GOP, scaled to variance 1, which trained ones have approximately."""
        latent = self.target.encode_latent(clip)
        return latent / float((latent**2).mean()) ** 0.5
