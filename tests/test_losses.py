# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Which references of an AV1 decoder are right where units are missing, compared with the decoder itself."""

from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from clips import moving_clip
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.errors import BitstreamError
from gvc.media import VideoFormat
from gvc.stills.av1 import LAYERED, LOW_DELAY, StillDecoder, StillEncoder
from gvc.stills.headers import FrameHeader, HeaderReader
from gvc.stills.recovery import RecoveringStills, check_of
from gvc.stills.references import References

VIDEO = VideoFormat(64, 64)
UNITS = 20
STRUCTURES = {"low delay": LOW_DELAY, "reordered": LAYERED}


@cache
def chain(structure: str):
    """Return the units of a chain and their pictures."""
    encoder = StillEncoder((64, 64), 40, 2, structure=STRUCTURES[structure])
    units = list(encoder.encode_all([picture.planes for picture in moving_clip(UNITS, 64, 64)]))
    decoder = StillDecoder(VIDEO)
    return units, [decoder.decode(unit) for unit in units]


def received(structure: str, lost: set[int], with_checks: bool):
    """Decode a chain of which units are lost; return the stills that are said to be right, by number."""
    units, pictures = chain(structure)
    stills, found = RecoveringStills(VIDEO), {}
    for number, unit in enumerate(units):
        if number in lost:
            if (recovered := stills.recover(number)) is not None:
                found[number] = recovered
            continue
        stills.expect(number)
        try:
            found[number] = stills.decode(unit, check=check_of(pictures[number]) if with_checks else None)
        except BitstreamError:
            continue
    return found


@settings(max_examples=10, deadline=None)
@given(
    structure=st.sampled_from([*STRUCTURES]),
    lost=st.sets(st.integers(1, UNITS - 1), max_size=5),
    with_checks=st.booleans(),
)
def test_stills_that_are_said_to_be_right_are(structure, lost, with_checks):
    _, pictures = chain(structure)
    found = received(structure, lost, with_checks)
    assert all(np.array_equal(a, b) for number in found for a, b in zip(found[number], pictures[number], strict=True))
    assert set(range(min(lost, default=UNITS))) <= set(found)


def test_checks_find_more_stills_than_headers_alone():
    """Headers do not tell what a lost unit would have replaced."""
    counts = [sum(len(received("reordered", {lost}, checks)) for lost in range(1, UNITS)) for checks in (False, True)]
    assert counts[0] < counts[1] and counts[1] > 10 * (UNITS - 1)


def test_a_still_that_came_with_another_one_is_recovered():
    """In the reordered structure every second unit only shows a frame that is there."""
    found = received("reordered", {2, 4, 8}, True)
    assert set(found) == set(range(UNITS))


def test_headers_tell_order_and_references():
    units, _ = chain("reordered")
    reader = HeaderReader()
    first, second, third = (reader.read(unit) for unit in units[:3])
    assert [(frame.key, frame.order, len(frame.refreshed)) for frame in first] == [(True, 0, 8)]
    assert [frame.order for frame in second] == [16, 8, 4, 2, 1] and reader.orders == 128
    assert [frame.shown for frame in second] == [False] * 4 + [True]
    shown = next(iter(second[3].refreshed))
    assert third == [FrameHeader(existing=shown)]


@pytest.mark.parametrize("data", [b"", b"\x12\x00", b"\x0a\x01\x00", b"\x32\x02\x10\x00", b"\x1a\x01\x80"])
def test_headers_that_cannot_be_read_are_an_error_or_none(data):
    with suppress(BitstreamError):
        assert HeaderReader().read(data) == []


def inter(order: int, references: set[int], refreshed: set[int], *, shown: bool = True) -> FrameHeader:
    return FrameHeader(None, shown, False, order, frozenset(references), frozenset(refreshed))


def test_what_is_lost_makes_slots_uncertain_and_not_pictures_wrong():
    references = References()
    key = FrameHeader(None, True, True, 0, frozenset(), frozenset(range(8)))
    references.take([key], 0, 128, True)
    references.take([inter(4, {0}, {3}, shown=False), inter(1, {0}, {1})], 1, 128, True)
    assert references.later(1) == 4 and references.holding(4) == 3
    references.miss()
    assert references.judge([inter(3, {1, 3}, set())], 3, 128) is None
    assert references.judge([FrameHeader(existing=3)], 4, 128) is True
    assert references.judge([FrameHeader(existing=3)], 5, 128) is False
    assert references.holding(0) is None  # A key frame that is shown again would replace all
