# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The simulation of many workers gives the times that one can work out by hand."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.schedule import WORKERS, Timed, film_of, rows, simulated, table, wall

CHAINS = [Timed(1, 1), Timed(1, 1), Timed(1, 1), Timed(3, 3)]


def test_longest_first_ends_sooner():
    assert wall(CHAINS, 2) == 3  # 3 beside 1 + 1 + 1
    assert wall(CHAINS, 2, in_order=True) == 4  # 1 + 3 beside 1 + 1


def test_one_worker_takes_the_sum_and_many_the_longest():
    assert wall(CHAINS, 1) == 6
    assert wall(CHAINS, 99) == 3


def test_a_chain_is_taken_when_it_is_known():
    assert wall(CHAINS, 99, read=1.0) == 9  # The last one is known after 6
    assert wall(CHAINS, 1, read=0.1) == pytest.approx(6.1)  # Only the first one is waited for
    assert wall([Timed(1, 5), Timed(4, 1), Timed(1, 5)], 1, read=1.0) == 12


@given(
    st.lists(st.builds(Timed, st.integers(1, 129), st.floats(0.1, 100)), min_size=1, max_size=60),
    st.integers(1, 20),
    st.floats(0, 1),
    st.booleans(),
)
def test_no_schedule_beats_its_bounds(chains, workers, read, in_order):
    seconds = wall(chains, workers, read=read, in_order=in_order)
    work, longest = sum(chain.seconds for chain in chains), max(chain.seconds for chain in chains)
    reading = read * sum(chain.count for chain in chains)
    assert max(work / workers, longest, reading) <= seconds * (1 + 1e-9)
    assert seconds <= (work / workers + longest + reading) * (1 + 1e-9)


def test_a_film_keeps_workers_busy():
    film = film_of([Timed(129, 60), Timed(40, 25), Timed(129, 70)])
    assert sum(chain.count for chain in film) >= 135_000
    by_workers = {row.workers: row for row in rows(film, 0.001)}
    assert [*by_workers] == [*WORKERS]
    assert by_workers[16].efficiency > 0.99 and by_workers[256].efficiency > 0.8


def test_the_table_has_a_line_for_each_number_of_workers():
    assert table(simulated([Timed(129, 60), Timed(40, 25)])).count("\n") == 1 + len(WORKERS)
