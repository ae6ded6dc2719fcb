# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""ODE to SDE: one step of the generative trajectory from time t to s < t, with injected noise.

All rules are affine in the known vectors (x_t, x0_hat) and in the injected noise z:
    x_s = keep * x_t + pull * x0_hat + sigma * z
All coefficients are computed in IEEE double arithmetic from t and s alone.
"""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Step:
    """The coefficients of one step; sigma is 0 for a step without noise."""

    keep: float
    pull: float
    sigma: float

    def apply(self, x, x0_hat, z):
        """Return x_s. x, x0_hat, z: float32 arrays of one shape; z is not used when sigma is 0."""
        mean = self.keep * x + self.pull * x0_hat
        return mean if self.sigma == 0 else mean + self.sigma * z


def ancestral(t: float, s: float) -> Step:
    """Return the exact Gaussian posterior transition q(x_s | x_t, x0), with x0_hat in place of x0."""
    k = (1 - t) / (1 - s)
    v = t * t - k * k * s * s
    return Step(keep=k * s * s / (t * t), pull=(1 - s) * v / (t * t), sigma=s * sqrt(v) / t)


def euler_maruyama(t: float, s: float) -> Step:
    """Return the paper's step (arXiv 2603.26571): dx = (u + g^2 / (2t) * eps_hat) dt + g dW with g = 3t^2.

    It is affine in x and x0_hat, since u = (x - x0_hat) / t and eps_hat = u + x0_hat.
    """
    dt, g = t - s, 3 * t * t
    drift = g * g / (2 * t)
    # From the formula: x_s = x - dt * u - dt * drift * (u + x0_hat)
    from_u = -dt * (1 + drift)
    return Step(keep=1 + from_u / t, pull=-from_u / t - dt * drift, sigma=g * sqrt(dt))


def ode(t: float, s: float) -> Step:
    """Return the deterministic Euler step without noise, x_s = x_t - (t - s) * u."""
    return Step(keep=s / t, pull=1 - s / t, sigma=0.0)
