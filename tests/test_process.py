# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC's own processes: memory does not grow with the length of a video, and their environment stays their own."""

import ctypes
import os
import subprocess
import sys

import pytest

from gvc.cli import checks as doctor
from gvc.machine.process import SETTINGS, abrupt_end

# A script that makes arrays as large as those of a GOP, and between them pictures that live longer.
GOPS = """
from gvc.machine.process import configure_process
configure_process()
import os
import numpy as np

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
np.ones(24 << 20, np.uint8)  # left to itself, glibc learns from the first large array that is freed
arrays, pictures = [], []
for _ in range(8):
    arrays.append(np.ones(12 << 20, np.uint8))
    pictures.append(np.ones(1 << 20, np.uint8))
held = resident() - before
arrays.clear()
print(held >> 20, (resident() - before) >> 20)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
def test_arrays_of_a_gop_go_back_to_the_system_while_its_pictures_are_kept():
    done = subprocess.run([sys.executable, "-c", GOPS], capture_output=True, text=True, check=True)
    held, kept = map(int, done.stdout.split())
    assert held >= 100  # MiB
    assert kept <= 12  # MiB, of which 8 are pictures


def test_what_gvc_sets_for_itself_does_not_reach_the_programs_that_it_runs():
    script = (
        "from gvc.machine.process import configure_process; configure_process()\n"
        "from gvc import plugin; plugin.run('env', [])"
    )
    given = {name: value for name, value in os.environ.items() if name not in SETTINGS} | {"OMP_WAIT_POLICY": "ACTIVE"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=given)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert "OPENBLAS_NUM_THREADS" not in found and found["OMP_WAIT_POLICY"] == "ACTIVE"
    assert "libgvc_ffmpeg" in found["LD_PRELOAD"]


@pytest.mark.parametrize("given", [None, "", "1"])
def test_the_doctor_leaves_the_environment_as_it_was(monkeypatch, given):
    monkeypatch.setenv("GVC_PYTHON", sys.executable)
    monkeypatch.delenv("GVC_SERVE", raising=False)
    if given is not None:
        monkeypatch.setenv("GVC_SERVE", given)
    before = dict(os.environ)
    assert doctor._engine().ok
    assert dict(os.environ) == before


STILLS = """
import os
import numpy as np
from gvc.stills.av1 import StillEncoder

encoder = StillEncoder((64, 64), 40, 5)
encoder.encode([np.zeros((64 >> n, 64 >> n), np.uint8) for n in (0, 1, 1)])
print({os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")} == {os.SCHED_OTHER})
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's threads can get real-time priority")
def test_coding_stills_leaves_the_priority_of_all_threads_as_it_is():
    done = subprocess.run([sys.executable, "-c", STILLS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", ""),
        ("exit 3", ""),
        ("kill -KILL $$", "the process was ended by signal 9, as when memory is short"),
        ("kill -SEGV $$", "the process was ended by signal 11, as when memory is short"),
        ("kill -TERM $$", "the process was ended by signal 15"),
    ],
)
def test_a_signal_is_told_with_its_likely_reason(script, said):
    assert abrupt_end(subprocess.run(["sh", "-c", script], check=False).returncode) == said
