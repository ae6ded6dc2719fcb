# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The correction of the end of an I2V GOP."""

import zlib

import numpy as np
import pytest
from clips import encode, moving_clip, psnr, reveal_clip, size_of, stack, still_clip
from hypothesis import given
from hypothesis import strategies as st

from gvc.bitstream import read_packet
from gvc.errors import BitstreamError
from gvc.gop.tail import PictureTail, PictureTailSearch, add_latent_tail, encode_latent_tail
from gvc.media import VideoFormat
from gvc.stills.av1 import encode_still

VIDEO = VideoFormat(64, 48)


def search(source, decoded, price=0.0, budget=1e9) -> bytes:
    return PictureTailSearch(source, decoded, VIDEO, "fast").best(price, budget)


def darker(clip, by=12, last=4):
    """Return a copy of a clip whose last pictures are too dark."""
    planes = tuple(plane.copy() for plane in clip)
    planes[0][-last:] -= by
    return planes


def test_a_tail_takes_back_an_error_of_the_last_pictures():
    source = stack(still_clip(9))
    decoded = darker(source)
    tail = search(source, decoded)
    corrected = PictureTail.parse(tail, VIDEO).correct(decoded)
    assert np.abs(corrected[0][-1].astype(int) - source[0][-1]).max() <= 2
    assert np.array_equal(corrected[0][:-16], decoded[0][:-16])
    assert np.array_equal(decoded[0], darker(source)[0])  # The clip itself is not changed.


@pytest.mark.parametrize(("last", "ramp"), [(1, 1), (3, 4), (16, 16)])
def test_as_many_pictures_are_corrected_as_need_it(last, ramp):
    source = stack(still_clip(24))
    assert search(source, darker(source, last=last))[0] == ramp


def test_no_tail_where_it_is_not_worth_its_bits():
    source = stack(moving_clip(5))
    decoded = darker(source, by=1)
    assert search(source, source) == b""
    assert search(source, decoded, price=1e9) == b""
    assert search(source, decoded, budget=100) == b""
    tight = search(source, darker(source, by=40), budget=1200)
    assert 0 < 8 * len(tight) <= 1200


def test_large_errors_and_black_and_white():
    white, black = stack(still_clip(2, value=255)), stack(still_clip(2, value=0))
    for source, decoded in ((white, black), (black, white)):
        corrected = PictureTail.parse(search(source, decoded), VIDEO).correct(decoded)
        assert abs(int(corrected[0][-1].mean()) - int(decoded[0][-1].mean())) > 120


def test_tails_stop_errors_from_adding_up_along_a_chain():
    pictures = reveal_clip(33, 192, 128)
    options = {"mode": "i2v", "gop": 9, "preset": "fast", "scenecut": 0}
    found = []
    for tail, quality in ((0, 39), (1, 31)):
        _, packets, shown = encode(pictures, tail=tail, quality=quality, **options)
        units = [unit for unit in (read_packet(packet.data) for packet in packets) if unit]
        assert any(unit.tail for unit in units) == bool(tail)
        assert not units[-1].tail  # No GOP refers to the last one.
        found.append((size_of(packets), psnr(pictures, shown), psnr(pictures[-8:], shown[-8:])))
    (size, mean, end), (size_with, mean_with, end_with) = found
    assert size_with < size
    assert mean_with > mean and end_with > end + 1


def test_the_longest_ramp():
    clip = stack(still_clip(9, value=0))
    tail = encode_still(tuple(plane[-1] + 255 for plane in clip), 10, "fast")
    corrected = PictureTail.parse(b"\xff" + tail, VIDEO).correct(clip)
    for i in range(9):
        assert abs(corrected[0][8 - i].astype(int) - 127 * (255 - i) / 255).max() < 2


# The paper's form


SLICES = [slice(10, 40), slice(40, 70)]


def test_a_latent_tail_leaves_little_of_the_error():
    rng = np.random.default_rng(0)
    x0, x = (rng.standard_normal(70).astype(np.float32) for _ in range(2))
    before = x.copy()
    data = encode_latent_tail([x0[part] - x[part] for part in SLICES])
    add_latent_tail(x, SLICES, data)
    assert np.array_equal(x[:10], before[:10])
    for part in SLICES:
        step = np.abs(x0[part] - before[part]).max() / 127
        assert np.abs(x[part] - x0[part]).max() <= 0.51 * step
    assert len(data) < 8 + 60 + 20


def test_no_error_no_change():
    x = np.ones(70, np.float32)
    add_latent_tail(x, SLICES, encode_latent_tail([np.zeros(30, np.float32)] * 2))
    assert (x == 1).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        bytes(7) + zlib.compress(bytes(60)),
        bytes(8) + zlib.compress(bytes(59)),
        bytes(8) + zlib.compress(bytes(61)),
        bytes(8) + zlib.compress(bytes(10**7)),
        bytes(8) + zlib.compress(bytes(60)) + b"x",
        bytes(8) + zlib.compress(bytes(60))[:-1],
        np.array([np.nan, 1], "<f4").tobytes() + zlib.compress(bytes(60)),
    ],
)
def test_wrong_latent_tails_are_refused(data):
    with pytest.raises(BitstreamError, match="no latent frames"):
        add_latent_tail(np.zeros(70, np.float32), [], data)
    with pytest.raises(BitstreamError):
        add_latent_tail(np.zeros(70, np.float32), SLICES, data)


@given(st.binary(min_size=1, max_size=80))
def test_any_bytes_are_a_tail_or_an_error(data):
    with pytest.raises(BitstreamError):
        add_latent_tail(np.zeros(70, np.float32), SLICES, data)
    with pytest.raises(BitstreamError):
        PictureTail.parse(data, VIDEO)
