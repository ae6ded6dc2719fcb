# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Crews of workers: which tasks are tried again, which workers are left out, and what ends a crew."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import pytest

from gvc.errors import MediaError, OptionError, PriorError
from gvc.fleet.crew import TRIES, Crew
from gvc.fleet.failures import TaskError, WorkerLostError
from gvc.fleet.messages import LENGTHS, MOST_TEXT, read_message, write_message
from gvc.fleet.processes import ProcessWorker, local_workers, spread
from gvc.fleet.tasks import Task

HELLO, CHAIN = Task("hello", "the start"), Task("encode", "chain 1")
SECONDS = 60  # Longest time that a test waits for a result


class Scripted:
    """A worker in this process. act: function that gets each task and returns its result or raises an error."""

    def __init__(self, act: Callable[[Task], bytes], name: str = "scripted"):
        self.name, self._act = name, act
        self.tasks: list[Task] = []
        self.closed = Event()

    def run(self, task, on_step=None):
        self.tasks.append(task)
        return self._act(task)

    def close(self):
        self.closed.set()


def failing(error: Exception, times: int = 10**6, kind: str = "encode"):
    """Return an action whose first tasks of a kind fail; the result of all others is their title."""
    left = [times]

    def act(task):
        if task.kind == kind and left[0]:
            left[0] -= 1
            raise error
        return task.title.encode()

    return act


@pytest.mark.parametrize("error", [WorkerLostError("lost"), TaskError("odd"), MediaError("file server")])
def test_what_may_pass_is_tried_again_after_another_greeting(error):
    worker, said = Scripted(failing(error, TRIES - 1)), []
    with Crew([worker], HELLO, warn=said.append) as crew:
        assert crew.submit(CHAIN).result(SECONDS) == b"chain 1"
    assert [(task.kind, task.tries) for task in worker.tasks] == [
        ("hello", 1), ("encode", 1), ("hello", 1), ("encode", 2), ("hello", 1), ("encode", 3),
    ]  # fmt: skip
    assert len(said) == TRIES - 1 and all("chain 1 is tried again" in text for text in said)


def test_a_lost_task_does_not_wait_for_its_worker_to_come_back():
    lost, done = Event(), Event()

    def first(task):
        if task.kind == "hello":
            assert not lost.is_set() or done.wait(SECONDS)  # A machine that is gone
            return b""
        lost.set()
        raise WorkerLostError("lost")

    def second(task):
        assert lost.wait(SECONDS)
        return b"by the second"

    with Crew([Scripted(first, "first"), Scripted(second, "second")], HELLO) as crew:
        assert crew.submit(CHAIN).result(SECONDS) == b"by the second"
        done.set()


def test_a_task_that_always_fails_does_not_stop_the_others():
    worker = Scripted(failing(WorkerLostError("lost"), TRIES))
    with Crew([worker], HELLO) as crew:
        bad, good = crew.submit(CHAIN), crew.submit(Task("encode", "chain 2"))
        assert isinstance(bad.exception(SECONDS), WorkerLostError)
        assert good.result(SECONDS) == b"chain 2"
    assert worker.closed.is_set()


@pytest.mark.parametrize("error", [OptionError("no such option"), PriorError("no such model")])
@pytest.mark.parametrize("kind", ["hello", "encode"])
def test_an_error_that_all_would_have_ends_the_crew_at_the_first_try(error, kind):
    worker = Scripted(failing(error, kind=kind))
    with Crew([worker], HELLO) as crew:
        assert crew.submit(CHAIN).exception(SECONDS) is error
        assert crew.submit(CHAIN).exception(SECONDS) is error
        with pytest.raises(type(error)):
            crew.check()
    assert [task.kind for task in worker.tasks].count(kind) == 1


def test_a_worker_that_cannot_be_opened_is_left_out():
    broken, whole, said = (
        Scripted(failing(TaskError("no GPU"), kind="hello"), "broken"),
        Scripted(failing(None, 0)),
        SimpleQueue(),
    )
    with Crew([broken, whole], HELLO, warn=said.put) as crew:
        assert said.get(timeout=SECONDS) == "broken is left out: no GPU"
        assert crew.idle.acquire(timeout=SECONDS)
        assert crew.submit(CHAIN).result(SECONDS) == b"chain 1"
        assert crew.idle.acquire(timeout=SECONDS) and not crew.idle.acquire(blocking=False)
    assert len(broken.tasks) == TRIES


def test_the_task_of_a_worker_that_cannot_be_opened_again_goes_to_another():
    taken = Event()

    def dies_for_good(task):
        if task.kind == "encode":
            taken.set()
        if taken.is_set():
            raise WorkerLostError("lost")
        return b""

    def comes_late(task):
        assert taken.wait(SECONDS)
        return task.title.encode()

    with Crew([Scripted(dies_for_good), late := Scripted(comes_late)], HELLO) as crew:
        assert crew.submit(CHAIN).result(SECONDS) == b"chain 1"
    assert late.tasks[-1].tries == 2


