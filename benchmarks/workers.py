# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Measures all cells of a run, serially or several at a time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import torch

from benchmarks.jobs import Cell, Plan, rows_of


def measure_all(todo: list[Cell], plan: Plan, folder: Path) -> list[dict]:
    """Return the rows of all cells in order, and print each result. Raises ProgramError."""
    rows = []
    with _mapper(plan.jobs) as each:
        measured = zip(todo, each(partial(_timed, plan, folder), todo), strict=True)
        for number, (cell, (found, seconds)) in enumerate(measured, 1):
            rows += found
            said = f"{found[0]['bytes']} bytes, {found[0]['metrics']['psnr_y']:.2f} dB, {seconds:.0f} s"
            print(f"[{number}/{len(todo)}] {cell.clip.name} {cell.name} {cell.level:g}: {said}", flush=True)
    return rows


def _timed(plan: Plan, folder: Path, cell: Cell) -> tuple[list[dict], float]:
    started = time.monotonic()
    return rows_of(cell, plan, folder), time.monotonic() - started


@contextmanager
def _mapper(jobs: int) -> Iterator[Callable]:
    """Yield a `map` function that runs in this process, or in `jobs` processes whose metrics use one thread each."""
    if jobs == 1:
        yield map
        return
    # If each process used all processors, they would mostly wait for each other.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_use_one_thread) as pool:
        try:
            yield pool.map
        finally:
            pool.shutdown(cancel_futures=True)


def _use_one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
