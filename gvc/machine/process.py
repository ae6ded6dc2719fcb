# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Threads and memory of the processes that are GVC's own (the engine and the command line)."""

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt
LARGE = 4 << 20  # bytes; NumPy asks for huge pages from here on, which makes new memory cheap
SLACK = 64 << 20  # bytes of free memory at the end of the pool that are not given back
SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# The system's, and those of libraries whose allocations fail.
SIGNALS_OF_MEMORY = {signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT}
_added: set[str] = set()  # variables of the environment that were not there before


def settle() -> None:
    """Make libraries fit for what GVC does; call before importing NumPy or torch and starting threads.

    The matrices of a transform are small. On a busy machine OpenBLAS's threads wait for each other by spinning, which
    was seen to make coding ten times slower; on an idle one they gain little. So it gets one, and torch's threads wait
    without spinning, unless the environment says otherwise. And glibc keeps freed memory for each thread, which for
    pictures in a few threads was a third of all memory; one pool for all is as fast.

    By itself glibc also learns to take the arrays of a GOP from that pool, up to 32 MiB each. What is kept longer, like
    pictures that wait to be shown, then breaks it into pieces too small for the next arrays, and a process grew from
    GOP to GOP to twice of what it used. So large arrays always have pages of their own, which go back when freed.
    """
    _added.update(SETTINGS.keys() - os.environ.keys())
    for name in _added:
        os.environ[name] = SETTINGS[name]
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, SLACK)


def given_environment() -> dict[str, str]:
    """Return the environment without what `settle` added, for programs that are not GVC's own."""
    return {name: value for name, value in os.environ.items() if name not in _added}


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for the length of the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Undo what a library does meanwhile to the scheduling of this process's threads.

    Where it may, as root, SVT-AV1 gives its threads and the one that opens it real-time priority 99. As root, in a
    container say, GVC would then hold up all other programs of a machine with few processors, FFmpeg among them.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in map(int, os.listdir("/proc/self/task")):
            with suppress(ProcessLookupError):  # it has ended
                if os.sched_getscheduler(thread) == os.SCHED_FIFO != policy:
                    os.sched_setscheduler(thread, policy, parameters)


def abrupt_end(returncode: int) -> str:
    """Return how a child of this process ended by a signal, with its likely reason; empty if it ended by itself."""
    if returncode >= 0:
        return ""
    hint = ", as when memory is short" if -returncode in SIGNALS_OF_MEMORY else ""
    return f"the process was ended by signal {-returncode}{hint}"


def give_back_memory() -> None:
    """Give freed memory back to the system, as far as glibc does not when its blocks lie between others that are used.

    Encoders of AV1 take tens of megabytes in small blocks; each next one left the process larger.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
