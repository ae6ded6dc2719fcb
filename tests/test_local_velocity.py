# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Variances adapted to decoded coefficients: the kernel against docs/BITSTREAM.md 11.4, and its benefit."""

import numpy as np
import pytest
from clips import moving_clip, stack, video_format
from gvc._native import local_velocity
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.prior import Condition
from gvc.priors.gp import GpPrior

NONE = 255
ONE = 65536


def by_definition(x, numbers, variances, t):
    """Return the velocity by section 11.4, computed one coefficient at a time."""
    signal = (1 - t) * ((1 - t) * variances)
    everything = signal + t * t
    share = signal / everything
    weights = np.rint(ONE * (share * share))
    carried = numbers < len(variances)
    state, band = np.zeros(numbers.shape, np.float32), np.where(carried, numbers, 0)
    state[carried] = x
    state = state.astype(np.float64)
    excess = np.rint(ONE * np.clip((state * state - t * t) * (share / everything)[band], -1, 64))
    weight = weights[band]
    result = []
    for row, column in np.argwhere(carried):
        around = slice(max(row - 4, 0), row + 5), slice(max(column - 4, 0), column + 5)
        seen = carried[around]
        factor = (4 * ONE + excess[around][seen].sum()) / (4 * ONE + weight[around][seen].sum())
        variance = variances[band[row, column]] * min(max(factor, 1 / 16), 64.0)
        gain = np.float32((1 - t) * variance / ((1 - t) * ((1 - t) * variance) + t * t))
        value = np.float32(state[row, column])
        result.append((value - gain * value) / np.float32(t))
    return np.array(result, np.float32)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 14)),
    st.floats(1e-4, 1.0),
    st.sampled_from([1e-3, 1.0, 1e3, 1e18]),
    st.integers(0, 2**32 - 1),
)
def test_the_kernel_is_the_definition_to_the_bit(shape, t, scale, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.choice(np.array([0, 1, 2, NONE], np.uint8), shape)
    variances = np.array([100.0, 1.0, 1e-4])
    x = (scale * rng.standard_normal((2, np.count_nonzero(numbers != NONE)))).astype(np.float32)
    for found, frequency in zip(local_velocity(x, numbers, variances, t), x, strict=True):
        assert np.array_equal(found, by_definition(frequency, numbers, variances, t))


def test_these_digits_must_never_change():
    """The values are those in the appendix of docs/BITSTREAM.md."""
    numbers = np.array([[0, 0, 1], [0, 0, 1]], np.uint8)
    found = local_velocity(np.arange(1, 7, dtype=np.float32)[None] / 4, numbers, np.array([4.0, 0.25]), 0.5)
    expected = np.array([0xBE9A175C, 0xBF1A175C, 0x3F65A916, 0xBF9A175C, 0xBFC09D34, 0x3FE5A916], np.uint32)
    assert np.array_equal(found.view(np.uint32)[0], expected)


@pytest.mark.parametrize(
    ("shape", "numbers", "t"),
    [
        ((1, 3), (2, 2), 0.5),
        ((4,), (2, 2), 0.5),
        ((1, 4), (1, 2, 2), 0.5),
        ((1, 4), (2, 2), 0.0),
        ((1, 4), (2, 2), np.nan),
    ],
)
def test_what_does_not_fit_is_refused(shape, numbers, t):
    with pytest.raises(ValueError, match="must"):
        local_velocity(np.zeros(shape, np.float32), np.zeros(numbers, np.uint8), np.ones(1), t)


@pytest.mark.parametrize("t", [0.8, 0.5, 0.2])
def test_a_louder_neighbourhood_is_believed(t):
    """For a band with half of its values ten times as large, the estimate is better than with a single variance."""
    rng = np.random.default_rng(5)
    loud = np.repeat([3.0, 0.3], 40) * np.ones((40, 1))
    x0 = (loud.ravel() * rng.standard_normal((2, loud.size))).astype(np.float32)
    x = ((1 - t) * x0 + t * rng.standard_normal(x0.shape)).astype(np.float32)
    variance = float((x0**2).mean())
    learned = x - t * local_velocity(x, np.zeros(loud.shape, np.uint8), np.array([variance]), t)
    fixed = (1 - t) * variance / ((1 - t) ** 2 * variance + t * t) * x
    assert ((learned - x0) ** 2).mean() < 0.95 * ((fixed - x0) ** 2).mean()


def test_a_video_without_known_pictures_is_known_sooner():
    """Along a real trajectory the estimate of the clean latent is better than that of gp/3."""
    pictures = moving_clip(17, 96, 64)
    condition, clip = Condition(video_format(pictures), len(pictures)), stack(pictures)
    prior = GpPrior()
    side = prior.analyse(condition, clip).describe(0.1)
    now, before = prior.condition(condition, side), GpPrior(3).condition(condition, side)
    x0 = now.encode_latent(clip)
    noise = np.random.default_rng(2).standard_normal(now.size).astype(np.float32)
    for t in (0.6, 0.4, 0.2):
        x = ((1 - t) * x0 + t * noise).astype(np.float32)
        errors = [float(((x - t * p.velocity(x, t) - x0) ** 2).mean()) for p in (now, before)]
        assert errors[0] < 0.97 * errors[1]
