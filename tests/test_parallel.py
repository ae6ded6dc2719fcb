# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Parallel work: the same results in the same order, on no more threads than allowed."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gvc.machine import control_groups
from gvc.machine.lazy import lazy
from gvc.machine.parallel import PROCESSORS, Team, allowed, each, inheriting
from gvc.machine.processors import processors

PATIENCE = 60  # seconds after which a test gives up


def test_results_keep_the_order_of_the_rows():
    for threads in (0, 1, 2, 7, 1000):
        with Team(threads).leading():
            assert each(lambda a, b: a * b, range(50), range(50, 100)) == [a * (a + 50) for a in range(50)]
            assert each(lambda a: a, []) == []


def test_work_inside_of_work_is_done_in_its_place():
    """Nested calls that both waited for threads of one pool would deadlock."""
    rows = each(lambda a: each(lambda b: (a, b), range(20)), range(4 * PROCESSORS))
    assert rows == [[(a, b) for b in range(20)] for a in range(4 * PROCESSORS)]


def test_an_executor_can_keep_to_the_limit():
    with ThreadPoolExecutor(1) as executor, Team(1).leading():
        inherited, own = (executor.submit(f).result() for f in (inheriting(allowed), allowed))
    assert (inherited, own) == (1, PROCESSORS)


def test_an_error_reaches_the_caller():
    def fail(number):
        if number == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        each(fail, range(8))


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_threads_than_allowed(threads):
    seen, meeting = set(), threading.Barrier(min(threads, PROCESSORS))

    def work(_):
        seen.add(threading.get_ident())
        meeting.wait(PATIENCE)

    with Team(threads).leading():
        each(work, range(20))
    assert len(seen) == min(threads, PROCESSORS)
    assert threading.get_ident() in seen


def test_the_limit_is_of_one_thread_alone():
    """Two encoders in one process may have different limits."""
    inside, outside = [], []

    def run_elsewhere():
        each(lambda _: outside.append(threading.get_ident()), range(2))

    with Team(1).leading():
        other = threading.Thread(target=run_elsewhere)
        other.start()
        other.join()
        each(lambda _: inside.append(threading.get_ident()), range(2))
    assert set(inside) == {threading.get_ident()}
    assert len(outside) == 2 and threading.get_ident() not in outside


@pytest.mark.parametrize(("quotas", "least"), [(["max 100000"], None), (["max 100000", "50000 100000"], 1), ([], None)])
def test_the_quota_of_a_container_counts(tmp_path, monkeypatch, quotas, least):
    groups = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::/")]
    own = tmp_path / (groups[0].removeprefix("0::/") if groups else "")
    own.mkdir(parents=True, exist_ok=True)
    for folder, quota in zip([own, tmp_path], quotas, strict=False):
        (folder / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(control_groups, "CONTROL_GROUPS", tmp_path)
    assert processors.__wrapped__() == (least or len(os.sched_getaffinity(0)))


def test_what_a_team_works_on_comes_before_parts_of_it():
    """Threads that are busy with GOPs hold up nobody: the caller of `each` does the work itself."""
    team, release = Team(2), threading.Event()
    busy = [team.submit(release.wait, PATIENCE) for _ in range(team.size)]
    try:
        with team.leading():
            assert each(lambda n: n * n, range(9)) == [n * n for n in range(9)]
    finally:
        release.set()
    assert all(future.result() for future in busy)
    team.dismiss()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_team_hands_on_errors_and_itself(threads):
    team = Team(threads)
    assert isinstance(team.submit(lambda: 1 / 0).exception(), ZeroDivisionError)
    with team.leading():
        assert team.submit(allowed).result() == allowed() == min(threads, PROCESSORS)
    team.dismiss()


def test_properties_of_several_objects_are_computed_at_the_same_time():
    """GOPs in several threads would otherwise wait for each other, as with Python 3.11's own cached_property."""
    meeting = threading.Barrier(2)

    class Gop:
        @lazy
        def pictures(self):
            """What it shows."""
            meeting.wait(PATIENCE)
            return object()

    gops = [Gop(), Gop()]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda gop: gop.pictures, gops))
    assert found == [gop.pictures for gop in gops] and Gop.pictures.__doc__ == "What it shows."
