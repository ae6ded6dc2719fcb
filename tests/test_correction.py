# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of motion: what is written is read, fields are what cells say, and a shaken camera is followed."""

import numpy as np
import pytest
from clips import pan_clip, stack, video_format
from corrections import MAX_STEPS, cell_shapes, field_of, write_corrections
from gvc._native import (
    block_model,
    choose_corrections,
    correction_field,
    encode_corrections,
    motion_field,
    motion_interpolate,
    recentred,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.entropy import RangeDecoder, RangeEncoder
from gvc.errors import BitstreamError
from gvc.media import Picture
from gvc.prior import Condition
from gvc.priors import open_prior
from gvc.priors.gp.correction import Fields, order, read_corrections
from gvc.priors.gp.correction_search import CorrectionSearch
from gvc.priors.gp.mean import MotionMean

sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def random_levels(height: int, width: int, depth: int, seed: int) -> list[np.ndarray]:
    """Return random changes in cells, most of them zero and a few large."""
    rng = np.random.default_rng(seed)
    shapes = [(*shape, 3) for shape in cell_shapes(height, width)[:depth]]
    return [np.rint(rng.standard_cauchy(s).clip(-900, 900) * (rng.random(s) < 0.2)).astype(np.int64) for s in shapes]


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


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(0, 5), st.booleans(), st.integers(0, 99))
def test_corrections_are_written_as_specified_and_read_again(size, count, closed, seed):
    fields, said = Fields(*size, count), []
    for picture, left, right in order(count, closed):
        said.append(random_levels(*size, seed % (len(cell_shapes(*size)) + 1), seed + picture))
        field = field_of(said[-1], *size)
        assert np.array_equal(correction_field(*size, said[-1]), field)
        fields.add(picture, fields.expected(picture, left, right) + field)
    encoder, specified = RangeEncoder(), RangeEncoder()
    encode_corrections(encoder, *size, said)
    write_corrections(specified, *size, said)
    data = encoder.finish()
    assert data == specified.finish()
    decoder = RangeDecoder(data)
    found = read_corrections(decoder, *size, count, closed=closed)
    decoder.finish()
    assert len(found) == count
    for a, b in zip(found, fields.in_order(), strict=True):
        assert a.dtype == np.int16 and a.shape == (-(-size[0] // 8), -(-size[1] // 8), 3) and np.array_equal(a, b)


@settings(max_examples=300)
@given(st.binary(max_size=60), sizes)
def test_any_bytes_are_fields_or_an_error(data, size):
    decoder = RangeDecoder(data)
    try:
        found = read_corrections(decoder, *size, 3, closed=True)
        decoder.finish()
    except BitstreamError:
        return
    assert len(found) == 3


def test_what_no_picture_has_is_refused():
    encoder = RangeEncoder()
    for levels in ([np.zeros((1, 2, 3))], [np.zeros((1, 1, 2))], [np.zeros((1, 1, 3))] * 2, [np.full((1, 1, 3), 1e9)]):
        with pytest.raises(ValueError, match=r"change|levels"):
            encode_corrections(encoder, 16, 16, [levels])
    with pytest.raises(ValueError, match="sides"):
        correction_field(0, 16, [])


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", range(9))
def test_every_picture_comes_once_and_after_its_neighbours(count, closed):
    known = {-1, count} if closed else {-1}
    for picture, *neighbours in order(count, closed):
        assert picture not in known and known.issuperset(neighbours)
        known.add(picture)
    assert known >= set(range(count))


def test_a_cell_moves_what_it_covers():
    levels = [np.zeros((*shape, 3), np.int64) for shape in cell_shapes(64, 128)]
    levels[0][0, 0] = 4, -8, 1
    whole = correction_field(64, 128, levels[:1])
    assert (whole == [64, -128, 64]).all()  # a sample, two samples, a quarter
    levels[-1][1, 2] = 4, 0, 0
    moved = correction_field(64, 128, levels) - whole
    assert moved[2:4, 4:6, 0].min() > 32 and not moved[:, 8:].any() and not moved[..., 1:].any()


def test_what_is_not_said_lies_on_the_way_between_neighbours():
    fields = Fields(16, 16, 3)
    fields.add(1, np.full((2, 2, 3), 100))
    assert (fields.expected(0, -1, 1) == 50).all() and (fields.expected(2, 1, 3) == 50).all()
    opened = Fields(16, 16, 3)
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


@pytest.mark.parametrize("both", [True, False])
def test_the_search_returns_luma_of_the_mean(both):
    pictures = shaken_pan()
    condition = Condition(video_format(pictures), 9, pictures[0].planes, pictures[-1].planes if both else None)
    found = CorrectionSearch(MotionMean(condition, 4), stack(pictures)[0], 100.0).find()
    assert np.any(found.fields)
    assert np.array_equal(found.luma, MotionMean(condition, 4, found.fields).unknown()[0])


def test_what_is_not_worth_its_bits_is_not_said():
    pictures = shaken_pan()
    condition = Condition(video_format(pictures), 9, pictures[0].planes, pictures[-1].planes)
    found = CorrectionSearch(MotionMean(condition, 3), stack(pictures)[0], 1e9).find()
    assert not np.any(found.fields) and not any(found.cells)


def test_more_than_a_cell_may_say_is_an_error():
    encoder = RangeEncoder()
    encode_corrections(encoder, 16, 16, [[np.array([[[MAX_STEPS + 1, 0, 0]]])]])
    with pytest.raises(BitstreamError, match=r"\(step\).*4095"):
        read_corrections(RangeDecoder(encoder.finish()), 16, 16, 1, closed=True)


def test_the_choice_of_corrections_finds_the_minimum_of_a_model():
    """Blocks that all want the same change get it, from the coarsest cell; a high price keeps everything as it is."""
    wanted, rows, columns = np.array([3, -5, 2]), 6, 10
    curve = np.array([[900.0, 50, 20], [50, 700, 10], [20, 10, 800]])
    slope = curve @ wanted
    values = [wanted @ slope, *slope, *curve[np.triu_indices(3)]]
    model = np.broadcast_to(values, (rows, columns, 10)).copy()
    levels, bits = choose_corrections(48, 80, model, model[..., 0], 10.0, [])
    assert len(levels) == 1 and (levels[0] == wanted).all() and 4 < bits < 40
    rest = recentred(model, correction_field(48, 80, levels))
    np.testing.assert_allclose(rest[..., :4], 0, atol=1e-6)
    assert choose_corrections(48, 80, rest, model[..., 0], 10.0, levels)[0][0].tolist() == levels[0].tolist()
    assert choose_corrections(48, 80, model, model[..., 0], 1e9, [])[0] == []
