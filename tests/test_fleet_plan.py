# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plans and results of a film in parts: nothing is taken for more than it is."""

import hashlib
import json
from dataclasses import replace

import clips
import pytest
from hypothesis import given
from hypothesis import strategies as st
from job_folders import NAME, OPTIONS, PICTURES, SOURCE, VIDEO, chains_of, folder, path, plan, plan_of, small_result  # noqa: F401

from gvc.bitstream import parse_sequence_header, write_sequence_header
from gvc.encoder import Encoder
from gvc.fleet.folder import FolderError
from gvc.fleet.identity import Identity
from gvc.fleet.plan import Plan
from gvc.fleet.result import ENTRY, LENGTHS, MAGIC, Result
from gvc.media import Packet

# Plans


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "gbrp"])
def test_chains_of_a_plan_begin_where_the_encoder_puts_keyframes(pix_fmt):
    scenes = [*clips.moving_clip(5, 32, 24), *clips.still_clip(8, 32, 24, value=20), *clips.moving_clip(3, 32, 24)]
    scenes = [replace(picture, pts=3 * i) for i, picture in enumerate(scenes)]
    pictures, video = clips.in_samples(scenes, pix_fmt)
    options = {"gop": 5, "keyint": 6, "preset": "fast", "scenecut": 0.1}
    _, packets, _ = clips.encode(pictures, video, **options)
    chains = chains_of(pictures, video, **options)
    assert [(chain.first, chain.pts) for chain in chains] == [(i, p.pts) for i, p in enumerate(packets) if p.key]
    assert {0, 5, 13} < {chain.first for chain in chains}
    assert sum(chain.count for chain in chains) == len(pictures)
    assert [chain.number for chain in chains] == list(range(len(chains)))


def test_a_video_without_pictures_has_no_chains():
    assert chains_of([], VIDEO) == ()


def test_each_change_of_a_picture_gives_its_chain_another_job(plan):
    jobs = [plan.job(chain) for chain in plan.chains]
    darker = replace(PICTURES[7], planes=(PICTURES[7].planes[0] - 1, *PICTURES[7].planes[1:]))
    later, longer = replace(PICTURES[7], pts=8), replace(PICTURES[7], duration=2)
    for changed in (darker, later, longer):
        other = plan_of(pictures=[*PICTURES[:7], changed, *PICTURES[8:]])
        same = [a == other.job(chain) for a, chain in zip(jobs, other.chains, strict=True)]
        assert same == [True, False, True]


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"quality": 40}, "option quality was 30 and is 40"),
        ({"seed": 7}, "option seed was 42 and is 7"),
        ({"preset": "medium"}, "option preset was fast and is medium"),
        ({"scenecut": 0.3}, "option scenecut was 0.4 and is 0.3"),
        ({"prompt": "a" * 50}, f"option prompt was empty and is {'a' * 40}..."),
    ],
)
def test_a_changed_option_gives_other_jobs_and_is_named(plan, change, clause):
    changed = plan_of({**OPTIONS, **change})
    assert not {plan.job(chain) for chain in plan.chains} & {changed.job(chain) for chain in changed.chains}
    assert changed.changes(plan) == [clause]


def test_options_that_change_no_byte_change_no_job(plan):
    same = plan_of({**OPTIONS, "threads": 1, "device": "cuda:3", "offload": "group"})
    assert same.changes(plan) == [] and [same.job(c) for c in same.chains] == [plan.job(c) for c in plan.chains]


def test_changes_say_what_changed(plan):
    def after(**fields):
        return replace(plan, identity=replace(plan.identity, **fields)).changes(plan)

    versions = {**plan.identity.versions, "av": "99.0"}
    assert after(versions=versions) == [f"av was {plan.identity.versions['av']} and is 99.0"]
    assert after(time_base="1/1000") == ["the time base was 1/25 and is 1/1000"]
    wide = Encoder(replace(VIDEO, color_primaries=9), OPTIONS).extradata.hex()
    assert after(header=wide) == ["the format of the pictures changed"]
    assert after(header="00") == ["the sequence header changed"]
    assert replace(plan, source=replace(SOURCE, size=1001)).changes(plan) == ["the source changed"]
    assert replace(plan, source=replace(SOURCE, path="/mnt/films/a.mkv")).changes(plan) == []


