# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bundled prior: bases, bands, means, the exact velocity, and grain."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from clips import moving_clip, pan_clip, stack, video_format
from gvc._native import blurred
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.entropy import RangeDecoder, RangeEncoder
from gvc.errors import BitstreamError
from gvc.prior import Condition
from gvc.priors import open_prior
from gvc.priors.gp import VERSIONS, GpPrior, bands, basis, mean
from gvc.priors.gp.activity import activity_map
from gvc.priors.gp.layout import PLANE_WEIGHTS, Layout
from gvc.priors.gp.residual import Residual
from gvc.priors.gp.texture import AROUND, COARSE, FINE, bounded, textured

SIGMA = 0.2


def conditioned(pictures=None, *, boundaries=2, sigma=SIGMA, previous=None, version=VERSIONS[-1]):
    """Return (prior conditioned on a clip with exact boundaries, the clip)."""
    pictures = pictures or moving_clip(9)
    first = pictures[0].planes if boundaries > 0 else None
    last = pictures[-1].planes if boundaries > 1 else None
    condition = Condition(video_format(pictures), len(pictures), first, last, previous)
    clip = stack(pictures)
    side = GpPrior().analyse(condition, clip).describe(sigma)
    return GpPrior(version).condition(condition, side), clip


def squared_error(a, b) -> float:
    return float(np.mean((a[0].astype(float) - b[0]) ** 2))


# Bases


@pytest.mark.parametrize("boundaries", [0, 1, 2])
@pytest.mark.parametrize("size", range(1, 10))
def test_bases_are_orthonormal(size, boundaries):
    matrix, frequencies = basis.temporal(size, boundaries)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), atol=1e-5)
    assert (np.diff(frequencies) > 0).all() and frequencies[0] >= 0 and frequencies[-1] < 1


@pytest.mark.parametrize("boundaries", [1, 2])
def test_residuals_vanish_at_known_pictures(boundaries):
    """A slow basis function is small beside a known picture and large away from it."""
    slowest = np.abs(basis.temporal(32, boundaries)[0][0])
    assert slowest[0] < 0.15 * slowest.max()
    assert (slowest[-1] < 0.15 * slowest.max()) == (boundaries == 2)


@settings(max_examples=30)
@given(st.integers(1, 20), st.integers(1, 20))
def test_transform_round_trip(height, width):
    picture = np.random.default_rng(0).standard_normal((height, width)).astype(np.float32)
    coefficients = basis.corner(picture, height, width)
    assert np.vdot(coefficients, coefficients) == pytest.approx(np.vdot(picture, picture), rel=1e-4)
    np.testing.assert_allclose(basis.picture_of(coefficients, height, width), picture, atol=1e-4)


# Bands

level_tables = st.lists(
    st.lists(st.integers(0, bands.MAX_LEVEL), min_size=bands.BANDS + 1, max_size=bands.BANDS + 1),
    min_size=3,
    max_size=3,
).map(lambda rows: np.array(rows, np.int64))


@settings(max_examples=30)
@given(level_tables, st.none() | level_tables)
def test_levels_round_trip(levels, previous):
    encoder = RangeEncoder()
    bands.write_levels(encoder, levels, previous)
    decoder = RangeDecoder(encoder.finish())
    assert np.array_equal(bands.read_levels(decoder, 3, previous), levels)
    decoder.finish()


def test_levels_like_those_before_cost_next_to_nothing():
    levels = np.random.default_rng(0).integers(0, 60, (3, bands.BANDS + 1))
    sizes = []
    for previous in (None, levels):
        encoder = RangeEncoder()
        bands.write_levels(encoder, levels, previous)
        sizes.append(len(encoder.finish()))
    assert sizes[1] < 20 < sizes[0]


def test_nearest_level_is_within_a_quarter_octave():
    variances = np.exp2(np.linspace(-13, 17, 500))
    ratio = bands.level_variances()[bands.nearest_level(variances)] / variances
    assert (np.abs(np.log2(ratio)) <= 0.2501).all()
    assert bands.level_variances()[0] == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 65), (48, 64)])
