# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of jobs: nothing is lost or coded twice."""

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import clips
import pytest
from job_folders import (  # noqa: F401
    ELSEWHERE,
    NAME,
    OPTIONS,
    PICTURES,
    VIDEO,
    folder,
    in_process,
    kill,
    path,
    plan,
    results,
    small_result,
    states,
)

from gvc.errors import OptionError
from gvc.fleet.digest import ShownDigest, joined_digest
from gvc.fleet.folder import FolderError, FolderGoneError, JobFolder
from gvc.fleet.join import joined, shown_digest
from gvc.fleet.result import LONGEST_RESULT, Result


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
