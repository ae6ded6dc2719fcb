# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Entropy coding: round trips, sizes close to the ideal, and calm in the face of corrupt bytes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.entropy import (
    MAX_COUNT,
    AdaptiveModel,
    DeltaModel,
    RangeDecoder,
    RangeEncoder,
    read_atoms,
    read_count,
    set_bits,
    write_atoms,
    write_count,
)
from gvc.errors import BitstreamError


@st.composite
def symbols(draw):
    """(start, frequency, total) triples."""
    total = draw(st.integers(1, 1 << 24) | st.integers(1, 4))
    start = draw(st.integers(0, total - 1))
    return start, draw(st.integers(1, total - start)), total


@st.composite
def atom_sets(draw):
    """(indices, signs, size) with every density from none to all."""
    size = draw(st.integers(0, 400))
    indices = np.array(sorted(draw(st.sets(st.integers(0, max(size - 1, 0)), max_size=size))), np.uint32)
    if draw(st.booleans()):
        indices = np.setdiff1d(np.arange(size, dtype=np.uint32), indices)
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=len(indices), max_size=len(indices)))
    return indices, np.array(signs, np.int8), size


def random_atoms(size, count, seed=0):
    rng = np.random.default_rng(seed)
    indices = np.sort(rng.choice(size, count, replace=False)).astype(np.uint32)
    return indices, rng.choice(np.array([-1, 1], np.int8), count)


@given(st.lists(symbols(), max_size=200))
def test_symbols_round_trip(sequence):
    encoder = RangeEncoder()
    for symbol in sequence:
        encoder.encode(*symbol)
    data = encoder.finish()
    decoder = RangeDecoder(data)
    for start, frequency, total in sequence:
        assert start <= decoder.decode(total) < start + frequency
        decoder.consume(start, frequency, total)
    decoder.finish()
    ideal = sum(math.log2(total / frequency) for _, frequency, total in sequence)
    assert len(data) <= ideal / 8 * 1.001 + 2


@given(st.lists(st.integers(0, 64).flatmap(lambda n: st.tuples(st.integers(0, (1 << n) - 1), st.just(n)))))
def test_bits_round_trip(fields):
    encoder = RangeEncoder()
    for value, count in fields:
        encoder.encode_bits(value, count)
    decoder = RangeDecoder(encoder.finish())
    assert [decoder.decode_bits(count) for _, count in fields] == [value for value, _ in fields]
    decoder.finish()


@pytest.mark.parametrize("bit", [0, 1])
def test_long_runs_of_carries_and_zeros(bit):
    """All-zero and all-one streams exercise the carry and the dropping of zero bytes at the end."""
    encoder = RangeEncoder()
    for _ in range(1000):
        encoder.encode_bits(bit * 0xFFFF, 16)
    encoder.encode(3, 1, 4)
    decoder = RangeDecoder(encoder.finish())
    assert all(decoder.decode_uniform(1 << 16) == bit * 0xFFFF for _ in range(1000))
    assert decoder.decode_uniform(4) == 3
    decoder.finish()


@given(atom_sets())
def test_atoms_round_trip(atoms):
    indices, signs, size = atoms
    encoder = RangeEncoder()
    write_atoms(encoder, indices, signs, size)
    decoder = RangeDecoder(encoder.finish())
    got = read_atoms(decoder, len(indices), size)
    decoder.finish()
    assert np.array_equal(got[0], indices) and np.array_equal(got[1], signs)


@pytest.mark.parametrize(
    ("size", "count"), [(1 << 17, 1), (1 << 17, 16), (1 << 17, 64), (1 << 17, 60_000), (1 << 20, 100), (4096, 4096)]
)
def test_sets_cost_what_they_must(size, count):
    indices, signs = random_atoms(size, count)
    encoder = RangeEncoder()
    write_atoms(encoder, indices, signs, size)
    data = encoder.finish()
    assert len(data) <= set_bits(size, count) / 8 * 1.001 + 2
    got = read_atoms(RangeDecoder(data), count, size)
    assert np.array_equal(got[0], indices) and np.array_equal(got[1], signs)


counts = st.integers(0, MAX_COUNT) | st.integers(0, 20).map(lambda n: 1 << n) | st.integers(0, 100)


@given(st.lists(st.tuples(counts, counts)))
def test_counts_round_trip(pairs):
    encoder = RangeEncoder()
    for count, previous in pairs:
        write_count(encoder, count, previous)
    decoder = RangeDecoder(encoder.finish())
    assert [read_count(decoder, previous) for _, previous in pairs] == [count for count, _ in pairs]
    decoder.finish()


@given(st.lists(st.integers(-12, 12) | st.integers(1 - 2**31, 2**31 - 1)), st.integers(0, 8))
def test_deltas_round_trip(values, reach):
    encoder, model = RangeEncoder(), DeltaModel(reach)
    for value in values:
        model.write_delta(encoder, value)
    decoder, model = RangeDecoder(encoder.finish()), DeltaModel(reach)
    assert [model.read_delta(decoder) for _ in values] == values
    decoder.finish()


def test_adaptive_model_learns():
    encoder, model = RangeEncoder(), AdaptiveModel(16)
    for i in range(4000):
        model.write(encoder, 5 if i % 10 else 6)
    assert len(encoder.finish()) < 4000 * 0.52 / 8  # The entropy is 0.47 bits per symbol.


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 500), st.integers(0, 500))
def test_any_bytes_decode_or_are_refused(data, count, size):
    count = min(count, size)
    try:
        decoder, model = RangeDecoder(data), DeltaModel()
        for _ in range(20):
            assert 0 <= read_count(decoder, 10) <= MAX_COUNT
            model.read_delta(decoder)
            indices, signs = read_atoms(decoder, count, size)
            assert (np.diff(indices.astype(int)) > 0).all() and (indices < size).all()
            assert (np.abs(signs) == 1).all()
            decoder.decode_uniform(1000)
        decoder.finish()
    except BitstreamError as error:
        assert 0 <= error.offset <= len(data) + 8


def test_truncation_is_noticed():
    indices, signs = random_atoms(1 << 17, 64)
    encoder = RangeEncoder()
    write_atoms(encoder, indices, signs, 1 << 17)
    data = encoder.finish()
    with pytest.raises(BitstreamError, match="end early"):
        read_atoms(RangeDecoder(data[:-2]), 64, 1 << 17)
    with pytest.raises(BitstreamError, match="unused"):
        decoder = RangeDecoder(data + b"!!")
        read_atoms(decoder, 64, 1 << 17)
        decoder.finish()


def test_misuse_is_refused():
    encoder = RangeEncoder()
    for start, frequency, total in [(0, 0, 4), (4, 1, 4), (3, 2, 4), (0, 1, 0), (0, 1, (1 << 32) + 1)]:
        with pytest.raises(ValueError):
            encoder.encode(start, frequency, total)
    for indices, places in [([3, 3], 8), ([4, 2], 8), ([8], 8), ([1], 1 << 27), ([0, 1], 1)]:
        with pytest.raises(ValueError):
            encoder.encode_subset(np.array(indices, np.uint32), places)
    with pytest.raises(ValueError):
        encoder.encode_bits(4, 2)
    with pytest.raises(ValueError):
        write_count(encoder, MAX_COUNT + 1, 0)
    encoder.finish()
    with pytest.raises(ValueError):
        encoder.encode_bits(0, 1)