def test_versions_name_gvc_and_what_the_prior_needs(plan):
    assert {"gvc", "av", "libavcodec", "numpy"} == set(plan.identity.versions)
    header = parse_sequence_header(bytes.fromhex(plan.identity.header))
    with_network = write_sequence_header(replace(header, prior="wan/2.1-t2v-1.3b"))
    assert {"torch", "diffusers", "transformers"} < set(Identity.of({}, with_network, VIDEO).versions)


def test_a_shared_out_bitrate_is_part_of_the_job(plan):
    shared = replace(plan, bitrates=(1000, 2000, 3000))
    other = replace(plan, bitrates=(1000, 2001, 3000))
    same = [shared.job(chain) == other.job(chain) for chain in plan.chains]
    assert same == [True, False, True]
    assert shared.job(plan.chains[1], "analyse") == other.job(plan.chains[1], "analyse") != shared.job(plan.chains[1])


def test_a_plan_reads_back(plan):
    for given_plan in (plan, replace(plan, chains=(), complete=False, damaged=True), replace(plan, bitrates=(1, 2, 3))):
        assert Plan.parse(given_plan.to_bytes()) == given_plan


def edited(value, draw):
    """Replace one value inside a value of JSON by something else."""
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 4)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        copy = value.copy()
        copy[key] = edited(value[key], draw)
        return copy
    numbers = st.sampled_from([-1, 0, 2**63, 10**400, 1e308, 1.5])
    return draw(
        st.one_of(st.none(), st.booleans(), numbers, st.sampled_from(["", "\x1b[2J", "é"]), st.just([]), st.just({}))
    )


@given(st.data())
def test_a_plan_with_any_other_values_is_refused_or_stays_a_plan(data):
    plan = plan_once()
    content = edited(json.loads(plan.to_bytes()), data.draw)
    try:
        read = Plan.parse(json.dumps(content).encode())
    except FolderError:
        return
    assert Plan.parse(read.to_bytes()) == read
    assert all(isinstance(read.job(chain), str) for chain in read.chains)
    assert all(isinstance(clause, str) for clause in read.changes(plan))


def plan_once(kept=[]):  # noqa: B006 - Hypothesis does not want fixtures
    kept or kept.append(plan_of())
    return kept[0]


@given(st.data())
def test_a_damaged_plan_is_refused_or_stays_a_plan(data):
    plan = bytearray(plan_once().to_bytes())
    place = data.draw(st.integers(0, len(plan) - 1))
    if data.draw(st.booleans()):
        del plan[place:]
    else:
        plan[place] ^= data.draw(st.integers(1, 255))
    try:
        Plan.parse(bytes(plan))
    except FolderError:
        return
    assert len(plan) == len(plan_once().to_bytes())


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a": NaN}', b"1" * 10_000, b"\xff\xfe", b"", b"[]", b'"text"'])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(FolderError):
        Plan.parse(text)


# Results


def test_a_result_reads_back():
    packets = [Packet(b"first", -5, 2, True), Packet(b"\0" * 1000, 2**62, 0)]
    result = Result(NAME, packets, {"worker": "cuda:1", "seconds": 2.5, "shown": ["0" * 64], "more": [1, {"a": None}]})
    read = Result.parse(result.to_bytes())
    assert read == result
    assert (read.worker, read.seconds, read.shown, read.size) == ("cuda:1", 2.5, ["0" * 64], 1005)
    assert Result.parse(small_result(packets=0)).packets == []


@given(st.data())
def test_a_result_that_was_cut_or_changed_is_refused(data):
    whole = small_result(packets=3)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    for damaged in (whole[:place], bytes(changed), whole + b"\0", whole[place:]):
        if damaged != whole:
            with pytest.raises(FolderError):
                Result.parse(damaged)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=60),
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1)), max_size=3),
)
def test_a_forged_result_takes_no_more_memory_than_its_bytes(head_bytes, count, head, entries):
    table = b"".join(ENTRY.pack(size, pts, 0, 1) for size, pts in entries)
    for lengths in ((head_bytes, count), (len(head), len(entries))):
        content = MAGIC + LENGTHS.pack(*lengths) + head + table + b"payload"
        with pytest.raises(FolderError):
            Result.parse(content + hashlib.sha256(content).digest())


def test_a_result_with_a_strange_log_is_refused(folder):
    for log in ({}, {"worker": 5, "seconds": 1.0}, {"worker": "w", "seconds": -1}, {"worker": "w", "seconds": "1"}):
        with pytest.raises(FolderError):
            folder.write_result(NAME, Result(NAME, [], log).to_bytes())
