# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Motion: known displacements are found, interpolation follows them, and no picture size is refused."""

import hashlib

import numpy as np
import pytest
from clips import pan_clip
from gvc._native import motion_field, motion_interpolate, motion_parts


def texture(height, width, seed=0):
    """Smooth random texture, float [height, width] in 0..255, that can be sampled anywhere."""
    rng = np.random.default_rng(seed)
    waves = rng.uniform(-0.35, 0.35, (24, 2)), rng.uniform(0, 2 * np.pi, 24)

    def sample(dy=0.0, dx=0.0):
        y, x = np.mgrid[:height, :width].astype(float)
        phases = waves[0][:, :1, None] * (y + dy) + waves[0][:, 1:, None] * (x + dx) + waves[1][:, None, None]
        return np.clip(128 + 22 * np.sin(phases).sum(0), 0, 255).round().astype(np.uint8)

    return sample


def psnr(a, b):
    return -10 * np.log10(((a.astype(float) - b) ** 2).mean() / 255**2 + 1e-12)


def fields(a, b):
    return motion_field(a, b, 16), motion_field(b, a, 16)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (3, -5), (0.5, 0.25), (-14, 40), (10.25, -30.5)])
def test_finds_a_translation(dy, dx):
    sample = texture(120, 208)
    field = motion_field(sample(), sample(-dy, -dx), 16)
    assert field.shape == (15, 26, 2) and field.dtype == np.int16
    inner = field[3:-3, 9:-9] / 8
    assert np.abs(inner - (dx, dy)).max() <= 0.25


@pytest.mark.parametrize(("dy", "dx"), [(6, 20), (2.5, -9.25)])
def test_interpolation_follows_the_motion(dy, dx):
    sample = texture(120, 208)
    a, b = sample(), sample(-dy, -dx)
    forward, backward = fields(a, b)
    for num in (1, 4, 7):
        truth = sample(-dy * num / 8, -dx * num / 8)
        got = motion_interpolate(a, b, forward, backward, num, 8)
        fade = (a * (8 - num) + b.astype(float) * num) / 8
        assert psnr(got[16:-16, 24:-24], truth[16:-16, 24:-24]) > 35 > psnr(fade, truth) + 10


def test_chroma_moves_with_luma():
    sample, chroma = texture(96, 160), texture(48, 80, seed=1)
    forward, backward = fields(sample(), sample(-4, -12))
    got = motion_interpolate(chroma(), chroma(-2, -6), forward, backward, 1, 2, shift=1)
    assert psnr(got[8:-8, 8:-8], chroma(-1, -3)[8:-8, 8:-8]) > 35


def test_flat_and_noisy_pictures_stay_calm():
    flat = np.full((64, 64), 90, np.uint8)
    assert not motion_field(flat, flat, 16).any()
    noisy = [(flat + np.random.default_rng(i).integers(-3, 4, flat.shape)).astype(np.uint8) for i in (0, 1)]
    assert np.abs(motion_field(*noisy, 16)).max() <= 16


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (7, 3), (9, 17), (63, 65), (131, 1), (130, 129)])
def test_any_size(height, width):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (height, width), dtype=np.uint8) for _ in range(2))
    forward, backward = fields(a, b)
    assert forward.shape == (-(-height // 8), -(-width // 8), 2)
    assert np.array_equal(motion_interpolate(a, b, forward, backward, 0, 5), a)
    assert np.array_equal(motion_interpolate(a, b, forward, backward, 5, 5), b)
    half = motion_interpolate(a[::2, ::2], b[::2, ::2], forward, backward, 2, 5, shift=1)
    assert half.shape == (-(-height // 2), -(-width // 2))


def test_extreme_vectors_are_harmless():
    a = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    for value in (-32768, 32767):
        field = np.full((5, 5, 2), value, np.int16)
        assert motion_interpolate(a, a, field, -1 - field, 1, 3).shape == a.shape


def test_is_bit_exact():
    """The algorithm is part of the bitstream, so these digests must never change."""
    y, x = np.mgrid[:97, :141]
    a = (((x * x + 3 * y * x) >> 5) + ((y * y) >> 4) & 255).astype(np.uint8)
    b = (((x * x + 3 * y * x + 40 * x) >> 5) + ((y * y + 9 * y) >> 4) & 255).astype(np.uint8)
    forward, backward = fields(a, b)
    for sharp, expected in ((True, "f051715985f8f5a6"), (False, "3a5f9dced30c1395")):
        picture = motion_interpolate(a, b, forward, backward, 13, 32, sharp=sharp)
        digest = hashlib.sha256(forward.tobytes() + backward.tobytes() + picture.tobytes()).hexdigest()
        assert digest[:16] == expected


def test_refuses_what_does_not_fit():
    a = np.zeros((16, 16), np.uint8)
    field = np.zeros((2, 2, 2), np.int16)
    with pytest.raises(ValueError, match="same size"):
        motion_field(a, a[:8], 16)
    for fraction in [(-1, 2), (3, 2), (0, 0)]:
        with pytest.raises(ValueError, match="fraction"):
            motion_interpolate(a, a, field, field, *fraction)
    with pytest.raises(ValueError, match="fields"):
        motion_interpolate(a, a, field[:1], field, 1, 2)


def test_a_share_leaves_out_one_picture():
    a, b = (picture.planes[0] for picture in pan_clip(2))
    fields = motion_field(a, b, 16), motion_field(b, a, 16)
    first, last = (motion_interpolate(a, b, *fields, 1, 2, share=share) for share in (0.0, 1.0))
    assert (motion_interpolate(a, np.zeros_like(b), *fields, 1, 2, share=0.0) == first).all()
    assert (motion_interpolate(np.zeros_like(a), b, *fields, 1, 2, share=1.0) == last).all()
    half = motion_interpolate(a, b, *fields, 1, 2, share=0.5)
    assert np.abs(half - (first.astype(float) + last) / 2).max() <= 1


def test_corrected_motion_is_bit_exact():
    """Corrections (since gp/3) are part of the bitstream, so these digests must never change."""
    y, x = np.mgrid[:97, :141]
    a = (((x * x + 3 * y * x) >> 5) + ((y * y) >> 4) & 255).astype(np.uint8)
    b = (((x * x + 3 * y * x + 40 * x) >> 5) + ((y * y + 9 * y) >> 4) & 255).astype(np.uint8)
    forward, backward = motion_field(a, b, 4), motion_field(b, a, 4)
    row, column = np.mgrid[:13, :18]
    correction = np.stack([40 * row - 9 * column, 7 * column - 60, 30 * column - 20 * row], 2).astype(np.int16)
    luma = motion_interpolate(a, b, forward, backward, 13, 32, correction=correction)
    chroma = motion_interpolate(a[:49, :71], b[:49, :71], forward, backward, 13, 32, shift=1, correction=correction)
    parts = motion_parts(a, b, forward, backward, 13, 32, correction)
    assert np.array_equal(parts[0], luma)
    for picture, share in zip(parts[1:], (0.0, 1.0), strict=True):
        alone = motion_interpolate(a, b, forward, backward, 13, 32, share=share, correction=correction)
        assert np.array_equal(picture, alone)
    digest = hashlib.sha256(forward.tobytes() + backward.tobytes() + luma.tobytes() + chroma.tobytes()).hexdigest()
    assert digest[:16] == "4f5d7ea0befddc2e"
