# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Schedule, transitions, and the loop with its two noise sources."""

import itertools
import math
import threading
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvc.bitstream import GopUnit, SequenceHeader
from gvc.bitstream.levels import (
    LEVELS_PER_OCTAVE,
    MAX_LEVEL,
    level_sigma,
    level_time,
    matched_levels,
    shifted_times,
    sigma_level,
)
from gvc.entropy import RangeDecoder, read_atoms, read_count
from gvc.errors import BitstreamError
from gvc.gop.rule import rule_of
from gvc.loop import codebook, codebooks, transition
from gvc.loop.denoise import Rule, denoise, finish
from gvc.loop.noise import ReplayNoise
from gvc.loop.search import SearchNoise
from gvc.machine.parallel import Team, allowed, each
from gvc.media import VideoFormat
from gvc.prior import KnownLatent

HEADER = SequenceHeader(
    format=VideoFormat(16, 16), mode="t2v", transition="ancestral", codebook_extra=1, seed=5, prior="gauss/1"
)
SDE = replace(HEADER, transition="sde")
START, STRIDE = 500, 16


class Gaussian:
    """A prior with two blocks of independent N(0, variance) values; its velocity is exact."""

    known = ()

    def __init__(self, size: int = 600, split: int = 400, variance: float = 1.0):
        self.size, self.variance = size, variance
        self.blocks = [slice(0, split), slice(split, size)]

    def zeros(self):
        return np.zeros(self.size, np.float32)

    def velocity(self, x, t):
        shrunk = (1 - t) * self.variance
        return (x - np.float32(shrunk / ((1 - t) * shrunk + t * t)) * x) / np.float32(t)

    def sample(self, seed: int = 0):
        rng = np.random.default_rng(seed)
        return (rng.standard_normal(self.size) * self.variance**0.5).astype(np.float32)


@dataclass
class Coded:
    atoms: bytes
    x: np.ndarray
    t: float
    noise: SearchNoise

    def error(self, prior, x0) -> float:
        """Return the mean squared error of the clean latent."""
        return float(np.mean((finish(prior, self.x, self.t, 0.0) - x0) ** 2))


def unit_of(header: SequenceHeader, gop: int, stop: int) -> GopUnit:
    """Return a unit with noise levels for the header's transition."""
    if header.transition == "sde":
        return GopUnit(index=gop, shown=1)
    return GopUnit(index=gop, shown=1, start=max(START, stop), stop=stop, stride=STRIDE)


def search(prior, x0, stop: int = 300, *, header=HEADER, budget=math.inf, fixed=None, gop=0) -> Coded:
    levels = [] if fixed else matched_levels(START, stop, STRIDE)
    counts = fixed and [fixed] * len(prior.blocks)
    noise = SearchNoise(prior, header, gop, x0, levels, fixed=counts, budget=budget)
    x, t = denoise(prior, rule_of(header, unit_of(header, gop, stop)), noise)
    return Coded(noise.finish(), x, t, noise)


def replay(prior, coded: Coded, *, header=HEADER, gop=0):
    rule = rule_of(header, unit_of(header, gop, coded.noise.stop))
    noise = ReplayNoise(prior, header, gop, coded.atoms, rule.noisy)
    x, t = denoise(prior, rule, noise)
    noise.finish()
    return x, t


# Schedule


def test_levels_rise_and_have_their_places():
    sigmas = [level_sigma(level) for level in range(MAX_LEVEL + 1)]
    assert all(a < b for a, b in itertools.pairwise(sigmas))
    assert sigmas[0] == 2.0**-12
    assert sigmas[12 * LEVELS_PER_OCTAVE] == 1.0
    assert level_time(12 * LEVELS_PER_OCTAVE) == 0.5
    # The values are exact in binary: a fraction of 5 bits and a power of two.
    assert all(Fraction(sigma) * 2**17 % 1 == 0 for sigma in sigmas)


@given(st.floats(2.0**-12, 4095))
def test_nearest_level_from_below(sigma):
    level = sigma_level(sigma)
    assert level_sigma(level) <= sigma
    assert level == MAX_LEVEL or level_sigma(level + 1) > sigma


