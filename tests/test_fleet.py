# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc encode` with a job folder: the joined file, and what every kind of end leaves to be done."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import av
import pytest
from gvc_container.source import VideoSource
from test_cli import clip, gvc
from test_crew import is_alive, processes
from typer.testing import CliRunner

from gvc.cli.app import app
from gvc.errors import OptionError, PriorError, RateError
from gvc.fleet.crew import TRIES
from gvc.fleet.driver import Driver
from gvc.fleet.failures import WorkerLostError
from gvc.fleet.folder import FolderError, JobFolder
from gvc.fleet.join import joined
from gvc.fleet.result import Result
from gvc.fleet.tasks import Tasks, no_step
from gvc.plan.bitrate import FILE_BYTES, FRAME_BYTES

SIZE, KEYINT, CHAINS, LONG_CHAINS = (32, 24), 5, 8, 15
PICTURES = CHAINS * KEYINT - 2
OPTIONS = {"preset": "fast", "keyint": KEYINT}
FLAGS = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("fleet") / "in.mkv", frames=PICTURES, size=SIZE, audio=True)


@pytest.fixture(scope="module")
def whole(source):
    """Return the bytes of the file that one process makes in one go."""
    path = source.with_name("whole.mkv")
    gvc("encode", source, path, *FLAGS)
    return path.read_bytes()


@pytest.fixture(scope="module")
def long_source(tmp_path_factory):
    """Return a film whose coding takes long enough to be interrupted."""
    return clip(tmp_path_factory.mktemp("fleet") / "long.mkv", frames=LONG_CHAINS * KEYINT, size=(64, 48))


@pytest.fixture(scope="module")
def long_whole(long_source):
    path = long_source.with_name("whole.mkv")
    gvc("encode", long_source, path, *FLAGS)
    return path.read_bytes()


