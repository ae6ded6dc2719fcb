# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The denoising loop: from noise to a clean latent along the generative trajectory.

Encoder and decoder run this same function and differ only in the noise source. The encoder's source searches the noise
that leads to the source video (gvc.loop.search); the decoder's replays the noise in the bitstream (gvc.loop.noise).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..prior import Array, ConditionedPrior
from . import transition

# Signature of an observer. It is called once for each step, after x0_hat and s are known and before x_s is computed:
#   step: index of the step, from 0;
#   t, s: times before and after the step, 1 >= t > s >= 0;
#   x0_hat: the prior's estimate of the clean latent, float32 [size], an array of the prior's kind; must not be changed.
OnStep = Callable[[int, float, float, Array], None]
TAIL_STEPS = 10  # number of ODE steps from the stop level to 0 with realism


@dataclass(frozen=True)
class Rule:
    """A discretisation of the trajectory.

    times: time after each step.
    transition: rule of a step with noise.
    silent: number of last steps without noise, default 0.
    uses_known: whether the known parts of the clean latent replace the prior's estimate of them, default False.
    x0_cache: whether every other step with noise reuses the x0_hat of the step before, which saves a network call;
        default False. According to the paper's follow-up, two such steps in a row break the trajectory.
    """

    times: list[float]
    transition: Callable[[float, float], transition.Step]
    silent: int = 0
    uses_known: bool = False
    x0_cache: bool = False

    @property
    def noisy(self) -> int:
        """Number of steps with noise, which are the first ones."""
        return len(self.times) - self.silent

    def is_silent(self, step: int) -> bool:
        """Return whether a step has no noise."""
        return step >= self.noisy

    def needs_network(self, step: int) -> bool:
        """Return whether a step computes its own x0_hat."""
        return not (self.x0_cache and step % 2 and not self.is_silent(step))


class NoiseSource(Protocol):
    """The source of the initial and the injected noise."""

    exhausted: bool  # whether the loop should end after the current step

    def initial(self) -> Array:
        """Return x_1, white noise [size]."""

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) for the step from t to s: the time after the step, and noise of unit variance [size].

        An encoder may return a larger s than the given one, to end the loop early.
        """


def with_known(prior: ConditionedPrior, x0: Array) -> Array:
    """Write the prior's known parts into a clean latent, and return it."""
    for known in prior.known:
        x0[known.part] = known.values
    return x0


def estimate(prior: ConditionedPrior, x: Array, t: float) -> Array:
    """Return x0_hat, the mean of the clean latent given x_t and the prior's known parts."""
    return with_known(prior, x - t * prior.velocity(x, t))


def denoise(
    prior: ConditionedPrior, rule: Rule, noise: NoiseSource, on_step: OnStep | None = None
) -> tuple[Array, float]:
    """Run the trajectory; return (x_t, t) at the time t where the coded steps end.

    on_step: observer of the steps (OnStep), default none.
    """
    x, t = noise.initial(), 1.0
    for step, s in enumerate(rule.times):
        if rule.needs_network(step):
            x0_hat = estimate(prior, x, t) if rule.uses_known else x - t * prior.velocity(x, t)
        silent = rule.is_silent(step)
        if not silent:
            s, z = noise.inject(step, t, s, x0_hat)  # noqa: PLW2901 - an encoder on a budget may end a step early
        if on_step is not None:
            on_step(step, t, s, x0_hat)
        x = transition.ode(t, s).apply(x, x0_hat, None) if silent else rule.transition(t, s).apply(x, x0_hat, z)
        t = s
        if noise.exhausted:
            break
    return x, t


def finish(prior: ConditionedPrior, x: Array, t: float, realism: float) -> Array:
    """Return a clean latent from x_t: its mean (realism 0), the end of the ODE (realism 1), or a mixture of both."""
    if t == 0:
        return x
    x0_hat = estimate(prior, x, t)
    if realism == 0:
        return x0_hat
    for i in range(TAIL_STEPS):
        now, then = t * (1 - i / TAIL_STEPS), t * (1 - (i + 1) / TAIL_STEPS)
        x = transition.ode(now, then).apply(x, estimate(prior, x, now), None)
    return x0_hat + realism * (x - x0_hat)