def test_nearest_level_is_clamped():
    assert sigma_level(0) == 0
    assert sigma_level(1e9) == MAX_LEVEL


@given(st.integers(0, MAX_LEVEL), st.integers(0, MAX_LEVEL), st.integers(1, 255))
def test_matched_levels_fall_from_start_to_stop(a, b, stride):
    start, stop = max(a, b), min(a, b)
    levels = matched_levels(start, stop, stride)
    assert levels[0] == start and levels[-1] == stop
    assert all(0 < x - y <= stride for x, y in itertools.pairwise(levels))


def test_the_grid_of_the_paper():
    times = shifted_times(20, 3.0)
    assert times[0] == 1 and times[-1] == 0 and len(times) == 21
    assert times[1:4] == pytest.approx([0.9828, 0.9643, 0.9444], abs=1e-4)
    assert times[10] == pytest.approx(0.75)


# Known parts


def test_the_decoder_knows_known_parts_without_bits():
    prior = Gaussian()
    x0, parts = prior.sample(), (slice(0, 100), slice(400, 600))
    prior.known = tuple(KnownLatent(part, x0[part]) for part in parts)
    coded = search(prior, x0)
    clean = finish(prior, coded.x, coded.t, 0.0)
    assert all(np.array_equal(clean[part], x0[part]) for part in parts)
    assert len(coded.atoms) < 0.8 * len(search(Gaussian(), x0).atoms)


# Transitions

times = st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).filter(lambda pair: pair[0] - pair[1] > 1e-3)


@given(times)
def test_ancestral_step_is_the_posterior(pair):
    """x_t = (1-t) x0 + t eps, stepped with the true x0, is again (1-s) x0 + s eps'."""
    t, s = pair
    step = transition.ancestral(t, s)
    assert step.keep * (1 - t) + step.pull == pytest.approx(1 - s, abs=1e-9)
    assert (step.keep * t) ** 2 + step.sigma**2 == pytest.approx(s * s, abs=1e-9)


def test_ancestral_step_by_sampling():
    """Regression of x_s on (x_t, x0) in samples of the joint distribution gives the step's coefficients."""
    t, s, rng = 0.7, 0.55, np.random.default_rng(0)
    x0, first, second = rng.standard_normal((3, 400_000))
    x_s = (1 - s) * x0 + s * first
    k = (1 - t) / (1 - s)  # x_t follows from x_s in the forward process
    x_t = k * x_s + (t * t - k * k * s * s) ** 0.5 * second
    coefficients, residual = np.linalg.lstsq(np.stack([x_t, x0], 1), x_s, rcond=None)[:2]
    step = transition.ancestral(t, s)
    assert coefficients == pytest.approx([step.keep, step.pull], abs=0.005)
    assert (residual[0] / len(x0)) ** 0.5 == pytest.approx(step.sigma, rel=0.01)


def test_first_ancestral_step_forgets_the_initial_noise():
    step = transition.ancestral(1.0, 0.6)
    assert (step.keep, step.pull, step.sigma) == pytest.approx((0, 0.4, 0.6))


def follow(rule, times, variance=0.25, mean=0.5, count=200_000):
    """Return mean and deviation of N(mean, variance) data after a rule's steps, from the marginal at times[0]."""
    rng = np.random.default_rng(1)
    t = times[0]
    x = (1 - t) * (mean + variance**0.5 * rng.standard_normal(count)) + t * rng.standard_normal(count)
    for s in times[1:]:
        gain = (1 - t) * variance / ((1 - t) ** 2 * variance + t * t)
        x0_hat = mean + gain * (x - (1 - t) * mean)
        x = rule(t, s).apply(x, x0_hat, rng.standard_normal(count))
        t = s
    return x.mean(), x.std()


@pytest.mark.parametrize("rule", [transition.euler_maruyama, transition.ode], ids=["euler_maruyama", "ode"])
def test_small_steps_keep_the_marginals(rule):
    start, end = 0.8, 0.3
    mean, deviation = follow(rule, np.linspace(start, end, 101))
    assert mean == pytest.approx((1 - end) * 0.5, abs=0.01)
    assert deviation == pytest.approx((0.25 * (1 - end) ** 2 + end**2) ** 0.5, rel=0.02)


