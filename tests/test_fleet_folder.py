# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Plans, results and the folder of jobs: nothing is lost, coded twice, or taken for more than it is."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import clips
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gvc.bitstream import parse_sequence_header, write_sequence_header
from gvc.cli.app import app
from gvc.encoder import Encoder
from gvc.errors import OptionError
from gvc.fleet.digest import ShownDigest, joined_digest
from gvc.fleet.folder import FolderError, FolderGoneError, JobFolder
from gvc.fleet.identity import Identity
from gvc.fleet.join import joined, shown_digest
from gvc.fleet.plan import Plan, SourceFile, planned
from gvc.fleet.result import ENTRY, LENGTHS, LONGEST_RESULT, MAGIC, Result
from gvc.media import Packet
from gvc.options import ENCODER_OPTIONS, parse_options
from gvc.plan.settings import Settings

OPTIONS = {"gop": 5, "keyint": 6, "preset": "fast"}
PICTURES = clips.moving_clip(14, 32, 24)
VIDEO = clips.video_format(PICTURES)
SOURCE = SourceFile("/films/a.mkv", 1000, 123456789)
ELSEWHERE = {"host": "far", "place": "00000000", "pid": 1, "start": 1}  # A process of another machine
NAME = "00000-" + "a" * 32


def chains_of(pictures, video, **options):
    splitter = Settings.of(parse_options(ENCODER_OPTIONS, options), video).splitter()
    return tuple(planned(pictures, splitter, video))


def plan_of(options=OPTIONS, pictures=PICTURES):
    encoder = Encoder(VIDEO, options)
    identity = Identity.of(options, encoder.extradata, VIDEO)
    return Plan(SOURCE, identity, chains_of(pictures, VIDEO, **options), complete=True)


@pytest.fixture(scope="module")
def plan():
    return plan_of()


@pytest.fixture(scope="module")
def results(plan):
    """Bytes of the result of each chain, which was coded apart."""
    coded = {}
    for chain in plan.chains:
        shown = ShownDigest()
        encoder = Encoder(VIDEO, {**OPTIONS, "scenecut": 0}, shown.add, first=chain.first)
        pictures = PICTURES[chain.first :][: chain.count]
        packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
        log = {"worker": "somebody", "seconds": 1.5, "tries": 1, "shown": shown.parts()}
        coded[plan.job(chain)] = Result(plan.job(chain), packets, log).to_bytes()
    return coded


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.mkv.jobs"


@pytest.fixture
def folder(path, plan):
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        yield folder


def small_result(name=NAME, packets=1):
    return Result(name, [Packet(b"abc", 7, 1, True)] * packets, {"worker": "w", "seconds": 1.0}).to_bytes()


def states(folder, plan):
    return [job.state for job in folder.jobs(plan)]


