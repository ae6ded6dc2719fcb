# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of motion: what is written is read, fields are what cells say, and a shaken camera is followed."""

import numpy as np
import pytest
from clips import pan_clip, stack, video_format
from gvc._native import block_model, motion_field, motion_interpolate
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.entropy import RangeDecoder, RangeEncoder
from gvc.errors import BitstreamError
from gvc.media import Picture
from gvc.prior import Condition
from gvc.priors import open_prior
from gvc.priors.gp import correction
from gvc.priors.gp.correction import Fields, Grid, Models, order, read_corrections, write_corrections
from gvc.priors.gp.correction_search import CorrectionSearch
from gvc.priors.gp.mean import MotionMean

sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def random_levels(grid: Grid, depth: int, seed: int) -> list[np.ndarray]:
    """Return random changes in cells, most of them zero."""
    rng = np.random.default_rng(seed)
    shapes = [(*grid.shape(side), 3) for side in grid.sides()[:depth]]
    return [(rng.integers(-20, 21, s) * (rng.random(s) < 0.2)).astype(np.int64) for s in shapes]


def shaken_pan(frames: int = 9) -> list[Picture]:
    """A camera that pans, and jumps by some samples from picture to picture."""
    world = pan_clip(1, 200, 160)[0].planes
    jumps = np.random.default_rng(3).integers(-3, 4, (frames, 2))
    jumps[[0, -1]] = 0
    pictures = []
    for i, (dy, dx) in enumerate(jumps):
        top, left = 20 + dy, 20 + 2 * i + dx
        luma = world[0][top : top + 96, left : left + 128].copy()
        pictures.append(Picture((luma, world[1][:48, :64].copy(), world[2][:48, :64].copy()), i, 1))
    return pictures


@settings(max_examples=40)
@given(sizes, st.integers(0, 5), st.booleans(), st.integers(0, 99))
def test_fields_round_trip(size, count, closed, seed):
    grid = Grid(*size)
    encoder, fields, said = RangeEncoder(), Fields(grid, count), []
    for picture, left, right in order(count, closed):
        said.append(random_levels(grid, seed % (len(grid.sides()) + 1), seed + picture))
        fields.add(picture, fields.expected(picture, left, right) + grid.field(said[-1]))
    write_corrections(encoder, grid, said)
    decoder = RangeDecoder(encoder.finish())
    found = read_corrections(decoder, grid, count, closed)
    decoder.finish()
    assert len(found.fields) == count
    assert all(np.array_equal(a, b) for x, y in zip(found.cells, said, strict=True) for a, b in zip(x, y, strict=True))
    for a, b in zip(found.fields, fields.in_order(), strict=True):
        assert a.dtype == np.int16 and a.shape == (*grid.shape(8), 3) and np.array_equal(a, b)


@given(st.binary(max_size=60), sizes)
def test_any_bytes_are_fields_or_an_error(data, size):
    decoder = RangeDecoder(data)
    try:
        found = read_corrections(decoder, Grid(*size), 3, True)
        decoder.finish()
    except BitstreamError:
        return
    assert len(found.fields) == 3


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", range(9))
def test_every_picture_comes_once_and_after_its_neighbours(count, closed):
    known = {-1, count} if closed else {-1}
    for picture, *neighbours in order(count, closed):
        assert picture not in known and known.issuperset(neighbours)
        known.add(picture)
    assert known >= set(range(count))


def test_a_cell_moves_what_it_covers():
    grid = Grid(64, 128)
    levels = [np.zeros((*grid.shape(side), 3), np.int64) for side in grid.sides()]
    levels[0][0, 0] = 4, -8, 1
    assert (grid.field(levels[:1]) == [64, -128, 64]).all()  # a sample, two samples, a quarter
    levels[-1][1, 2] = 4, 0, 0
    moved = grid.field(levels) - grid.field(levels[:1])
    assert moved[2:4, 4:6, 0].min() > 32 and not moved[:, 8:].any() and not moved[..., 1:].any()


