# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""THE loop: from noise to a clean latent along the generative trajectory.

Encoder and decoder run this same function; they differ in the noise source alone, which searches the noise that leads
to the source video, or replays what the bitstream says (gvc.loop.noise).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..prior import Array, ConditionedPrior
from . import transition

# Called once at each step, when x0_hat and s are known and x_s is not made yet, with
#   step: its index, from 0;
#   t, s: times before and after it, 1 >= t > s >= 0;
#   x0_hat: what the prior takes for the clean latent, float32 [size], an array of the prior's kind; not to be changed.
OnStep = Callable[[int, float, float, Array], None]
TAIL_STEPS = 10  # of the ODE from the stop level to 0, when realism is asked for


@dataclass(frozen=True)
class Rule:
    """A discretisation of the trajectory.

    times: after each step.
    transition: the rule of a step with noise.
    silent: how many last steps inject nothing.
    uses_known: what the prior knows of the clean latent takes the place of its estimate.
    x0_cache: every other step before those takes the x0_hat of the one before and spares the network; the paper's
        follow-up found that two such steps in a row break the trajectory.
    """

    times: list[float]
    transition: Callable[[float, float], transition.Step]
    silent: int = 0
    uses_known: bool = False
    x0_cache: bool = False

    @property
    def noisy(self) -> int:
        """How many steps, the first ones, have noise to inject."""
        return len(self.times) - self.silent

    def is_silent(self, step: int) -> bool:
        """Whether a step has no noise to inject."""
        return step >= self.noisy

    def needs_network(self, step: int) -> bool:
        """Whether a step computes its own x0_hat."""
        return not (self.x0_cache and step % 2 and not self.is_silent(step))


class NoiseSource(Protocol):
    """Where the injected noise comes from."""

    exhausted: bool  # no further step is wanted

    def initial(self) -> Array:
        """Return x_1, white noise [size]."""

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z): unit-variance noise [size] for the step from t to s; an encoder may return a later s."""


def estimate(prior: ConditionedPrior, x: Array, t: float) -> Array:
    """Return x0_hat, the mean of the clean latent given x_t and all that the prior knows."""
    x0_hat = x - t * prior.velocity(x, t)
    if prior.known:
        x0_hat[prior.known.part] = prior.known.values
    return x0_hat


def denoise(
    prior: ConditionedPrior, rule: Rule, noise: NoiseSource, on_step: OnStep | None = None
) -> tuple[Array, float]:
    """Run the trajectory; return (x_t, t) at the time t where the coded steps end.

    on_step: an observer of the steps (OnStep), default none.
    """
    x, t = noise.initial(), 1.0
    for step, s in enumerate(rule.times):
        if rule.needs_network(step):
            x0_hat = estimate(prior, x, t) if rule.uses_known else x - t * prior.velocity(x, t)
        silent = rule.is_silent(step)
        if not silent:
            s, z = noise.inject(step, t, s, x0_hat)  # noqa: PLW2901 - an encoder on a budget ends its last step early
        if on_step is not None:
            on_step(step, t, s, x0_hat)
        x = transition.ode(t, s).apply(x, x0_hat, None) if silent else rule.transition(t, s).apply(x, x0_hat, z)
        t = s
        if noise.exhausted:
            break
    return x, t


def finish(prior: ConditionedPrior, x: Array, t: float, realism: float) -> Array:
    """Return a clean latent from x_t: its mean (realism 0), the end of the ODE (1), or a mix of both."""
    if t == 0:
        return x
    x0_hat = estimate(prior, x, t)
    if realism == 0:
        return x0_hat
    for i in range(TAIL_STEPS):
        now, then = t * (1 - i / TAIL_STEPS), t * (1 - (i + 1) / TAIL_STEPS)
        x = transition.ode(now, then).apply(x, estimate(prior, x, now), None)
    return x0_hat + realism * (x - x0_hat)
