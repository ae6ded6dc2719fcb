# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GOP plan: lengths, keyframes, scene cuts, and the tail of a video."""

from itertools import pairwise

import numpy as np
import pytest
from clips import moving_clip, pan_clip, still_clip
from hypothesis import given
from hypothesis import strategies as st

from gvc.media import Picture
from gvc.plan.gops import ChainSplitter, Gop, GopPlanner
from gvc.plan.window import Plan


def plan(pictures: list[Picture], length=9, keyint=1000, **sharing) -> list[Gop]:
    split = {name: sharing.pop(name) for name in ("scenecut", "keyint_min") if name in sharing}
    planner = GopPlanner(ChainSplitter(keyint, **{"scenecut": 0.0} | split), length, **{"anchored": True} | sharing)
    return [gop for picture in pictures for gop in planner.push(picture)] + list(planner.finish())


def blank(count: int, forced=()) -> list[Picture]:
    pictures = still_clip(count, 4, 4)
    for index in forced:
        pictures[index].key = True
    return pictures


def lengths(gops: list[Gop]) -> list[int]:
    return [len(gop.pictures) for gop in gops]


def keys(gops: list[Gop]) -> list[int]:
    """Return the numbers of the pictures where decoding can start."""
    return [gop.pictures[0].pts for gop in gops if gop.key]


@given(
    st.integers(1, 60),
    st.sampled_from([1, 5, 9, 13, 33]),
    st.integers(1, 80),
    st.sampled_from([(True, 0), (False, 0), (False, 2), (False, 7)]),
    st.sets(st.integers(0, 59), max_size=4),
)
def test_every_plan_holds_its_promises(count, length, keyint, sharing, forced):
    anchored, overlap = sharing[0], min(sharing[1], length - 1)
    forced = {index for index in forced if index < count}
    gops = plan(blank(count, forced), length, keyint, anchored=anchored, overlap=overlap)
    assert [p.pts for gop in gops for p in gop.pictures] == list(range(count))
    assert all(gop.pictures for gop in gops)
    starts = keys(gops)
    assert starts[0] == 0 and forced <= set(starts)
    assert max(b - a for a, b in pairwise([*starts, count])) <= keyint
    for gop, following in pairwise([*gops, None]):
        assert gop.ends == (following is None or following.key)
        after = gop.pictures[-1].pts + 1
        chain_end = min(start for start in [*starts, count] if start >= after)
        foreseen = range(after, chain_end)[:overlap]
        assert [p.pts for p in gop.ahead] == list(foreseen)
        assert len(gop.pictures) + len(gop.ahead) <= max(length - (anchored and not gop.key), 1 + overlap)
        assert anchored or overlap or gop.key
    assert [gop.last for gop in gops] == [False] * (len(gops) - 1) + [True]


def test_anchored_gops_span_4k_plus_1_with_their_anchor():
    gops = plan(blank(33), length=9)
    assert lengths(gops) == [9, 8, 8, 8]
    assert keys(gops) == [0]


def test_separate_gops_are_all_keyframes():
    gops = plan(blank(27), length=9, anchored=False)
    assert lengths(gops) == [9, 9, 9]
    assert keys(gops) == [0, 9, 18]


def test_overlapping_gops_span_4k_plus_1_with_what_they_share():
    gops = plan(blank(33), length=9, anchored=False, overlap=3)
    assert lengths(gops) == [6, 6, 6, 6, 6, 3]
    assert keys(gops) == [0]


@pytest.mark.parametrize("count", range(34, 50))
def test_the_tail_is_shared_about_equally(count):
    """The last GOP is not very short, and it is the only one that may span other numbers than 4k + 1."""
    gops = plan(blank(count), length=17)
    before, last = lengths(gops)[-2:]
    assert last >= 6
    assert abs(before - last) <= 7
    assert all(length % 4 == 0 for length in lengths(gops)[1:-1])


def test_gops_come_as_soon_as_they_are_settled():
    """One GOP ahead is enough, so memory and delay are bounded."""
    planner, seen, most = GopPlanner(ChainSplitter(1000, 0.0), 9, True), 0, 0
    for pushed, picture in enumerate(blank(200), 1):
        seen += sum(len(gop.pictures) for gop in planner.push(picture))
        most = max(most, pushed - seen)
    assert most <= 18