def test_paper_step_by_its_formula():
    t, s, x, x0_hat, z = 0.8, 0.75, 0.3, -0.2, 1.5
    u, g = (x - x0_hat) / t, 3 * t * t
    expected = x - (t - s) * (u + g * g / (2 * t) * (u + x0_hat)) + g * (t - s) ** 0.5 * z
    assert transition.euler_maruyama(t, s).apply(x, x0_hat, z) == pytest.approx(expected)


def test_ode_is_the_straight_line_to_the_estimate():
    assert transition.ode(0.8, 0.2).apply(4.0, 0.0, None) == pytest.approx(1.0)
    assert transition.ode(0.8, 0.0).apply(4.0, 2.5, None) == pytest.approx(2.5)


# Loop


@pytest.mark.parametrize("fixed", [None, 7])
def test_replay_ends_in_the_same_state(fixed):
    prior = Gaussian()
    header = SDE if fixed else HEADER
    coded = search(prior, prior.sample(), header=header, fixed=fixed, gop=3)
    x, t = replay(prior, coded, header=header, gop=3)
    assert t == coded.t
    assert np.array_equal(x, coded.x)


def test_lower_stop_level_lower_error_more_bits():
    prior = Gaussian()
    x0 = prior.sample()
    coded = [search(prior, x0, stop) for stop in range(450, 209, -40)]
    errors, bits = [c.error(prior, x0) for c in coded], [c.noise.bits for c in coded]
    assert all(a > b for a, b in itertools.pairwise(errors))
    assert all(a < b for a, b in itertools.pairwise(bits))
    assert errors[0] > 0.7 and errors[-1] < 0.01


def test_error_is_what_the_stop_level_says():
    """The error is the posterior variance of a Gaussian at the noise level, sigma^2 / (1 + sigma^2)."""
    prior = Gaussian(4000, 2000)
    x0 = prior.sample()
    for stop in (384, 320, 288):
        sigma = level_sigma(stop)
        assert search(prior, x0, stop).error(prior, x0) == pytest.approx(sigma**2 / (1 + sigma**2), rel=0.35)


@pytest.mark.parametrize("budget", [300, 1000, 3000, 10_000])
def test_budget_is_kept_and_used(budget):
    prior = Gaussian(6000, 4000)
    coded = search(prior, prior.sample(), 100, budget=budget)
    assert 8 * len(coded.atoms) <= budget
    assert 8 * len(coded.atoms) >= min(0.97 * budget, budget - 60)
    x, t = replay(prior, coded)
    assert np.array_equal(x, coded.x) and t == coded.t


def test_more_budget_less_error():
    prior = Gaussian()
    x0 = prior.sample()
    errors = [search(prior, x0, 100, budget=b).error(prior, x0) for b in (0, 300, 900, 1800, 3600)]
    assert all(a > b for a, b in itertools.pairwise(errors))


def test_no_budget_at_all_still_decodes():
    prior = Gaussian()
    coded = search(prior, prior.sample(), budget=0)
    assert len(coded.atoms) <= 8
    assert np.array_equal(replay(prior, coded)[0], coded.x)


def test_steps_without_atoms_inject_white_noise():
    """A source equal to the estimate needs no atoms; the state remains a sample of its marginal distribution."""
    prior = Gaussian(20_000, 10_000, variance=1e-8)
    coded = search(prior, prior.zeros(), 384)
    assert len(coded.atoms) < 16
    assert coded.x.std() == pytest.approx(coded.t, rel=0.05)
    assert np.array_equal(replay(prior, coded)[0], coded.x)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_paper_rule_spends_the_same_atoms_every_step(count):
    prior = Gaussian()
    coded = search(prior, prior.sample(), header=SDE, fixed=count)
    counts = []

    class Spy(ReplayNoise):
        def _read_atoms(self, block, size):
            indices, signs = super()._read_atoms(block, size)
            counts.append(len(indices))
            return indices, signs

    rule = rule_of(SDE, GopUnit(index=0, shown=1))
    noise = Spy(prior, SDE, 0, coded.atoms, rule.noisy)
    denoise(prior, rule, noise)
    noise.finish()
    assert counts == [count] * 2 * 17  # two blocks; 20 steps, the last 3 silent