def test_every_coefficient_has_one_band(size):
    layout = bands.PlaneBands.of(basis.temporal(7, 2)[1], *size)
    counts = layout.counts()
    assert counts.sum() == 7 * size[0] * size[1]
    for last in range(bands.SPATIAL_BANDS):
        corner = layout.spatial(last)
        expected = np.where(np.arange(bands.BANDS) % bands.SPATIAL_BANDS <= last, counts, 0)
        np.testing.assert_allclose(layout.energies(np.ones((7, *corner.shape), np.float32), last), expected)
    levels = np.random.default_rng(1).integers(0, 2, bands.BANDS)
    mask, numbers = layout.carried(levels)
    assert mask.sum() == len(numbers) == counts[levels > 0].sum()
    assert np.array_equal(np.bincount(numbers, minlength=bands.BANDS), np.where(levels > 0, counts, 0))


# GOPs side by side


def test_gops_may_be_coded_side_by_side_in_threads():
    """Threads that share a prior, each with GOPs of its own, get what one thread gets."""
    prior, clips = GpPrior(), [moving_clip(n) for n in range(3, 9)]

    def coded(pictures):
        condition = Condition(video_format(pictures), len(pictures), pictures[0].planes, pictures[-1].planes)
        clip = stack(pictures)
        side = prior.analyse(condition, clip).refined(SIGMA).describe(SIGMA)
        process = prior.condition(condition, side)
        return side, process.decode_latent(process.encode_latent(clip), 0.0)

    assert prior.concurrent
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(coded, clips))
    for (side, made), (other_side, other) in zip(together, map(coded, clips), strict=True):
        assert side == other_side and all(map(np.array_equal, made, other))


# What an analysis measures


@pytest.mark.parametrize("share", [3.0, 1.0, 0.1, 0.0])
@pytest.mark.parametrize("boundaries", [0, 2])
def test_only_bands_below_the_threshold_remain_unmeasured(boundaries, share):
    """Bands that an analysis measures, and what is left, are those of a whole transform."""
    pictures = moving_clip(6, 70, 45)
    known = [p.planes for p in (pictures[0], pictures[-1])][:boundaries]
    condition, clip = Condition(video_format(pictures), 6, *known), stack(pictures)
    layout = Layout(condition)
    flat = tuple(np.full_like(plane[layout.span], 120) for plane in clip)
    residual = Residual(layout, clip, flat)
    for i, plane in enumerate(residual.planes):
        activity = layout.activity(i)
        values = (
            (clip[i][layout.span].astype(np.float32) - 120) * PLANE_WEIGHTS[i] / (1 if activity is None else activity)
        )
        spatial = [basis.corner(value, *value.shape) for value in values]
        whole = layout.planes[i].energies(np.tensordot(layout.time, spatial, 1), bands.SPATIAL_BANDS - 1)
        variances = whole / np.maximum(layout.planes[i].counts(), 1)
        threshold = share * float(variances.mean())
        energies, left = plane.energies_above(threshold)
        expected = np.where(variances > threshold, whole, 0)
        np.testing.assert_allclose(energies, expected, rtol=1e-3, atol=1e-3 * whole.max())
        assert left == pytest.approx(whole.sum() - expected.sum(), rel=1e-3, abs=1e-3 * whole.sum())
        last = bands.SPATIAL_BANDS - 1 if share == 0 else 4
        corner = layout.planes[i].spatial(last).shape
        expected = np.tensordot(layout.time, [s[: corner[0], : corner[1]] for s in spatial], 1)
        np.testing.assert_allclose(plane.coefficients(last), expected, atol=1e-4)


def test_coding_uses_what_the_analysis_has_left():
    """A GOP's mean and coefficients are the same whether its analysis has left them or not."""
    pictures = moving_clip(5)
    condition = Condition(video_format(pictures), 5, pictures[0].planes, pictures[-1].planes)
    clip, prior = stack(pictures), GpPrior()
    side = prior.analyse(condition, clip).refined(0.1).describe(0.1)
    process, again = (prior.condition(condition, side) for _ in range(2))
    x, x_again = process.encode_latent(clip), again.encode_latent(clip)
    assert len(x) == process.size > 0
    np.testing.assert_allclose(x, x_again, atol=1e-5)
    assert all(map(np.array_equal, process.decode_latent(x, 0.0), again.decode_latent(x, 0.0)))
    prior.analyse(condition, clip).describe(0.1)
    other = tuple(np.zeros_like(plane) for plane in clip)
    assert not np.array_equal(prior.condition(condition, side).encode_latent(other), x)