def test_a_crew_without_workers_left_fails_all_tasks():
    with Crew([Scripted(failing(TaskError("no GPU"), kind="hello")) for _ in range(2)], HELLO) as crew:
        crew.idle.acquire()  # Whoever waits for a free worker is not left waiting
        assert "no GPU" in str(crew.submit(CHAIN).exception(SECONDS))


def test_a_worker_that_is_not_welcome_gets_no_tasks():
    def welcome(name, answer):
        if name == "stranger":
            raise MediaError("it has another version")

    stranger, friend, said = Scripted(failing(None, 0), "stranger"), Scripted(failing(None, 0), "friend"), []
    with Crew([stranger, friend], HELLO, welcome, warn=said.append) as crew:
        for _ in range(3):
            crew.submit(CHAIN).result(SECONDS)
    assert [task.kind for task in stranger.tasks] == ["hello"]
    assert said == ["stranger is left out: it has another version"]


def test_idle_counts_workers_that_have_nothing_to_do():
    go = Event()

    def waits(task):
        assert go.wait(SECONDS)
        return b""

    with Crew([Scripted(waits), Scripted(waits)]) as crew:
        futures = []
        for _ in range(2):
            assert crew.idle.acquire(timeout=SECONDS)
            futures.append(crew.submit(CHAIN))
        assert not crew.idle.acquire(blocking=False)
        go.set()
        assert [future.result(SECONDS) for future in futures] == [b"", b""]
        assert crew.idle.acquire(timeout=SECONDS) and crew.idle.acquire(timeout=SECONDS)


def processes(driver: int) -> set[int]:
    """Return the worker processes of a process."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if parent == driver and b"gvc.fleet.worker" in command:
            found.add(int(status.parent.name))
    return found


def test_errors_come_from_a_process_as_they_are():
    worker = ProcessWorker("1", {"threads": 1})
    with pytest.raises(OptionError, match="knows no task 'nonsense'"):
        worker.run(Task("nonsense", "nothing"))
    (before,) = processes(os.getpid())
    with pytest.raises(TaskError, match="KeyError"):  # No terms
        worker.run(HELLO)
    assert processes(os.getpid()) == set()  # Libraries may be in any state after that
    with pytest.raises(OptionError):
        worker.run(Task("nonsense", "nothing"))
    assert processes(os.getpid()) != {before}
    worker.close()
    assert processes(os.getpid()) == set()
    with pytest.raises(WorkerLostError, match="closed"):
        worker.run(HELLO)


def test_local_workers_share_processors_and_devices(monkeypatch):
    monkeypatch.setattr("gvc.fleet.processes.PROCESSORS", 7)

    def made(*arguments):
        return [(worker.name, worker.options) for worker in local_workers(*arguments)]

    assert made() == [("worker 1", {"threads": 7})]
    assert made(2) == [("worker 1", {"threads": 3}), ("worker 2", {"threads": 3})]
    assert made(9)[8] == ("worker 9", {"threads": 1})
    gpus = ["cuda:0", "cuda:1"]
    assert made(0, gpus, 2) == [
        (f"worker {i + 1} ({gpu})", {"threads": 2, "device": gpu}) for i, gpu in enumerate(gpus)
    ]
    assert [options["device"] for _, options in made(3, gpus)] == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.parametrize(
    ("device", "count", "devices"),
    [("cuda", 4, ["cuda:0", "cuda:1"]), ("cuda", 1, []), ("cuda:1", 4, []), ("cpu", 4, []), ("nonsense", 2, [])],
)
def test_workers_share_all_devices_of_a_kind(monkeypatch, device, count, devices):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert spread(device, count) == devices


DRIVER = """
import sys
from gvc.fleet.processes import ProcessWorker
from gvc.fleet.tasks import Task
worker = ProcessWorker("1", {})
try:
    worker.run(Task("nonsense", ""))
except Exception:
    print(worker._process.pid, flush=True)
sys.stdin.read()
"""


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that nobody has waited for after its end does not."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_a_worker_ends_with_its_driver():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", DRIVER], **pipes) as driver:
        worker = int(driver.stdout.readline())
        assert is_alive(worker)
        driver.send_signal(signal.SIGKILL)
    while is_alive(worker):
        pass


@pytest.mark.parametrize(
    "data",
    [LENGTHS.pack(MOST_TEXT + 1, 0), LENGTHS.pack(2, 2**63), LENGTHS.pack(2, 0) + b"[]", LENGTHS.pack(1, 0) + b"{"],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(ValueError):
        read_message(io.BytesIO(data))


@pytest.mark.parametrize("cut", [0, 1, LENGTHS.size, -1])
def test_messages(cut):
    stream = io.BytesIO()
    write_message(stream, {"a": [1]}, b"data")
    whole = stream.getvalue()
    assert read_message(io.BytesIO(whole)) == ({"a": [1]}, b"data")
    assert read_message(io.BytesIO(whole[:cut])) is None
