# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Workers on a Ray cluster: the same bytes as in one process, whatever happens to them."""

import os
import signal
from dataclasses import replace
from importlib.util import find_spec
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from gvc_container.source import VideoSource
from test_cli import clip, gvc
from test_fleet import Told

if not find_spec("ray"):  # Importing it here would be without GVC's settings
    pytest.skip("Ray is not installed", allow_module_level=True)

from gvc.cli.decode import decode
from gvc.cli.encode import encode
from gvc.cli.report import Report
from gvc.cli.workers import WorkerChoice
from gvc.encoder import Encoder
from gvc.errors import EngineError, OptionError
from gvc.fleet import identity
from gvc.fleet.cluster import LOCAL, connected, ray_workers, shares
from gvc.fleet.driver import Driver
from gvc.fleet.failures import WorkerLostError
from gvc.fleet.folder import JobFolder
from gvc.fleet.join import joined
from gvc.fleet.tasks import Task, no_step

KEYINT, PICTURES = 5, 33
OPTIONS = {"preset": "fast", "keyint": KEYINT, "threads": 1}
FLAGS = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start Ray once; all workers of this module use it."""
    with connected(LOCAL, 3):
        yield


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("ray") / "in.mkv", frames=PICTURES, size=(32, 24))


@pytest.fixture(scope="module")
def long_source(tmp_path_factory):
    """Return a film whose chains take a while."""
    return clip(tmp_path_factory.mktemp("ray") / "long.mkv", frames=40, size=(192, 128))


def whole(source, **options):
    """Return the data of all packets that one encoder makes of a film."""
    with VideoSource(str(source)) as video:
        encoder = Encoder(video.format, OPTIONS | options)
        return [packet.data for picture in (*video.pictures(), None) for packet in encoder.encode(picture)]


def drive(folder, source, workers, told, **options):
    """Code a film; return the data of all packets, and the logs of all chains."""
    with JobFolder(folder) as jobs, VideoSource(str(source)) as video:
        driver = Driver(
            jobs, video, OPTIONS | options, workers, Told() if told is None else told, is_damaged=lambda: False
        )
        assert driver.run() == []
        packets = [packet.data for batch in joined(jobs, driver.plan) for packet in batch]
        return packets, [jobs.result(driver.plan.job(chain)).log for chain in driver.plan.chains]


def process_of(worker):
    """Return the process in which a worker runs."""
    return worker.ray.get(worker.actor.__ray_call__.remote(lambda _: os.getpid()))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_packets_are_those_of_one_process(source, tmp_path, count):
    with ray_workers(LOCAL, count, OPTIONS) as workers:
        packets, logs = drive(tmp_path / "jobs", source, workers, Told())
    assert packets == whole(source)
    assert {log["worker"] for log in logs} <= {f"worker {i + 1} on {os.uname().nodename}" for i in range(count)}


def test_a_worker_that_is_killed_costs_one_chain(long_source, tmp_path):
    told, ended, killed = Told(), Event(), []

    def kill(worker):
        process = process_of(worker)
        while not ended.is_set():
            if worker.step():
                os.kill(process, signal.SIGKILL)
                killed.append(process)
                return

    with ray_workers(LOCAL, 1, OPTIONS) as workers:
        killer = Thread(target=kill, args=(workers[0],))
        killer.start()
        try:
            packets, logs = drive(tmp_path / "jobs", long_source, workers, told)
        finally:
            ended.set()
            killer.join()
    assert killed and packets == whole(long_source)
    assert sorted(log["tries"] for log in logs) == [1] * 7 + [2]
    assert sum("is tried again" in str(entry) for entry in told) == 1


def test_a_worker_of_another_version_is_refused(source, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "version", lambda package: "99.0")  # Not in the processes of the workers
    with ray_workers(LOCAL, 1, OPTIONS) as workers, pytest.raises(EngineError, match=r"99\.0 .* here"):
        drive(tmp_path / "jobs", source, workers, Told())
    assert not list((tmp_path / "jobs").glob("*.gvcj"))


class Elsewhere:
    """A worker for which the source has a path that means another file in each process."""

    def __init__(self, worker, path):
        self.name, self.close, self._worker, self._path = worker.name, worker.close, worker, path

    def run(self, task, on_step=no_step):
        terms = {**task.terms, "source": self._path} if "source" in task.terms else task.terms
        return self._worker.run(replace(task, terms=terms), on_step)


def test_a_worker_without_the_file_gets_pieces(source, tmp_path):
    with source.open("rb") as file, ray_workers(LOCAL, 1, OPTIONS) as workers:
        elsewhere = Elsewhere(workers[0], f"/proc/self/fd/{file.fileno()}")
        assert drive(tmp_path / "jobs", source, [elsewhere], Told())[0] == whole(source)


def test_a_worker_that_finds_no_room_is_lost(monkeypatch):
    everything = {"threads": 3}
    with ray_workers(LOCAL, 2, everything) as (first, second):
        with pytest.raises(OptionError, match="no task"):
            first.run(Task("magic", "nothing"))
        monkeypatch.setattr("gvc.fleet.cluster.SECONDS_TO_ANSWER", 0.2)
        with pytest.raises(WorkerLostError, match="no machine of the cluster"):
            second.run(Task("magic", "nothing"))


@pytest.mark.parametrize("address", ["", "remote", "10.0.0.1:6379", "http://10.0.0.1"])
def test_what_is_no_cluster_is_refused(address):
    with pytest.raises(OptionError, match="auto, local or ray://"), ray_workers(address, 1, {}):
        pass


@pytest.mark.parametrize(
    ("count", "options", "each", "needs", "room"),
    [
        (0, {}, {"threads": 1}, {"num_cpus": 1}, 20),
        (0, {"threads": 3}, {"threads": 3}, {"num_cpus": 3}, 6),
        (0, {"threads": 99}, {"threads": 16}, {"num_cpus": 16}, 1),
        (5, {"device": "cpu"}, {"threads": 4}, {"num_cpus": 4}, 5),
        (1, {}, {"threads": 16}, {"num_cpus": 16}, 1),
        (0, {"device": "cuda:1"}, {"device": "cuda", "threads": 8}, {"num_cpus": 0, "num_gpus": 1}, 2),
        (0, {"device": "cuda", "threads": 2}, {"device": "cuda", "threads": 2}, {"num_cpus": 0, "num_gpus": 1}, 2),
    ],
)
def test_how_machines_are_divided_among_workers(count, options, each, needs, room):
    machines = [{"CPU": 16.0, "GPU": 2.0, "memory": 1e9}, {"CPU": 4.0, "memory": 1e9}]
    nodes = [{"Alive": True, "Resources": resources} for resources in machines]
    cluster = SimpleNamespace(nodes=lambda: [*nodes, {"Alive": False, "Resources": {}}])
    assert shares(cluster, count, options) == (each, needs, room)


def test_a_cluster_without_gpus_is_said():
    with (
        pytest.raises(EngineError, match="no machine of the cluster has a GPU"),
        ray_workers(LOCAL, 0, {"device": "cuda"}),
    ):
        pass


# The command


def test_the_command_starts_ray_ends_it_and_prints_nothing_of_it(source, tmp_path):
    out = tmp_path / "out.mkv"
    done = gvc("encode", "--cluster", "local", "--workers", 2, "--verify", source, out, *FLAGS)
    assert done.stdout == "" and "ray" not in done.stderr.lower().replace(str(tmp_path), "")
    gvc("encode", source, tmp_path / "whole.mkv", *FLAGS)
    assert out.read_bytes() == (tmp_path / "whole.mkv").read_bytes()


@pytest.mark.skipif(not find_spec("grpc"), reason="needs grpcio, for clusters of other machines")
def test_a_cluster_that_is_not_there_is_said_in_a_sentence(source, tmp_path):
    times = ("RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S", "RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S")
    environment = os.environ | dict.fromkeys(times, "1")
    done = gvc("encode", "--cluster", "ray://127.0.0.1:9", source, tmp_path / "out.mkv", code=1, env=environment)
    assert done.stderr.count("\n") == 1 and "no Ray cluster at ray://127.0.0.1:9" in done.stderr


def test_a_cluster_decodes_to_the_same_pictures(source, tmp_path):
    coded, here, there = (tmp_path / name for name in ("coded.mkv", "here.y4m", "there.y4m"))
    encode(str(source), coded, OPTIONS, Report(quiet=True), overwrite=False, audio=False, verify=False)
    for target, workers in ((here, WorkerChoice()), (there, WorkerChoice(2, cluster=LOCAL))):
        decode(coded, target, {"threads": 1}, Report(quiet=True), overwrite=False, audio=False, workers=workers)
    assert there.read_bytes() == here.read_bytes()