# Means


def test_means_fit_what_is_known():
    def choices(first, last, version=3):
        return mean.choices(Condition(None, 5, first, last), version)

    assert choices(None, None) == [mean.FLAT]
    assert choices("x", None) == [mean.HOLD, mean.MOTION]
    assert choices("x", None, version=2) == [mean.HOLD]
    assert choices("x", "y") == [mean.FADE, mean.MOTION]


def test_hold_repeats_and_fade_crosses():
    a, b = moving_clip(2, 6, 4, seed=1), moving_clip(2, 6, 4, seed=2)
    condition = Condition(video_format(a), 5, a[0].planes, None)
    for plane, known in zip(mean.still(condition, mean.HOLD, ()), a[0].planes, strict=True):
        assert plane.shape == (4, *known.shape) and (plane == known).all()
    fade = mean.still(Condition(video_format(a), 5, a[0].planes, b[0].planes), mean.FADE, ())
    expected = np.stack([(1 - i / 4) * a[0].planes[0] + (i / 4) * b[0].planes[0] for i in (1, 2, 3)])
    assert fade[0].shape == (3, 4, 6)
    assert np.abs(fade[0] - expected).max() <= 0.5


def test_flat_is_the_mean_colour():
    prior, clip = conditioned(boundaries=0, sigma=1000.0)
    flat = prior.decode_latent(prior.zeros(), 0.0)
    assert prior.size == 0
    for plane, source in zip(flat, clip, strict=True):
        assert (plane == plane.flat[0]).all()
        assert abs(float(plane.flat[0]) - source.mean()) <= 0.51


def test_motion_beats_a_fade_on_a_pan_and_is_chosen():
    pictures = pan_clip(9, 96, 64)
    condition = Condition(video_format(pictures), 9, pictures[0].planes, pictures[-1].planes)
    unknown = tuple(plane[1:-1] for plane in stack(pictures))
    means = mean.still(condition, mean.FADE, ()), mean.MotionMean(condition, 3).unknown()
    errors = [squared_error(m, unknown) for m in means]
    assert errors[1] < errors[0] / 2
    prior, _ = conditioned(sigma=1000.0, pictures=pictures)
    assert squared_error(tuple(p[1:-1] for p in prior.decode_latent(prior.zeros(), 0.0)), unknown) == errors[1]


# The conditioned process


@pytest.mark.parametrize(
    ("frames", "boundaries"), [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (9, 0), (9, 1), (9, 2)]
)
def test_latents_round_trip_when_all_is_carried(frames, boundaries):
    prior, clip = conditioned(moving_clip(frames, 33, 17), boundaries=boundaries, sigma=1e-5)
    back = prior.decode_latent(prior.encode_latent(clip), 0.0)
    for plane, source in zip(back, clip, strict=True):
        assert plane.shape == source.shape and plane.dtype == np.uint8
        assert np.abs(plane.astype(int) - source).max() <= 1


@pytest.mark.parametrize("boundaries", [0, 1, 2])
def test_known_pictures_are_kept_exactly(boundaries):
    prior, clip = conditioned(boundaries=boundaries)
    back = prior.decode_latent(np.ones(prior.size, np.float32), 0.0)
    for plane, source in zip(back, clip, strict=True):
        if boundaries > 0:
            assert np.array_equal(plane[0], source[0])
        if boundaries > 1:
            assert np.array_equal(plane[-1], source[-1])


def test_blocks_partition_the_latent():
    prior, _ = conditioned()
    covered = np.concatenate([np.arange(prior.size)[block] for block in prior.blocks])
    assert np.array_equal(covered, np.arange(prior.size))
    assert prior.zeros().shape == (prior.size,)
    assert prior.zeros().dtype == np.float32