def test_what_is_not_said_lies_on_the_way_between_neighbours():
    grid = Grid(16, 16)
    fields = Fields(grid, 3)
    fields.add(1, np.full((2, 2, 3), 100))
    assert (fields.expected(0, -1, 1) == 50).all() and (fields.expected(2, 1, 3) == 50).all()
    opened = Fields(grid, 3)
    opened.add(2, np.full((2, 2, 3), 90))
    assert (opened.expected(0, -1, 2) == 30).all()


def test_interpolation_follows_a_correction():
    """A correction by whole samples shifts the picture; a correction of the weight selects a boundary."""
    a, b = (p.planes[0] for p in (pan_clip(9)[0], pan_clip(9)[8]))
    fields = motion_field(a, b, 4), motion_field(b, a, 4)
    plain = motion_interpolate(a, b, *fields, 4, 8)
    moved = motion_interpolate(a, b, *fields, 4, 8, correction=np.full((6, 8, 3), (128, -64, 0), np.int16))
    assert np.abs(moved[8:-8, 8:-8].astype(int) - plain[7:-9, 10:-6]).mean() < 1.5
    for weight, picture in ((-128, 0.0), (128, 1.0)):
        one = motion_interpolate(a, b, *fields, 4, 8, correction=np.full((6, 8, 3), (0, 0, weight), np.int16))
        assert np.array_equal(one, motion_interpolate(a, b, *fields, 4, 8, share=picture))
    with pytest.raises(ValueError, match="correction"):
        motion_interpolate(a, b, *fields, 4, 8, correction=np.zeros((6, 8, 2), np.int16))


def test_the_model_of_a_block_predicts_its_error():
    """The error of a slightly shifted picture follows from the block's sums alone."""
    a, b = (p.planes[0] for p in (pan_clip(9)[0], pan_clip(9)[8]))
    y, x = np.mgrid[:48, :64]
    smooth = (120 + 60 * np.sin(x / 9) + 40 * np.cos(y / 7)).astype(np.uint8)
    source = (120 + 60 * np.sin((x + 0.5) / 9) + 40 * np.cos(y / 7)).astype(np.uint8)
    sums = block_model(source, smooth, a, b)
    assert sums.shape == (6, 8, 10)
    before, after = sums[..., 0], sums[..., 0] - 2 * 0.5 * sums[..., 1] + 0.25 * sums[..., 4]
    assert before.sum() == ((source.astype(int) - smooth) ** 2).sum()
    assert after.sum() < before.sum() / 4
    with pytest.raises(ValueError, match="same size"):
        block_model(source, smooth, a, b[:8])


@pytest.mark.parametrize("both", [True, False])
def test_a_shaken_camera_is_followed(both):
    """Motion that two boundary pictures cannot tell is sent, in few bits."""
    pictures = shaken_pan()
    condition = Condition(
        video_format(pictures), len(pictures), pictures[0].planes, pictures[-1].planes if both else None
    )
    clip, prior = stack(pictures), open_prior("gp")
    side = prior.analyse(condition, clip).refined(1.0).describe(1.0)
    process = prior.condition(condition, side)
    made = process.decode_latent(process.zeros(), 0.0)[0][1:8].astype(float)
    plain = MotionMean(condition, 3).unknown()[0][:7]
    inner = (slice(None), slice(24, -24), slice(24, -24))
    before, after = (((p - clip[0][1:8].astype(float))[inner] ** 2).mean() for p in (plain, made))
    assert after < before / 4 and len(side) < 200


def test_what_is_not_worth_its_bits_is_not_said():
    pictures = shaken_pan()
    condition = Condition(video_format(pictures), 9, pictures[0].planes, pictures[-1].planes)
    found = CorrectionSearch(MotionMean(condition, 3), stack(pictures)[0], 1e9).find()
    assert not np.any(found.fields) and not any(found.cells)


def test_more_than_a_cell_may_say_is_an_error():
    grid = Grid(16, 16)
    encoder = RangeEncoder()
    Models(grid.sides()).write(encoder, [np.array([[[correction.MAX_STEPS + 1, 0, 0]]])])
    with pytest.raises(BitstreamError, match=r"\(step\).*4095"):
        Models(grid.sides()).read(RangeDecoder(encoder.finish()), grid)