def in_process(path, script):
    """Start a process that works in a folder and then waits to be killed; return it when it prints."""
    lines = ["from gvc.fleet.folder import JobFolder", f"folder = JobFolder({str(path)!r})", script]
    lines += ["print('ready', flush=True)", "import time", "time.sleep(100)"]
    command = [sys.executable, "-c", "\n".join(lines)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


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


# The folder


def test_results_are_kept_and_found_again(path, plan, results):
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        for name, data in results.items():
            assert folder.result(name) is None and folder.claim(name)
            assert folder.write_result(name, data) == Result.parse(data) == folder.result(name)
    with JobFolder(path) as folder:
        assert folder.read_plan() == plan and states(folder, plan) == ["done"] * 3
        assert not any(folder.claim(name) for name in results)
    assert sorted(p.name for p in path.iterdir()) == sorted(["plan.json", *(f"{name}.gvcj" for name in results)])


def test_the_joined_packets_are_those_of_one_encoder(folder, plan, results):
    for name, data in results.items():
        folder.write_result(name, data)
    _, serial, reconstruction = clips.encode(PICTURES, VIDEO, **OPTIONS)
    assert [packet for packets in joined(folder, plan) for packet in packets] == serial
    shown = ShownDigest()
    shown.add(reconstruction)
    assert shown_digest(folder, plan) == joined_digest(shown.parts())


def test_a_chain_that_is_missing_is_named(folder, plan, results):
    names = [*results]
    for name in (names[0], names[2]):
        folder.write_result(name, results[name])
    with pytest.raises(FolderError, match=r"chain 1 .* is not coded"):
        list(joined(folder, plan))


@pytest.mark.parametrize("change", ["fewer", "times", "no key"])
def test_a_result_that_does_not_fit_the_plan_is_not_joined(folder, plan, results, change):
    for name, data in results.items():
        folder.write_result(name, data)
    name = plan.job(plan.chains[1])
    result = Result.parse(results[name])
    first, *others = result.packets
    packets = {
        "fewer": [first],
        "times": [first, *(replace(packet, pts=0) for packet in others)],
        "no key": [replace(first, key=False), *others],
    }[change]
    folder.write_result(name, replace(result, packets=packets).to_bytes())
    with pytest.raises(FolderError, match=r"chain 1 .* does not fit the plan"):
        list(joined(folder, plan))


def test_results_without_digests_cannot_be_verified(folder, plan, results):
    for name, data in results.items():
        result = Result.parse(data)
        folder.write_result(name, replace(result, log={"worker": "w", "seconds": 1.0}).to_bytes())
    with pytest.raises(OptionError, match="--verify"):
        shown_digest(folder, plan)


def test_what_is_no_whole_result_is_not_done(folder, plan, path, results):
    (name, data), (other, _), _ = results.items()
    for content in (data[:-1], data[: len(data) // 2], b"", results[other], b"x" * 1000):
        (path / f"{name}.gvcj").write_bytes(content)
        assert folder.result(name) is None and states(folder, plan)[0] == "waiting"
    assert folder.claim(name)
    folder.write_result(name, data)
    assert states(folder, plan)[0] == "done"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "huge", "socket"])
def test_what_is_no_file_is_not_read(folder, path, monkeypatch, kind):
    place = path / f"{NAME}.gvcj"
    if kind == "link":
        path.with_name("elsewhere").write_bytes(small_result())
        place.symlink_to("../elsewhere")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "socket":
        monkeypatch.chdir(path)  # The path of a socket must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place.name)
    else:
        with place.open("wb") as file:
            file.truncate(LONGEST_RESULT + 1)
    assert folder.result(NAME) is None and folder.claim(NAME)


def test_writing_replaces_links_and_not_what_they_lead_to(folder, path, plan, tmp_path):
    (tmp_path / "precious").write_text("precious")
    for name in ("plan.json", f"{NAME}.gvcj", f"{NAME}.failed"):
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to(tmp_path / "precious")
    folder.write_plan(plan)
    folder.fail(NAME, "reason", 1)
    folder.write_result(NAME, small_result())
    assert (tmp_path / "precious").read_text() == "precious" and folder.read_plan() == plan and folder.result(NAME)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": "gvc plan 99"}'])
def test_a_damaged_plan_counts_as_none(folder, path, content):
    (path / "plan.json").write_bytes(content)
    assert folder.read_plan() is None


def test_a_full_disk_leaves_no_half_files_and_is_one_sentence(path, plan):
    """A limit on the size of files makes writing fail in the middle of a file, as a full disk does."""
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        folder.write_result(NAME, small_result())
    script = f"""
import resource, signal
from gvc.errors import sentence
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
from gvc.fleet.folder import JobFolder
from gvc.fleet.result import Result
from gvc.media import Packet
with JobFolder({str(path)!r}) as folder:
    for name in ({NAME!r}, "00001-" + "b" * 32):
        result = Result(name, [Packet(b"x" * 1000, 0, 1, True)], {{"worker": "w", "seconds": 1.0}})
        try:
            folder.write_result(name, result.to_bytes())
        except OSError as error:
            print(sentence(error))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all(str(path) in line and "File too large" in line for line in lines)
    assert sorted(p.name for p in path.iterdir()) == [f"{NAME}.gvcj", "plan.json"]
    with JobFolder(path) as folder:
        assert folder.result(NAME) == Result.parse(small_result())


def test_a_writer_killed_at_any_instant_leaves_whole_files_and_its_leftovers_are_removed(path, plan):
    script = """
import itertools, threading
from gvc.fleet.result import Result
from gvc.media import Packet
def write():
    for i in itertools.count():
        name = f"{i % 7:05d}-" + "c" * 32
        result = Result(name, [Packet(bytes(200_000), 0, 1, True)], {"worker": "w", "seconds": 1.0})
        folder.write_result(name, result.to_bytes())
threading.Thread(target=write, daemon=True).start()
while not list(folder.path.glob("*.gvcj")):
    pass
"""
    for _ in range(4):
        kill(in_process(path, script))
    with JobFolder(path) as folder:
        files = sorted(path.iterdir())
        assert files and all(file.suffix == ".gvcj" for file in files)
        assert all(folder.result(file.stem) for file in files)


# Claims


def test_a_claim_holds_for_other_processes_and_dies_with_its_owner(path, plan, folder):
    name = plan.job(plan.chains[0])
    process = in_process(path, f"assert folder.claim({name!r})")
    try:
        assert not folder.claim(name)
        [job, *_] = folder.jobs(plan)
        assert job.state == "running" and f"process {process.pid}" in job.worker
    finally:
        kill(process)
    assert states(folder, plan)[0] == "waiting" and folder.claim(name)
    assert states(folder, plan)[0] == "running"
    folder.release(name)
    assert states(folder, plan)[0] == "waiting"


def test_claims_are_given_up_when_the_folder_is_closed(path, plan):
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        assert folder.claim(NAME) and not folder.claim(NAME)
    with JobFolder(path) as folder:
        assert folder.claim(NAME)


@pytest.mark.parametrize(("age", "lives"), [(0, True), (50, True), (70, False), (10**7, False), (-(10**7), False)])
def test_a_claim_of_another_machine_lives_for_a_minute(folder, path, age, lives):
    claim = path / f"{NAME}.claim"
    claim.write_text(json.dumps(ELSEWHERE))
    now = claim.stat().st_mtime
    os.utime(claim, (now - age, now - age))
    assert folder.claim(NAME) != lives


def test_claims_are_renewed(path, plan, monkeypatch):
    monkeypatch.setattr("gvc.fleet.claims.SECONDS_BETWEEN_RENEWALS", 0.01)
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        folder.claim(NAME)
        claim = path / f"{NAME}.claim"
        os.utime(claim, (0, 0))
        for _ in range(1000):
            if claim.stat().st_mtime:
                return
            threading.Event().wait(0.01)
    pytest.fail("the claim was not renewed")


def test_a_claim_that_is_not_whole_yet_lives(folder, path):
    (path / f"{NAME}.claim").write_bytes(b"")
    assert not folder.claim(NAME)
    os.utime(path / f"{NAME}.claim", (0, 0))
    assert folder.claim(NAME)


@pytest.mark.parametrize("kind", ["link", "pipe", "huge"])
def test_what_is_no_claim_does_not_stop_anybody(folder, path, kind):
    place = path / f"{NAME}.claim"
    if kind == "link":
        place.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_bytes(bytes(10**6))
    assert folder.claim(NAME)


def test_one_of_many_gets_a_dead_claim(path, plan):
    winners = []
    with JobFolder(path) as first:
        first.write_plan(plan)
        for _ in range(20):
            (path / f"{NAME}.claim").write_text(json.dumps(ELSEWHERE))
            os.utime(path / f"{NAME}.claim", (0, 0))
            folders = [JobFolder(path, create=False) for _ in range(4)]
            start, won = threading.Barrier(len(folders)), []

            def race(folder, start=start, won=won):
                start.wait()
                won.append(folder.claim(NAME))

            threads = [threading.Thread(target=race, args=(folder,)) for folder in folders]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            winners.append(sum(won))
            for folder in folders:
                folder.close()
    assert winners == [1] * 20


@pytest.mark.parametrize("start_again", [False, True])
def test_a_process_that_dies_while_it_removes_a_dead_claim_stops_nobody(folder, path, plan, start_again):
    for suffix in (".claim", ".claim.burial"):
        (path / f"{NAME}{suffix}").write_text(json.dumps(ELSEWHERE))
        os.utime(path / f"{NAME}{suffix}", (0, 0))
    if start_again:
        with JobFolder(path) as other:
            other.write_plan(plan)
            assert other.claim(NAME)
    else:
        assert not folder.claim(NAME) and folder.claim(NAME)
    assert [p.name for p in path.iterdir() if "burial" in p.name] == []


def test_a_claim_that_was_taken_over_is_not_released(folder, path):
    assert folder.claim(NAME)
    (path / f"{NAME}.claim").write_text(json.dumps(ELSEWHERE))
    folder.release(NAME)
    assert not folder.claim(NAME)


# Failures


def test_failures_are_kept_until_the_next_start(path, plan):
    name = plan.job(plan.chains[2])
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        folder.claim(name)
        folder.fail(name, "there is too little memory", 3)
        job = folder.jobs(plan)[2]
        assert (job.state, job.reason) == ("failed", "there is too little memory (3 tries)")
        assert folder.claim(name)
    with JobFolder(path, create=False) as folder:
        assert states(folder, plan)[2] == "failed"
    with JobFolder(path) as folder:
        assert states(folder, plan)[2] == "waiting"


def test_a_second_driver_keeps_the_failures_of_the_first(path, plan, folder):
    first, second, _ = map(plan.job, plan.chains)
    process = in_process(path, f"folder.claim({first!r})\nfolder.fail({second!r}, 'reason', 3)")
    try:
        with JobFolder(path) as other:
            assert states(other, plan) == ["running", "failed", "waiting"]
    finally:
        kill(process)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"reason": 5, "tries": 1}', bytes(10**6)])
def test_a_damaged_failure_counts_as_none(folder, plan, path, content):
    (path / f"{plan.job(plan.chains[0])}.failed").write_bytes(content)
    assert states(folder, plan)[0] == "waiting"


# Leftovers and removal


def test_temporary_files_of_living_processes_stay(path):
    script = "folder._directory.create(folder._directory.temporary('plan.json'), b'half')"
    process = in_process(path, script)
    try:
        JobFolder(path).close()
        assert len(list(path.iterdir())) == 1
    finally:
        kill(process)
    JobFolder(path).close()
    assert list(path.iterdir()) == []


def test_temporary_files_of_other_machines_are_removed_when_they_are_old(path):
    path.mkdir()
    old, new = (path / f".plan.json.00000000-1-{start}.0.tmp" for start in (1, 2))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    JobFolder(path).close()
    assert list(path.iterdir()) == [new]


def test_removal_leaves_what_gvc_did_not_write(folder, path, results):
    for name, data in results.items():
        folder.write_result(name, data)
    folder.claim(NAME)
    for foreign in ("notes.txt", "00000-short.gvcj", ".hidden.tmp"):
        (path / foreign).write_text("mine")
    folder.remove()
    assert sorted(p.name for p in path.iterdir()) == [".hidden.tmp", "00000-short.gvcj", "notes.txt"]


def test_another_driver_learns_that_the_folder_is_gone(path, plan, results):
    name, data = next(iter(results.items()))
    with JobFolder(path) as first, JobFolder(path) as second:
        second.write_plan(plan)
        assert second.claim(name)
        first.remove()
        assert not path.exists()
        calls = [
            lambda: second.claim(NAME),
            lambda: second.result(name),
            lambda: second.write_result(name, data),
            lambda: second.fail(name, "reason", 1),
            lambda: second.write_plan(plan),
            lambda: list(joined(second, plan)),
            second.check,
        ]
        for call in calls:
            with pytest.raises(FolderGoneError):
                call()
        second.remove()


def test_a_folder_that_is_being_removed_gives_no_jobs(path, plan):
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        (path / "plan.json").unlink()
        with pytest.raises(FolderGoneError):
            folder.claim(NAME)


def test_the_place_of_a_removed_folder_is_not_the_folder(path, plan):
    with JobFolder(path) as folder:
        folder.write_plan(plan)
        path.rename(path.with_name("elsewhere"))
        with JobFolder(path), pytest.raises(FolderGoneError):
            folder.claim(NAME)


def test_a_place_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file"):
        JobFolder(tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        JobFolder(tmp_path / "nowhere" / "jobs")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        JobFolder(tmp_path / "nowhere", create=False)


# gvc jobs


def gvc_jobs(*arguments):
    return CliRunner().invoke(app, ["jobs", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def mixed(folder, path, plan, results):
    """A folder with a chain that is done, one that has failed and one that another process works on."""
    (name, data), (failed, _), (running, _) = results.items()
    folder.write_result(name, data)
    folder.fail(failed, "no \x1b[2Jmemory", 3)
    (path / f"{running}.claim").write_text(json.dumps({**ELSEWHERE, "host": "fa\x1br"}))
    return path


def test_jobs_are_shown_as_a_table(mixed):
    done = gvc_jobs(mixed)
    assert done.exit_code == 0 and "\x1b" not in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    size = Result.parse(next(mixed.glob("*.gvcj")).read_bytes()).size
    assert lines[2] == ["0", "0", "6", "done", str(size), "1.5", "somebody"]
    assert lines[3] == ["1", "6", "6", "failed", "no", r"\x1b[2Jmemory", "(3", "tries)"]
    assert lines[4] == ["2", "12", "2", "running", r"fa\x1br", "(process", "1)"]
    summary = f"3 chains: 1 done, 1 failed, 1 running; 6 of 14 pictures coded, {size} bytes, 1.5 s"
    assert done.stdout.splitlines()[-1] == summary


def test_jobs_are_shown_as_json(mixed):
    shown = json.loads(gvc_jobs("--json", mixed).stdout)
    assert (shown["source"], shown["stage"], shown["complete"]) == (SOURCE.path, "encode", True)
    assert shown["options"]["keyint"] == 6
    assert [(c["number"], c["first"], c["pictures"], c["state"]) for c in shown["chains"]] == [
        (0, 0, 6, "done"),
        (1, 6, 6, "failed"),
        (2, 12, 2, "running"),
    ]


def test_looking_at_jobs_changes_nothing(mixed):
    (mixed / ".plan.json.00000000-1-1.0.tmp").write_bytes(b"half")
    before = {file.name: file.read_bytes() for file in mixed.iterdir()}
    gvc_jobs(mixed)
    assert {file.name: file.read_bytes() for file in mixed.iterdir()} == before


def test_a_film_with_a_bitrate_is_analysed_first(path, plan):
    options = {**plan.identity.options, "bitrate": 1000}
    film = replace(plan, identity=replace(plan.identity, options=options), complete=False)
    name = film.job(plan.chains[0], "analyse")
    with JobFolder(path) as folder:
        folder.write_plan(film)
        folder.write_result(name, Result(name, [], {"worker": "w", "seconds": 1.0}).to_bytes())
        text = gvc_jobs(path).stdout
        assert "6 of 14 pictures analysed" in text and "More chains may follow" in text
        folder.write_plan(replace(film, bitrates=(1000, 1000, 1000), complete=True))
        assert "0 of 14 pictures coded" in gvc_jobs(path).stdout


@pytest.mark.parametrize("kind", ["nowhere", "empty", "damaged", "file"])
def test_what_is_no_job_folder_is_one_sentence(tmp_path, kind):
    place = tmp_path / kind
    if kind == "file":
        place.write_text("text")
    elif kind != "nowhere":
        place.mkdir()
    if kind == "damaged":
        (place / "plan.json").write_text('{"format": "gvc plan 1"}')
    done = gvc_jobs(place)
    assert done.exit_code in (1, 3) and done.stderr.count("\n") == 1 and str(place) in done.stderr