def test_coarser_coding_carries_less_and_says_less():
    sizes = [conditioned(sigma=sigma)[0].size for sigma in (0.02, 0.1, 0.5, 3.0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 10 * sizes[-1]


def test_what_is_not_carried_hardly_matters():
    """Dropped coefficients lie below the noise where coding stops."""
    prior, clip = conditioned(sigma=SIGMA)
    back = prior.decode_latent(prior.encode_latent(clip), 0.0)
    assert squared_error(back, clip) < (64 * SIGMA) ** 2 / 2


def prior_variances(prior):
    """Return the variance of each latent value, derived from the velocity: at t = 1/2 that is (1 - gain) x / t."""
    gain = 1 - 0.5 * prior.velocity(np.ones(prior.size, np.float32), 0.5)
    return gain / (2 - gain)


def test_velocity_is_the_posterior_mean():
    """For independent Gaussians (up to gp/3) E[eps - x0 | x_t] is u = (x - x0_hat) / t with the sent variances."""
    prior, _ = conditioned(version=3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(prior.size).astype(np.float32)
    variance = prior_variances(prior).astype(np.float64)
    assert (variance > 0).all()
    for t in (0.999, 0.7, 0.3, 0.05):
        x0_hat = (1 - t) * variance / ((1 - t) ** 2 * variance + t * t) * x
        np.testing.assert_allclose(prior.velocity(x, t), (x - x0_hat) / t, rtol=1e-3, atol=1e-3)


def test_variances_are_those_of_the_source():
    """The mean energy of carried coefficients equals the variance of their band, to half a level."""
    prior, clip = conditioned(sigma=0.05, version=3)
    energy = float((prior.encode_latent(clip) ** 2).sum())
    assert float(prior_variances(prior).sum()) == pytest.approx(energy, rel=0.1)


def test_at_full_noise_the_estimate_is_the_mean():
    prior, _ = conditioned()
    x = np.random.default_rng(0).standard_normal(prior.size).astype(np.float32)
    np.testing.assert_allclose(x - prior.velocity(x, 1.0), 0, atol=1e-6)


@pytest.mark.parametrize("boundaries", [0, 1, 2])
def test_predicted_rate_falls_and_error_rises_with_the_noise(boundaries):
    pictures = moving_clip(9)
    first = pictures[0].planes if boundaries > 0 else None
    last = pictures[-1].planes if boundaries > 1 else None
    analysis = open_prior("gp").analyse(Condition(video_format(pictures), 9, first, last), stack(pictures))
    bits, errors = zip(*(analysis.rate_distortion(sigma) for sigma in (0.05, 0.2, 0.8, 3.2)), strict=True)
    assert list(bits) == sorted(bits, reverse=True) and bits[0] > bits[-1]
    assert list(errors) == sorted(errors) and errors[0] < errors[-1]


# Side information


@pytest.mark.parametrize("boundaries", [0, 1, 2])
def test_both_sides_see_the_same_process(boundaries):
    """A second object from the same bytes has the same size, velocity and pictures."""
    pictures = moving_clip(9)
    first = pictures[0].planes if boundaries > 0 else None
    last = pictures[-1].planes if boundaries > 1 else None
    condition = Condition(video_format(pictures), 9, first, last)
    prior = open_prior("gp")
    side = prior.analyse(condition, stack(pictures)).describe(SIGMA)
    a, b = (open_prior("gp").condition(condition, side) for _ in range(2))
    x = np.random.default_rng(0).standard_normal(a.size).astype(np.float32)
    assert np.array_equal(a.velocity(x, 0.4), b.velocity(x, 0.4))
    assert all(np.array_equal(p, q) for p, q in zip(a.decode_latent(x, 1.0), b.decode_latent(x, 1.0), strict=True))


def test_a_gop_is_described_against_the_one_before():
    pictures = moving_clip(9)
    before, _ = conditioned(pictures=pictures)
    sizes = []
    for previous in (None, before.memory):
        condition = Condition(video_format(pictures), 9, pictures[0].planes, pictures[-1].planes, previous)
        sizes.append(len(open_prior("gp").analyse(condition, stack(pictures)).describe(SIGMA)))
        after, _ = conditioned(pictures=pictures, previous=previous)
        assert after.size == before.size
    assert sizes[1] < sizes[0] / 2


@given(st.binary(max_size=80))
def test_any_side_information_is_a_process_or_an_error(side):
    pictures = moving_clip(5, 20, 12)
    condition = Condition(video_format(pictures), 5, pictures[0].planes, pictures[-1].planes)
    try:
        prior = open_prior("gp").condition(condition, side)
    except BitstreamError:
        return
    assert prior.decode_latent(prior.zeros(), 1.0)[0].shape == (5, 12, 20)


# Realism


def fine_energy(clip) -> float:
    """Return the energy of differences between neighbouring samples, a measure of texture."""
    return float(np.mean(np.diff(clip[0][1:-1].astype(float), axis=2) ** 2))


def test_realism_brings_back_texture():
    prior, clip = conditioned(sigma=0.5)
    x0 = prior.encode_latent(clip)
    plain, some, full = (fine_energy(prior.decode_latent(x0, realism)) for realism in (0.0, 0.5, 1.0))
    assert plain < some < full
    assert full == pytest.approx(fine_energy(clip), rel=0.25)


def test_flat_pictures_stay_flat_whatever_the_realism():
    flat, noise = np.full((2, 40, 48), 90, np.uint8), np.random.default_rng(3).integers(60, 120, (2, 40, 48), np.uint8)
    assert np.array_equal(textured(flat, 8.0, 5.0, 1.0), flat)
    assert np.array_equal(textured(noise, 8.0, 5.0, 0.0), noise)
    assert textured(noise, 8.0, 5.0, 1.0).astype(float).std() > noise.astype(float).std()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (30, 4), (23, 41)])
def test_a_picture_is_blurred_as_numpy_would(shape):
    picture = np.random.default_rng(0).random(shape, np.float32)
    for kernel in (FINE, COARSE, AROUND):
        reach, expected = len(kernel) // 2, picture
        for axis in (0, 1):
            padded = np.pad(expected, [(reach * (i == axis),) * 2 for i in (0, 1)], "edge")
            windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis)
            expected = sum(windows[..., i] * weight for i, weight in enumerate(kernel))
        assert np.array_equal(blurred(picture, kernel), expected)
    with pytest.raises(ValueError, match="odd"):
        blurred(picture, FINE[:2])
    with pytest.raises(ValueError, match="height, width"):
        blurred(picture[:0], FINE)


