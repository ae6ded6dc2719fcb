"""THE loop: from noise to a clean latent along the generative trajectory.

Encoder and decoder run this same function; they differ in the noise source alone, which searches the noise that leads
to the source video, or replays what the bitstream says (gvc.noise).
"""

from dataclasses import dataclass
from typing import Protocol

from . import transition
from .bitstream import GopUnit, SequenceHeader
from .errors import BitstreamError
from .priors.base import Array, ConditionedPrior
from .schedule import level_time, matched_levels, shifted_times

SDE_STEPS, SDE_SHIFT, SDE_TAIL = 20, 3.0, 3  # the paper's settings up to 480p
TAIL_STEPS = 10  # of the ODE from the stop level to 0, when realism is asked for


@dataclass(frozen=True)
class Rule:
    """A discretisation: the times after each step, the transition, and how many last steps inject nothing."""

    times: list[float]
    transition: type[transition.Step] | object
    silent: int = 0


def rule_of(header: SequenceHeader, unit: GopUnit) -> Rule:
    """Return the discretisation that a stream's header and a GOP's levels ask for. Raises BitstreamError."""
    if (header.transition == "sde") != (unit.stride == 0):
        raise BitstreamError("level stride", 0, f"value {unit.stride} does not fit the {header.transition} transition")
    if header.transition == "sde":
        return Rule(shifted_times(SDE_STEPS, SDE_SHIFT)[1:], transition.euler_maruyama, SDE_TAIL)
    levels = matched_levels(unit.start, unit.stop, unit.stride)
    return Rule([level_time(level) for level in levels], transition.ancestral)


class NoiseSource(Protocol):
    """Where the injected noise comes from."""

    exhausted: bool  # no further step is wanted

    def initial(self) -> Array:
        """Return x_1, white noise [size]."""

    def inject(self, step: int, t: float, s: float, x0_hat: Array) -> tuple[float, Array]:
        """Return (s, z): unit-variance noise [size] for the step from t to s; an encoder may return a later s."""


def denoise(prior: ConditionedPrior, rule: Rule, noise: NoiseSource) -> tuple[Array, float]:
    """Run the trajectory; return (x_t, t) at the time t where the coded steps end."""
    x, t = noise.initial(), 1.0
    for step, s in enumerate(rule.times):
        x0_hat = x - t * prior.velocity(x, t)
        if step >= len(rule.times) - rule.silent:
            x = transition.ode(t, s).apply(x, x0_hat, None)
        else:
            s, z = noise.inject(step, t, s, x0_hat)  # noqa: PLW2901 - an encoder on a budget ends its last step early
            x = rule.transition(t, s).apply(x, x0_hat, z)
        t = s
        if noise.exhausted:
            break
    return x, t


def finish(prior: ConditionedPrior, x: Array, t: float, realism: float) -> Array:
    """Return a clean latent from x_t: its mean (realism 0), the end of the ODE (1), or a mix of both."""
    if t == 0:
        return x
    x0_hat = x - t * prior.velocity(x, t)
    if realism == 0:
        return x0_hat
    for i in range(TAIL_STEPS):
        now, then = t * (1 - i / TAIL_STEPS), t * (1 - (i + 1) / TAIL_STEPS)
        x = x - (now - then) * prior.velocity(x, now)
    return x0_hat + realism * (x - x0_hat)
