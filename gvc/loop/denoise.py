# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The denoising loop: from noise to a clean latent along the generative trajectory.

Encoder and decoder run this same function and differ only in the noise source. The encoder's source searches the noise
that leads to the source video (gvc.loop.search); the decoder's replays the noise in the bitstream (gvc.loop.noise).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..prior import Array, ConditionedPrior, Flow
from . import transition

# Signature of an observer. It is called once for each step, after x0_hat and s are known and before x_s is computed:
#   step: index of the step, from 0;
#   t, s: times before and after the step, 1 >= t > s >= 0;
#   x0_hat: the prior's estimate of the clean latent, or of its low band in steps at low resolution, float32 [size], an
#     array of the prior's kind; must not be changed.
OnStep = Callable[[int, float, float, Array], None]
TAIL_STEPS = 10  # number of ODE steps from the stop level to 0 with realism


@dataclass(frozen=True)
class Rule:
    """A discretisation of the trajectory.

    times: time after each step.
    transition: rule of a step with noise.
    silent: number of last steps without noise, default 0.
    uses_known: whether the known parts of the clean latent replace the prior's estimate of them, default False.
    x0_cache: number of steps in a row that reuse the x0_hat of a step before them, which saves network calls; default
        0. Steps without noise never do.
    x0_warmup: number of steps that call the network before the first round of one step that does and `x0_cache` that
        do not. Default 0.
    low_steps: number of first steps at low resolution, default 0. With the first step after them rounds begin anew.
    low_size: length of each side at low resolution in percent.
    """

    times: list[float]
    transition: Callable[[float, float], transition.Step]
    silent: int = 0
    uses_known: bool = False
    x0_cache: int = 0
    x0_warmup: int = 0
    low_steps: int = 0
    low_size: int = 100

    @property
    def noisy(self) -> int:
        """Number of steps with noise, which are the first ones."""
        return len(self.times) - self.silent

    def is_silent(self, step: int) -> bool:
        """Return whether a step has no noise."""
        return step >= self.noisy

    def needs_network(self, step: int) -> bool:
        """Return whether a step computes its own x0_hat."""
        place = step if self.is_low(step) else step - self.low_steps
        place -= self.x0_warmup
        return place < 0 or place % (1 + self.x0_cache) == 0 or self.is_silent(step)

    def is_low(self, step: int) -> bool:
        """Return whether a step is computed at low resolution."""
        return step < self.low_steps

    @property
    def calls(self) -> tuple[int, int]:
        """Number of network calls at full and at low resolution, with that for the clean latent (`finish`)."""
        steps = [self.is_low(step) for step in range(len(self.times)) if self.needs_network(step)]
        return len(steps) - sum(steps) + (self.times[-1] > 0), sum(steps)


class NoiseSource(Protocol):
    """The source of the initial and the injected noise."""

    exhausted: bool  # whether the loop should end after the current step

    def initial(self) -> Array:
        """Return x_1, white noise [size]; with steps at low resolution, that of the low band."""

    def fill(self) -> Array:
        """Return white noise [size] of the whole latent, for what steps at low resolution leave open."""

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z) for the step from t to s: the time after the step, and noise of unit variance like x0_hat.

        An encoder may return a larger s than the given one, to end the loop early.
        """


def with_known(prior: Flow, x0: Array) -> Array:
    """Write the prior's known parts into a clean latent, and return it."""
    for known in prior.known:
        x0[known.part] = known.values
    return x0


def estimate(prior: Flow, x: Array, t: float) -> Array:
    """Return x0_hat, the mean of the clean latent given x_t and the prior's known parts."""
    return with_known(prior, x - t * prior.velocity(x, t))


def denoise(
    prior: ConditionedPrior, rule: Rule, noise: NoiseSource, on_step: OnStep | None = None
) -> tuple[Array, float]:
    """Run the trajectory; return (x_t, t) at the time t where the coded steps end.

    on_step: observer of the steps (OnStep), default none.
    """
    flow = prior.low_band(rule.low_size) if rule.low_steps else prior
    x, t = noise.initial(), 1.0
    for step, s in enumerate(rule.times):
        if rule.needs_network(step):
            x0_hat = estimate(flow, x, t) if rule.uses_known else x - t * flow.velocity(x, t)
        silent = rule.is_silent(step)
        if not silent:
            s, z = noise.inject(step, t, s, x0_hat)  # noqa: PLW2901 - an encoder on a budget may end a step early
        if on_step is not None:
            on_step(step, t, s, x0_hat)
        x = transition.ode(t, s).apply(x, x0_hat, None) if silent else rule.transition(t, s).apply(x, x0_hat, z)
        t = s
        last = noise.exhausted or step + 1 == len(rule.times)
        if rule.is_low(step) and (last or not rule.is_low(step + 1)):
            x, flow = flow.extend(x, _open(prior, rule, noise.fill(), t)), prior
        if last:
            break
    return x, t


def _open(prior: ConditionedPrior, rule: Rule, z: Array, t: float) -> Array:
    """Return x_t where nothing has been coded: noise, to which only known parts of the clean latent are added."""
    x = t * z
    for known in prior.known if rule.uses_known else ():
        x[known.part] += (1 - t) * known.values
    return x


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
