# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Codebook: the native kernels against the definition, torch against native, and the choice of atoms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvc.loop.codebook import Codebook, Ranking, log2_size_for


def philox(counter, key):
    """Philox4x32-10 in plain integers."""
    c, k, mask = list(counter), list(key), 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & mask, a >> 32 ^ c[3] ^ k[1], a & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def diagonal(book, which):
    def bit(i):
        word = i >> 5
        counter = (word >> 2, book.block, book.step, book.gop << 2 | which)
        return philox(counter, (book.seed, 0x47564331))[word & 3] >> (i & 31) & 1

    return np.array([1 - 2 * bit(i) for i in range(1 << book.log2_size)])


def atoms(book):
    """Return all atoms of a small codebook as integers [N, D], by the definition."""
    h = np.array([[1.0]])  # float64 is exact for these values and has a fast matrix product.
    for _ in range(book.log2_size):
        h = np.block([[h, h], [h, -h]])
    return (h * diagonal(book, 1) @ h * diagonal(book, 0))[:, : book.dimension]


def test_philox_known_answers():
    assert philox((0,) * 4, (0,) * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


@pytest.mark.parametrize(
    "dimension, extra",
    [(1, 0), (2, 0), (7, 0), (33, 0), (100, 0), (300, 0), (513, 0), (1, 5), (3, 4), (8, 1), (9, 6), (33, 3), (130, 2)],
)
def test_follows_the_definition(dimension, extra):
    book = Codebook(dimension, log2_size_for(dimension) + extra, seed=0xFFFFFFFF, gop=(1 << 30) - 1, step=19, block=8)
    size = 1 << book.log2_size
    rows = atoms(book)
    residual = np.random.default_rng(1).standard_normal(dimension).astype(np.float32)
    correlations, memory = rows @ residual / math.sqrt(size), np.full(size, np.nan, np.float32)
    np.testing.assert_allclose(book.correlate(residual), correlations, rtol=1e-4, atol=1e-4)
    assert book.correlate(residual, memory) is memory
    np.testing.assert_allclose(memory, correlations, rtol=1e-4, atol=1e-4)

    indices = np.unique([0, size // 2, size - 1]).astype(np.uint32)
    signs = np.array([-1, 1, -1], np.int8)[: len(indices)]
    expected = (signs @ rows[indices]).astype(np.float32) / np.float32(math.sqrt(size * len(indices)))
    assert np.array_equal(book.synthesize(indices, signs), expected)
    assert np.array_equal(book.dense_noise(), (diagonal(book, 2) @ rows).astype(np.float32) / np.float32(size))


def test_noise_is_white_and_chosen_atoms_steer():
    book = Codebook(99_840, 17, seed=1, gop=0, step=5, block=0)
    residual = np.random.default_rng(0).standard_normal(99_840).astype(np.float32)
    residual /= np.linalg.norm(residual)
    correlations = book.correlate(residual)
    assert abs(correlations.mean()) < 0.02 and abs(correlations.std() - 1) < 0.02

    ranking = Ranking(correlations)
    count = ranking.count_for(30.0)
    z = book.synthesize(*ranking.take(count))
    assert z @ residual == pytest.approx(ranking.reach(count), rel=1e-4) and z @ residual >= 30
    for noise in (z, book.dense_noise()):
        assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02
        assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.02
        assert abs((noise**4).mean() - 3) < 0.15


def test_large_sets_do_not_overflow():
    book = Codebook(1 << 20, 20, 1, 2, 3, 4)
    everything = np.arange(1 << 20, dtype=np.uint32)
    z = book.synthesize(everything, np.ones(1 << 20, np.int8))
    # H times the all-ones vector is N in its first place and 0 elsewhere, so z is the first row of H D2, signed by D1.
    assert np.array_equal(np.abs(z), np.ones(1 << 20, np.float32))


@pytest.mark.parametrize("other", [{"seed": 2}, {"gop": 1}, {"step": 1}, {"block": 1}])
def test_every_key_part_changes_the_atoms(other):
    key = {"seed": 1, "gop": 0, "step": 0, "block": 0}
    assert not np.array_equal(Codebook(64, 6, **key).dense_noise(), Codebook(64, 6, **key | other).dense_noise())


def test_rejects_what_cannot_be_synthesised():
    book = Codebook(100, 7, 0, 0, 0, 0)
    one, up = np.array([1], np.uint32), np.array([1], np.int8)
    for indices, signs in [(one[:0], up[:0]), (one * 128, up), (one, up * 0), (one, up[:0])]:
        with pytest.raises(ValueError):
            book.synthesize(indices, signs)
    with pytest.raises(ValueError):
        Codebook(129, 7, 0, 0, 0, 0).dense_noise()
    with pytest.raises(ValueError):
        book.correlate(np.zeros(100, np.float32), np.empty(127, np.float32))
    with pytest.raises(ValueError):
        Ranking(np.array([1.0, np.nan], np.float32))


magnitudes = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=300)


@given(magnitudes, st.floats(0, 2000))
def test_ranking_matches_a_full_sort(values, want):
    c = np.array(values, np.float32)
    order = np.lexsort((np.arange(len(c)), -np.abs(c)))
    reach = np.cumsum(np.abs(c[order]).astype(np.float64)) / np.sqrt(np.arange(1, len(c) + 1))
    expected = int(np.argmax(reach >= want)) + 1 if (reach >= want).any() else int(np.argmax(reach)) + 1
    ranking = Ranking(c)
    assert ranking.count_for(want) == expected
    for count in (expected, len(c), 0):
        indices, signs = ranking.take(count)
        assert np.array_equal(indices, np.sort(order[:count]))
        assert np.array_equal(signs, np.where(c[indices] < 0, -1, 1))


def test_ranking_of_a_large_codebook_grows_on_demand():
    c = np.random.default_rng(3).standard_normal(1 << 17).astype(np.float32)
    ranking = Ranking(c)
    order = np.argsort(-np.abs(c), kind="stable")
    for count in (1, 64, 63, 5000, 1 << 17):
        assert np.array_equal(ranking.take(count)[0], np.sort(order[:count]))