def test_the_reader_keeps_to_the_threads_that_are_allowed(monkeypatch):
    """The limit also holds in the reader's own thread."""
    prior, seen = Gaussian(), []
    coded = search(prior, prior.sample())
    monkeypatch.setattr(codebooks, "each", lambda *work: (seen.append(allowed()), each(*work))[1])
    with Team(1).leading():
        replay(prior, coded)
    assert set(seen) == {1} and len(seen) > 3


def test_a_source_leaves_no_thread_behind():
    prior = Gaussian()
    coded = search(prior, prior.sample())
    rule = rule_of(HEADER, unit_of(HEADER, 0, coded.noise.stop))

    def coders():
        return {thread for thread in threading.enumerate() if thread.name.startswith("gvc-atoms")}

    before = coders()
    for error in (BitstreamError, OSError):
        with pytest.raises(error), ReplayNoise(prior, HEADER, 0, coded.atoms, rule.noisy) as source:
            source.inject(0, 1.0, 0.5, prior.zeros())
            assert coders() - before
            raise error("x", 0, "y")
        assert coders() == before


def test_atoms_steer():
    """With its atoms the loop ends close to the source; with the atoms of another source it does not."""
    prior = Gaussian()
    x0, other = prior.sample(0), prior.sample(1)
    coded = search(prior, x0, 250)
    assert coded.error(prior, x0) < 0.05
    assert coded.error(prior, other) > 1


class Counting(Gaussian):
    """A prior that counts the calls of its network."""

    def __init__(self, *args):
        super().__init__(*args)
        self.times = []

    def velocity(self, x, t):
        self.times.append(t)
        return super().velocity(x, t)


@pytest.mark.parametrize("header", [HEADER, SDE])
def test_x0_cache_asks_the_network_half_as_often(header):
    prior, cached = Counting(), replace(header, x0_cache=1)
    x0 = prior.sample()
    fixed = 30 if header is SDE else None
    coded = search(prior, x0, header=header, fixed=fixed)
    steps, prior.times = prior.times, []
    quick = search(prior, x0, header=cached, fixed=fixed)
    if header is SDE:  # 17 steps with noise, every other one; 3 without, each
        assert prior.times == steps[0:17:2] + steps[17:]
    else:
        assert prior.times == steps[::2]
    assert np.array_equal(replay(prior, quick, header=cached)[0], quick.x)
    assert not np.array_equal(quick.x, coded.x)
    assert quick.error(prior, x0) < 2 * coded.error(prior, x0) + 0.01


@pytest.mark.parametrize(
    ("skips", "warmup", "called"),
    [
        (1, 0, {0, 2, 4, 6, 8, 10, 12, 14, 16}),
        (1, 1, {0, 1, 3, 5, 7, 9, 11, 13, 15}),
        (2, 0, {0, 3, 6, 9, 12, 15}),
        (4, 3, {0, 1, 2, 3, 8, 13}),
        (15, 255, set(range(17))),
    ],
)
def test_the_refresh_schedule_says_which_steps_ask_the_network(skips, warmup, called):
    """The steps without noise, which are the last three, always do."""
    rule = rule_of(replace(SDE, x0_cache=skips, x0_warmup=warmup), GopUnit(index=0, shown=1))
    assert {step for step in range(20) if rule.needs_network(step)} == called | {17, 18, 19}
    assert rule.calls == (len(called) + 3, 0)


def test_rounds_of_the_refresh_schedule_begin_anew_at_full_resolution():
    rule = rule_of(replace(SDE, x0_cache=2, x0_warmup=1, lowres_steps=6), GopUnit(index=0, shown=1))
    assert {step for step in range(17) if rule.needs_network(step)} == {0, 1, 4, 6, 7, 10, 13, 16}
    assert rule.calls == (5 + 3, 3)