def test_lookahead_holds_more_pictures_back():
    planner, held = GopPlanner(ChainSplitter(1000, 0.0), 9, True, lookahead=40), []
    for pushed, picture in enumerate(blank(200), 1):
        settled = sum(len(gop.pictures) for gop in planner.push(picture))
        held.append(pushed if not held else held[-1] + 1 - settled)
    assert max(held) == 49


@pytest.mark.parametrize("anchored", [True, False])
@pytest.mark.parametrize("length", [1, 9])
def test_one_picture(length, anchored):
    (gop,) = plan(blank(1), length=length, anchored=anchored)
    assert gop.key and gop.last and len(gop.pictures) == 1


def test_no_picture():
    assert plan([]) == []


def test_keyint_1_makes_every_picture_a_keyframe():
    gops = plan(blank(7), length=9, keyint=1)
    assert lengths(gops) == [1] * 7
    assert keys(gops) == list(range(7))


def test_gop_1_still_makes_chains():
    gops = plan(blank(7), length=1, keyint=4)
    assert lengths(gops) == [1] * 7
    assert keys(gops) == [0, 4]


def test_keyint_starts_new_chains():
    gops = plan(blank(60), length=9, keyint=25)
    assert keys(gops) == [0, 25, 50]


def test_a_forced_key_starts_a_chain_there():
    gops = plan(blank(40, forced=[13]), length=9)
    assert keys(gops) == [0, 13]


def shots(*seeds: int) -> list[Picture]:
    """Return shots of ten pictures each, of very different brightness."""
    pictures = []
    for seed in seeds:
        for picture in moving_clip(10, seed=seed):
            luma = np.clip(picture.planes[0] * 0.3 + 90 * (seed % 3), 0, 255).astype(np.uint8)
            pictures.append(Picture((luma, *picture.planes[1:]), len(pictures), 1))
    return pictures


def test_scene_cuts_are_found():
    assert keys(plan(shots(0, 1, 2), scenecut=0.4)) == [0, 10, 20]


def test_scene_cuts_are_left_alone_where_not_wanted():
    assert keys(plan(shots(0, 1, 2), scenecut=0.0)) == [0]


@pytest.mark.parametrize(("keyint_min", "starts"), [(10, [0, 10, 20]), (11, [0, 20]), (21, [0])])
def test_scene_cuts_too_soon_after_a_keyframe_are_left_alone(keyint_min, starts):
    assert keys(plan(shots(0, 1, 2), scenecut=0.4, keyint_min=keyint_min)) == starts


def test_forced_keyframes_come_however_soon():
    assert keys(plan(blank(20, forced=[3]), keyint_min=15)) == [0, 3]


@pytest.mark.parametrize("speed", [1, 2, 3])
def test_a_pan_is_no_scene_cut(speed):
    assert keys(plan(pan_clip(30, speed=speed), scenecut=0.4)) == [0]
    assert keys(plan(moving_clip(30, speed=speed), scenecut=0.4)) == [0]


def test_flicker_that_goes_on_is_one_change_not_many():
    """The change of the difference counts, so pictures that all differ much from each other are no series of cuts."""
    pictures = still_clip(1, 8, 8, value=0) + [
        Picture(tuple(np.full_like(p, 200 * (i % 2)) for p in still_clip(1, 8, 8)[0].planes), i, 1)
        for i in range(1, 20)
    ]
    assert len(keys(plan(pictures, scenecut=0.4))) <= 2


def test_one_picture_shots():
    assert keys(plan(shots(0, 1)[9:11], scenecut=0.4)) == [9, 10]


@pytest.mark.parametrize("lookahead", [0, 20])
def test_lengths_are_chosen_for_whole_chains_where_it_looks_that_far(lookahead):
    windows = []

    def choose(window):
        windows.append(window)
        return Plan(level=0, quantiser=0, lengths=[len(window.pictures)])

    plan(blank(63), keyint=20, choose=choose, lookahead=lookahead)
    starts = [w for w in windows if w.key]
    assert [w.before.pts for w in starts] == [0, 20, 40, 60]
    assert all(w.whole for w in starts) == bool(lookahead)
    assert [w.last for w in windows] == [False] * (len(windows) - 1) + [True]
    assert starts[-1].ends