def test_realism_leaves_no_seams_between_the_strips_that_are_filtered(monkeypatch):
    noise = np.random.default_rng(0).integers(90, 160, (1, 150, 20)).astype(np.uint8)
    deviation = np.random.default_rng(1).random(noise.shape[1:], np.float32) * 8
    other = noise[:, ::-1].copy()
    by_strips = textured(noise, deviation, 5.0, 1.0), bounded(noise, other, 5.0, 1.0)
    monkeypatch.setattr("gvc.priors.gp.texture.STRIP", 150)
    assert np.array_equal(by_strips, (textured(noise, deviation, 5.0, 1.0), bounded(noise, other, 5.0, 1.0)))


@pytest.mark.parametrize("realism", [0.0, 1.0])
def test_decoding_is_deterministic(realism):
    prior, clip = conditioned(sigma=0.5)
    x0 = prior.encode_latent(clip)
    a, b = (prior.decode_latent(x0, realism) for _ in range(2))
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


# Activity


def test_busy_places_are_expected_to_change_more_than_flat_ones():
    picture = np.full((40, 60), 90, np.uint8)
    picture[:, 30:] += np.random.default_rng(1).integers(0, 60, (40, 30), np.uint8)
    w = activity_map(picture)
    assert w[:, 40:].min() > 1.5 * w[:, :20].max()
    assert np.mean(w.astype(np.float64) ** 2) == pytest.approx(1, abs=1e-3)


def test_places_where_the_boundaries_differ_are_expected_to_change_more():
    first = np.full((40, 60), 90, np.uint8)
    last = first.copy()
    last[10:20, 10:20] = 200
    w = activity_map(first, last)
    assert w[15, 15] > 2 * w[30, 50]
    assert np.ptp(activity_map(first, first)) == 0


def test_without_boundaries_activity_is_the_same_everywhere():
    assert activity_map() is None