def test_only_the_atoms_below_the_limit_are_used():
    prior, limited = Gaussian(), replace(HEADER, codebook_extra=4, codebook_limit=7)
    x0 = prior.sample()
    coded = search(prior, x0, 250, header=limited)
    assert coded.error(prior, x0) < 0.2
    assert np.array_equal(replay(prior, coded, header=limited)[0], coded.x)
    decoder = RangeDecoder(coded.atoms)
    count = read_count(decoder, 0)
    indices, _ = read_atoms(decoder, count, 128)
    assert count and max(indices) < 128


@pytest.mark.parametrize("shift", [1, 3, 5])
def test_the_time_grid_of_the_sde_is_the_headers(shift):
    times = rule_of(replace(SDE, shift=shift), GopUnit(index=0, shown=1)).times
    assert len(times) == 20 and times[-1] == 0
    assert times[9] == pytest.approx(shift / (1 + shift))


@pytest.mark.parametrize("change", [{"seed": 6}, {"codebook_extra": 2}])
def test_the_wrong_codebook_gives_another_video(change):
    prior = Gaussian()
    x0 = prior.sample()
    coded = search(prior, x0, 250)
    try:
        x, _ = replay(prior, coded, header=replace(HEADER, **change))
    except BitstreamError:
        return
    assert np.mean((x - coded.x) ** 2) > 0.1


@given(st.binary(max_size=60))
def test_any_bytes_replay_to_a_state_or_an_error(data):
    prior = Gaussian(60, 20)
    unit = GopUnit(index=0, shown=1, start=500, stop=380, stride=40)
    rule = rule_of(HEADER, unit)
    try:
        noise = ReplayNoise(prior, HEADER, 0, data, rule.noisy)
        x, _ = denoise(prior, rule, noise)
        noise.finish()
    except BitstreamError:
        return
    assert np.isfinite(x).all()


def test_blocks_larger_than_a_codebook_are_cut(monkeypatch):
    monkeypatch.setattr(codebook, "MAX_LOG2_SIZE", 8)
    prior = Gaussian()
    x0 = prior.sample()
    coded = search(prior, x0, 250)
    assert coded.error(prior, x0) < 0.05
    assert np.array_equal(replay(prior, coded)[0], coded.x)


def test_too_many_atoms_are_refused():
    prior = Gaussian(60, 20)
    coded = search(prior, prior.sample(), header=replace(HEADER, codebook_extra=4), fixed=900)
    with pytest.raises(BitstreamError, match="count"):
        replay(prior, coded)


def test_left_over_bytes_are_refused():
    prior = Gaussian()
    coded = search(prior, prior.sample())
    coded.atoms += b"\1" * 12
    with pytest.raises(BitstreamError):
        replay(prior, coded)


def test_realism_goes_from_the_mean_to_a_sample():
    prior = Gaussian(20_000, 10_000)
    coded = search(prior, prior.sample(), 400)
    mean, half, sample = (finish(prior, coded.x, coded.t, realism) for realism in (0.0, 0.5, 1.0))
    assert mean.std() < 0.8
    assert sample.std() == pytest.approx(1, abs=0.07)
    np.testing.assert_allclose(half, (mean + sample) / 2, atol=1e-5)


def test_a_trajectory_that_ends_at_zero_is_clean():
    prior = Gaussian()
    x = prior.sample()
    assert np.array_equal(finish(prior, x, 0.0, 0.0), x)


def test_rule_of_a_unit():
    rule = rule_of(HEADER, GopUnit(index=0, shown=1, start=40, stop=10, stride=1))
    assert isinstance(rule, Rule)
    assert rule.times == [level_time(level) for level in range(40, 9, -1)]
    assert rule.silent == 0
    assert rule_of(SDE, GopUnit(index=0, shown=1)).silent == 3


@pytest.mark.parametrize(("header", "stride"), [(HEADER, 0), (SDE, 8)])
def test_a_stride_that_does_not_fit_the_transition_is_refused(header, stride):
    with pytest.raises(BitstreamError, match="stride"):
        rule_of(header, GopUnit(index=0, shown=1, start=40, stop=10, stride=stride))
