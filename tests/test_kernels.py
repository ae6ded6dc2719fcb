# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Native kernels give what docs/BITSTREAM.md defines, to the bit, with each instruction set of this machine."""

import numpy as np
import pytest
from definitions import activity, block_model, interpolated, motion_field
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc import _native

SIZES = [(1, 1), (1, 40), (7, 13), (9, 17), (33, 8), (16, 64), (47, 71), (70, 131)]
sizes = st.sampled_from(SIZES) | st.tuples(st.integers(1, 40), st.integers(1, 80))
seeds = st.integers(0, 2**32 - 1)


def of_each_set(kernel, *arguments, **options):
    """Yield what a kernel returns, with one instruction set of this machine after another."""
    try:
        for name in _native.instruction_sets():
            _native.use_instruction_set(name)
            yield kernel(*arguments, **options)
    finally:
        _native.use_instruction_set(_native.instruction_sets()[-1])


def pictures(rng, size, count=2):
    """Return random pictures, of samples that are independent, smooth or at the ends of their range."""
    noise = rng.integers(0, 256, (count, *size), dtype=np.uint8)
    kind = rng.integers(3)
    if kind == 1:
        y, x = np.mgrid[: size[0], : size[1]]
        phases = 0.3 * x + 0.2 * y + rng.uniform(0, 6, count)[:, None, None]
        return list(np.uint8(128 + 100 * np.sin(phases) + noise / 16))
    return list(noise if kind == 0 else np.uint8(255 * (noise > 127)))


def fields(rng, size, reach, components=2):
    """Return a field of random vectors, some of which lead far out of the picture."""
    shape = (*(-(-side // 8) for side in size), components)
    return rng.integers(-reach, reach + 1, shape).clip(-(2**15), 2**15 - 1).astype(np.int16)


def test_an_instruction_set_that_is_missing_is_refused():
    with pytest.raises(ValueError, match="instruction_sets"):
        _native.use_instruction_set("mmx")


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from([0, 6, 60, 900, 2**15]), seeds)
def test_interpolation(size, reach, seed):
    rng = np.random.default_rng(seed)
    chroma, sharp, corrected = (bool(choice) for choice in rng.integers(0, 2, 3))
    den = int(rng.integers(1, 65536 if seed % 2 else 33))
    num, share = int(rng.integers(0, den + 1)), float(rng.choice([-1.0, -1.0, 0.0, 0.3, 1.0]))
    motion = fields(rng, size, reach), fields(rng, size, reach)
    correction = fields(rng, size, reach, 3) if corrected else None
    shape = tuple(-(-side // 2) for side in size) if chroma else size
    pair = pictures(rng, shape)
    options = {"shift": int(chroma), "sharp": sharp, "share": share, "correction": correction}
    expected = interpolated(pair, motion, (num, den), **options)[0]
    for found in of_each_set(_native.motion_interpolate, *pair, *motion, num, den, **options):
        assert np.array_equal(found, expected)
    if not chroma:
        expected = interpolated(pair, motion, (num, den), correction=correction)
        for found in of_each_set(_native.motion_parts, *pair, *motion, num, den, correction):
            assert np.array_equal(found, expected)


def test_interpolation_with_all_fractions_of_a_sample():
    rng = np.random.default_rng(0)
    pair = pictures(rng, (16, 200))
    for fraction in range(16):
        field = np.zeros((2, 25, 2), np.int16)
        field[:] = fraction, 7 * fraction % 16  # both ways have this many sixteenths
        expected = interpolated(pair, (field, -field), (1, 2))
        for found in of_each_set(_native.motion_parts, *pair, field, -field, 1, 2):
            assert np.array_equal(found, expected)


def test_interpolation_writes_to_a_row_of_a_clip():
    rng = np.random.default_rng(0)
    a, b = pictures(rng, (47, 71))
    field = fields(rng, (47, 71), 40)
    clip = np.zeros((3, 47, 71), np.uint8)
    _native.motion_interpolate(a, b, field, -field, 1, 3, out=clip[1])
    assert np.array_equal(clip[1], _native.motion_interpolate(a, b, field, -field, 1, 3))
    assert not clip[::2].any()
    with pytest.raises(ValueError, match="size"):
        _native.motion_interpolate(a, b, field, -field, 1, 3, out=clip[1, 1:])
    with pytest.raises(TypeError):
        _native.motion_interpolate(a, b, field, -field, 1, 3, out=clip[1].astype(float))


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (40, 8), (17, 33), (9, 67)])
def test_motion_fields_of_random_pictures(size):
    for seed, smoothness in enumerate([0, 4, 256]):
        pair = pictures(np.random.default_rng(seed), size)
        expected = motion_field(*pair, smoothness)
        for found in of_each_set(_native.motion_field, *pair, smoothness):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize("shift", [(0, 0), (2, 3), (-20, 4)])
def test_motion_fields_of_moving_pictures(shift):
    """A motion field of a picture and the same one displaced by halves of samples, with noise, on two levels."""
    y, x = np.mgrid[:50, :90] / 7
    moved = np.array(shift)[:, None, None] / 14
    noise = np.random.default_rng(1).integers(0, 9, (2, 50, 90))
    pair = [
        np.uint8(120 + 60 * np.sin(x + y * y / 9) + 50 * np.cos(y - x / 3) + n)
        for y, x, n in ((y, x, noise[0]), (y + moved[0], x + moved[1], noise[1]))
    ]
    expected = motion_field(*pair, 4)
    for found in of_each_set(_native.motion_field, *pair, 4):
        assert np.array_equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(sizes, st.booleans(), seeds)
def test_activity(size, both, seed):
    pair = pictures(np.random.default_rng(seed), size)[: 1 + both]
    expected = activity(*pair)
    for found in of_each_set(_native.activity_map, *pair):
        assert found.dtype == np.float32 and np.array_equal(found, expected)


def test_activity_whose_root_binary32_rounds_up():
    """The activity at the first sample is 65568, 256 times which is 4097^2 - 1."""
    pair = np.zeros((1, 20), np.uint8), np.full((1, 20), 255, np.uint8)
    pair[0][0, 0], pair[1][0, 0] = 207, 35
    expected = activity(*pair)
    for found in of_each_set(_native.activity_map, *pair):
        assert np.array_equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(sizes, seeds)
def test_block_model(size, seed):
    four = pictures(np.random.default_rng(seed), size, 4)
    expected = block_model(*four)
    for found in of_each_set(_native.block_model, *four):
        assert np.array_equal(found, expected)
