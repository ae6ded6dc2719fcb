# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pieces of a source: exact, and of any bytes either pictures or one error."""

import json
from contextlib import suppress

import pytest
from clips import in_samples, moving_clip, same, video_format
from gvc_container.pieces import LENGTH, MAGIC, pack, unpack
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.errors import MediaError
from gvc.media import SAMPLE_FORMATS

CLIP = moving_clip(5, 32, 24)
PIECE = pack(CLIP, video_format(CLIP))
HEADER = json.loads(PIECE[len(MAGIC) + LENGTH.size :][: LENGTH.unpack_from(PIECE, len(MAGIC))[0]])


def with_header(**fields):
    """Return PIECE with other values in its header."""
    text = json.dumps(HEADER | fields).encode()
    packets = PIECE[-sum(size for _, _, size in HEADER["pictures"]) :]
    return MAGIC + LENGTH.pack(len(text)) + text + packets


@pytest.mark.parametrize("pix_fmt", [kind.pix_fmt for kind in SAMPLE_FORMATS])
@pytest.mark.parametrize("size", [(32, 24), (33, 25), (1, 1), (2, 1)])
@pytest.mark.parametrize("threads", [1, 2])
def test_pieces_are_exact(pix_fmt, size, threads):
    clip, video = in_samples(moving_clip(4, *size), pix_fmt)
    clip[0].pts, clip[3].pts, clip[3].duration = -(2**40), 2**40, 2**33
    assert same(list(unpack(pack(clip, video, threads), threads)), clip)


def test_a_piece_is_smaller_than_its_pictures():
    assert len(PIECE) < sum(plane.nbytes for picture in CLIP for plane in picture.planes)


def test_no_pictures():
    assert list(unpack(pack([], video_format(CLIP)))) == []


@pytest.mark.parametrize(
    "piece",
    [
        *(PIECE[:length] for length in (0, 3, 7, 100, len(PIECE) - 1)),
        PIECE + b"\0",
        b"GVCP\2" + PIECE[5:],
        with_header(size=[0, 24]),
        with_header(size=[16385, 24]),
        with_header(size=[32.0, 24]),
        with_header(samples=9),
        with_header(samples=4),
        with_header(extradata="x"),
        with_header(pictures=[[0, 1, 2**40]]),
        with_header(pictures=None),
        with_header(pictures=[[2**70, 1, size] for _, _, size in HEADER["pictures"]]),
        with_header(pictures=[[0, 1, sum(size for _, _, size in HEADER["pictures"])]] * 2),
        MAGIC + LENGTH.pack(6) + b"[" * 6,
        MAGIC + LENGTH.pack(200000) + b"[" * 200000,
    ],
)
def test_what_is_no_whole_piece_is_refused(piece):
    with pytest.raises(MediaError, match="arrived damaged"):
        list(unpack(piece))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PIECE) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_pictures_or_one_error(place, change):
    piece = bytearray(PIECE)
    piece[place] ^= change
    with suppress(MediaError):
        assert len(list(unpack(bytes(piece)))) <= len(CLIP)
