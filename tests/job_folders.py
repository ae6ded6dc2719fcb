# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A plan of small chains, their results, and a folder with them."""

import subprocess
import sys

import clips
import pytest

from gvc.encoder import Encoder
from gvc.fleet.digest import ShownDigest
from gvc.fleet.folder import JobFolder
from gvc.fleet.identity import Identity
from gvc.fleet.plan import Plan, SourceFile, planned
from gvc.fleet.result import Result
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