def results(folder: Path) -> dict[str, int]:
    """Return the results in a job folder, with the times at which they were written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.gvcj")}


# The command


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_joined_file_is_that_of_one_process(source, whole, tmp_path, workers):
    out = tmp_path / "out.mkv"
    said = gvc("encode", "--workers", workers, *["--verify"] * (workers == 1), source, out, *FLAGS).stderr
    assert out.read_bytes() == whole
    assert f"{PICTURES} frames" in said and ("verified" in said) == (workers == 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def encoding(source, out, *flags, number=signal.SIGINT):
    """Start a resumable encoding that reacts to a signal, and wait until some chains are done."""
    command = [sys.executable, "-m", "gvc.cli", "encode", "--resume", source, out, *map(str, [*FLAGS, *flags])]
    heeding = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)} if number != signal.SIGKILL else {}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **heeding)
    while process.poll() is None and len(results(Path(f"{out}.jobs"))) < 3:
        time.sleep(0.005)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_same_command_goes_on(long_source, long_whole, tmp_path, number):
    out = tmp_path / "out.mkv"
    process = encoding(long_source, out, number=number)
    (worker,) = processes(process.pid)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number], said
    assert not out.exists() and "Traceback" not in said
    if number != signal.SIGKILL:
        assert f"chains are coded and kept in {out}.jobs; the same command goes on there" in said
    while is_alive(worker):
        time.sleep(0.005)
    before = results(Path(f"{out}.jobs"))
    said = gvc("encode", "--resume", "--keep", long_source, out, *FLAGS).stderr
    assert "chains are coded already" in said
    after = results(Path(f"{out}.jobs"))
    assert {name: after[name] for name in before} == before and len(after) == LONG_CHAINS
    assert out.read_bytes() == long_whole


def test_an_interrupt_does_not_wait_for_a_slow_chain(tmp_path):
    path, out = clip(tmp_path / "in.mkv", frames=129, size=(320, 240), codec="mpeg4"), tmp_path / "out.mkv"
    command = [sys.executable, "-m", "gvc.cli", "encode", "--resume", "--progress", "json", path, out]
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **heeding) as process:
        lines = (json.loads(line) for line in process.stderr)
        assert any(line.get("step") for line in lines)  # It is in the middle of a chain
        process.send_signal(signal.SIGINT)
        *_, last = lines
    assert process.returncode == 130 == last["code"] and results(Path(f"{out}.jobs")) == {}


def test_a_worker_that_is_killed_costs_one_chain(long_source, long_whole, tmp_path):
    out = tmp_path / "out.mkv"
    process = encoding(long_source, out, "--workers", 2, "--keep")
    os.kill(processes(process.pid).pop(), signal.SIGKILL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and said.count("is tried again") == 1 and "signal 9" in said
    tries = [
        Result.parse((out.parent / "out.mkv.jobs" / name).read_bytes()).log["tries"]
        for name in results(Path(f"{out}.jobs"))
    ]
    assert sorted(tries)[-2:] == [1, 2]
    assert out.read_bytes() == long_whole


def test_two_drivers_share_a_folder(long_source, long_whole, tmp_path):
    outs, jobs = [tmp_path / "a.mkv", tmp_path / "b.mkv"], tmp_path / "jobs"
    command = [sys.executable, "-m", "gvc.cli", "encode", "--jobs", jobs, long_source]
    processes = [subprocess.Popen([*command, out, *map(str, FLAGS)], stderr=subprocess.PIPE, text=True) for out in outs]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    assert [out.read_bytes() for out in outs] == [long_whole] * 2
    assert not jobs.exists()


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system with little room; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system can be mounted here to be filled")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_ends_the_run_and_the_same_command_goes_on(source, whole, small_disk, tmp_path):
    jobs, stone = small_disk / "jobs", small_disk / "stone"
    stone.write_bytes(bytes(40 << 10))  # Plan and results take a page of 4 kB each
    arguments = ("encode", "--jobs", jobs, source, tmp_path / "out.mkv", *FLAGS)
    advice = "No space left on device; make room there, then give the same command again"
    said = gvc(*arguments, code=1).stderr
    assert advice in said and "chains are coded and kept" in said and not (tmp_path / "out.mkv").exists()
    before = results(jobs)
    assert 0 < len(before) < CHAINS
    with suppress(OSError):
        stone.write_bytes(bytes(64 << 10))
    assert advice in gvc(*arguments, code=1).stderr
    stone.unlink()
    gvc(*arguments, "--keep")
    after = results(jobs)
    assert {name: after[name] for name in before} == before and len(after) == CHAINS
    assert (tmp_path / "out.mkv").read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resume", "-", "out.mkv"], "can be read only once"),
        (["--resume", "{source}", "-"], "--jobs"),
        (["--resume", "{source}", "out.mkv", "--maxrate", "100k"], "leave it out"),
        (["--resume", "{source}", "{source}"], "the input as well"),
    ],
)
def test_what_cannot_be_resumed_is_said(source, tmp_path, arguments, said):
    words = [word.format(source=source) for word in arguments]
    assert said in gvc("encode", *words, code=2, cwd=tmp_path, stdin=subprocess.DEVNULL).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_prior_that_is_missing_ends_the_run_at_once(source, tmp_path):
    done = gvc("encode", "--workers", 2, source, tmp_path / "out.mkv", "--prior", "magic", code=4)
    assert done.stderr.count("magic") == 1 and list(tmp_path.iterdir()) == []


def test_jobs_for_standard_output(source, whole, tmp_path):
    done = gvc("encode", "--jobs", tmp_path / "jobs", source, "-", *FLAGS, text=False)
    path = tmp_path / "out.mkv"
    path.write_bytes(done.stdout)
    assert "8 keyframes" in gvc("info", path).stdout
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_a_damaged_source_is_coded_as_far_as_it_goes(tmp_path, codec):
    path = clip(tmp_path / "in.mkv", frames=PICTURES, size=(96, 64), codec=codec)
    with av.open(str(path)) as film:
        packets = [bytes(packet) for packet in film.demux(video=0) if packet.size]
    data = path.read_bytes()
    for packet in packets[20], packets[30]:
        data = data.replace(packet, bytes(len(packet)))
    path.write_bytes(data)
    expected = gvc("encode", path, tmp_path / "whole.mkv", *FLAGS, "--threads", 1, code=3).stderr
    said = gvc("encode", "--workers", 2, path, tmp_path / "out.mkv", *FLAGS, code=3).stderr
    assert [line for line in said.splitlines() if line.startswith("gvc:")] == [
        line for line in expected.splitlines() if line.startswith("gvc:")
    ]
    assert (tmp_path / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()


# The driver


class Here:
    """A worker in this process. coded, analysed: numbers of the chains that it has coded or analysed, or tried to."""

    def __init__(self, fails=lambda chain: None):
        self.name, self.coded, self.analysed = "here", [], []
        self._fails, self._tasks = fails, Tasks("here", {"threads": 1})

    def run(self, task, on_step=no_step):
        if task.kind != "hello":
            number = task.terms["chain"]["number"]
            (self.coded if task.kind == "encode" else self.analysed).append(number)
            if error := self._fails(number):
                raise error
        return self._tasks.run(task, on_step)

    def close(self):
        pass


class Told(list):
    """An observer that keeps what it is told: say, warn as texts; chain_done as (number, earlier)."""

    def stage(self, name, total):
        return nullcontext()

    def say(self, text):
        self.append(text)

    warn = say

    def expect(self, total, chains):
        pass

    def chain_step(self, chain, gop, steps, step):
        pass

    def chain_done(self, chain, pictures, size, *, earlier=False):
        self.append((chain, earlier))

    def chain_failed(self, chain):
        pass


def drive(folder, source, worker, told, **options):
    """Code a film; return (failures, data of all packets as far as the chains are coded)."""
    with JobFolder(folder) as jobs, VideoSource(str(source)) as video:
        driver = Driver(jobs, video, OPTIONS | options, [worker], told, is_damaged=lambda: False)
        failures = driver.run()
        return failures, [] if failures else [packet.data for batch in joined(jobs, driver.plan) for packet in batch]


@pytest.fixture(scope="module")
def packets(source, tmp_path_factory):
    """Return the data of all packets."""
    return drive(tmp_path_factory.mktemp("jobs") / "jobs", source, Here(), Told())[1]


def test_a_chain_that_always_fails_does_not_stop_the_others(source, packets, tmp_path):
    worker, told = Here(lambda chain: WorkerLostError("no memory") if chain == 3 else None), Told()
    failures, _ = drive(tmp_path / "jobs", source, worker, told)
    assert [str(failure) for failure in failures] == ["chain 3 (pictures 15 to 19) failed: no memory"]
    assert sorted(worker.coded) == sorted([*range(CHAINS), *[3] * (TRIES - 1)])
    again = Here()
    assert drive(tmp_path / "jobs", source, again, told) == ([], packets)
    assert again.coded == [3]
    assert f"{tmp_path / 'jobs'}: {CHAINS - 1} of {CHAINS} chains are coded already" in told


def test_the_command_says_which_chains_failed_and_tries_them_again(source, whole, tmp_path, monkeypatch):
    fails = Here(lambda chain: WorkerLostError("no memory") if chain == 3 else None)
    out, arguments = (
        tmp_path / "out.mkv",
        ["encode", "--resume", str(source), str(tmp_path / "out.mkv"), *map(str, FLAGS)],
    )
    with monkeypatch.context() as patch:
        patch.setattr("gvc.fleet.processes.local_workers", lambda *_: [fails])
        done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1 and not out.exists()
    assert "chain 3 (pictures 15 to 19) failed: no memory" in done.stderr
    assert f"1 of {CHAINS} chains could not be coded; `gvc jobs {out}.jobs` shows why" in done.stderr
    assert "no memory" in gvc("jobs", f"{out}.jobs").stdout
    gvc(*arguments)
    assert out.read_bytes() == whole


def test_an_error_that_all_chains_would_have_ends_the_run(source, tmp_path):
    worker = Here(lambda chain: PriorError("the weights are gone"))
    with pytest.raises(PriorError):
        drive(tmp_path / "jobs", source, worker, Told())
    assert len(worker.coded) == 1


@pytest.mark.parametrize(
    "harm", [lambda data: data[:-9], lambda data: b"", lambda data: data[:200] + b"x" + data[201:]]
)
def test_a_result_that_was_damaged_is_coded_again(source, packets, tmp_path, harm):
    drive(tmp_path / "jobs", source, Here(), Told())
    path = tmp_path / "jobs" / sorted(results(tmp_path / "jobs"))[2]
    path.write_bytes(harm(path.read_bytes()))
    worker, told = Here(), Told()
    assert drive(tmp_path / "jobs", source, worker, told) == ([], packets)
    assert worker.coded == [2]
    assert [event for event in told if event in ((2, False), (3, True))] == [(3, True), (2, False)]


def test_a_bitrate_is_shared_out_once_all_chains_are_analysed(source, tmp_path):
    first, second, third = Here(lambda chain: RateError("odd") if chain == 3 else None), Here(), Here()
    failures, _ = drive(tmp_path / "jobs", source, first, Told(), bitrate=40_000)
    assert [failure.chain.number for failure in failures] == [3]
    assert sorted(first.analysed) == [*range(CHAINS)] and first.coded == []
    failures, coded = drive(tmp_path / "jobs", source, second, Told(), bitrate=40_000)
    assert second.analysed == [3] and sorted(second.coded) == [*range(CHAINS)]
    bits = 8 * (sum(map(len, coded)) + FILE_BYTES + PICTURES * FRAME_BYTES)
    assert failures == [] and 0.9 < bits / 40_000 / (PICTURES / 25) < 1.1
    assert drive(tmp_path / "jobs", source, third, told := Told(), bitrate=40_000) == ([], coded)
    assert third.analysed == third.coded == [] and f"{CHAINS} of {CHAINS} chains are coded already" in told[0]


def test_a_result_that_is_none_counts_as_a_failure(source, tmp_path):
    class Liar(Here):
        def run(self, task, on_step=no_step):
            return super().run(task, on_step) if task.kind == "hello" else b"rubbish"

    failures, _ = drive(tmp_path / "jobs", source, Liar(), Told())
    assert len(failures) == CHAINS and all(isinstance(failure.error, FolderError) for failure in failures)


def test_a_changed_option_begins_anew_and_says_so(source, packets, tmp_path):
    drive(tmp_path / "jobs", source, Here(), Told())
    worker, told = Here(), Told()
    assert drive(tmp_path / "jobs", source, worker, told, quality=40)[1] != packets
    assert len(worker.coded) == CHAINS
    assert f"{tmp_path / 'jobs'}: option quality was 30 and is 40, so all chains are coded anew" in told


def test_a_changed_source_begins_anew_where_it_changed(source, tmp_path):
    path = tmp_path / "in.mkv"
    path.write_bytes(source.read_bytes())
    drive(tmp_path / "jobs", path, Here(), Told())
    clip(path, frames=PICTURES - KEYINT, size=SIZE)  # The same film without its end
    worker, told = Here(), Told()
    assert drive(tmp_path / "jobs", path, worker, told)[0] == []
    assert worker.coded == [CHAINS - 2] and any("the source changed" in text for text in told if isinstance(text, str))


def test_a_source_that_was_moved_keeps_its_results(source, packets, tmp_path):
    (tmp_path / "in.mkv").write_bytes(source.read_bytes())
    drive(tmp_path / "jobs", tmp_path / "in.mkv", Here(), Told())
    (tmp_path / "jobs" / sorted(results(tmp_path / "jobs"))[2]).unlink()
    moved, worker, told = (tmp_path / "in.mkv").rename(tmp_path / "moved.mkv"), Here(), Told()
    assert drive(tmp_path / "jobs", moved, worker, told) == ([], packets)
    assert worker.coded == [2]
    assert sorted(event for event in told if isinstance(event, tuple)) == [(n, n != 2) for n in range(CHAINS)]


def test_what_changes_no_byte_changes_no_plan(source, tmp_path):
    drive(tmp_path / "jobs", source, Here(), Told())
    worker = Here()
    drive(tmp_path / "jobs", source, worker, Told(), threads=2, device="cpu")
    assert worker.coded == []


def test_a_folder_in_use_cannot_be_taken_for_another_film(source, tmp_path):
    drive(tmp_path / "jobs", source, Here(), Told())
    script = f"""
from pathlib import Path
from gvc.fleet.folder import JobFolder
JobFolder(Path({str(tmp_path / "jobs")!r})).take_part()
input("here")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.read(4) == b"here"
        with pytest.raises(OptionError, match="another run works"):
            drive(tmp_path / "jobs", source, Here(), Told(), quality=40)
        assert drive(tmp_path / "jobs", source, Here(), Told())[0] == []


def test_verification_needs_chains_that_were_coded_for_it(source, tmp_path):
    arguments = ("encode", "--resume", "--keep", "-y", source, tmp_path / "out.mkv", *FLAGS)
    gvc(*arguments)
    assert "leave --verify out" in gvc(*arguments, "--verify", code=2).stderr
