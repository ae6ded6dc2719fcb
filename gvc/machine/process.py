# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Threads and memory of GVC's own processes (the engine and the command line)."""

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # Parameters of glibc's mallopt.
LARGE = 4 << 20  # Bytes from which an array gets pages of its own; NumPy asks for huge pages from the same size on.
SLACK = 64 << 20  # Bytes of free memory at the end of malloc's pool that are not returned to the system.
ALLOCATIONS = 20_000  # Objects of Python made, net of those freed, after which it looks for garbage among them.
SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# Signals that end a process when memory is short: the system sends the first, libraries die of the others.
SIGNALS_OF_MEMORY = {signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT}
_added: set[str] = set()  # Names of the environment variables that this module has set.


def configure_process() -> None:
    """Configure Python and libraries for GVC's use; call this before importing NumPy or torch and starting threads.

    OpenBLAS gets one thread, unless the environment says otherwise. GVC's matrices are small, so more threads gain
    little on an idle machine; on a busy one they wait for each other by spinning, which made coding ten times slower.
    For the same reason torch's threads wait without spinning. glibc gets one memory pool for all threads: with a pool
    for each, freed memory was a third of all memory, at the same speed.

    Large arrays get pages of their own, which return to the system when freed. By default glibc adapts and takes arrays
    of up to 32 MiB from the pool. Arrays that live longer, such as pictures that wait to be shown, then fragment the
    pool, and from GOP to GOP a process grew to twice the memory that it used.

    Python looks for garbage less often than by default: importing GVC makes a hundred thousand objects and no garbage,
    and looking for it took a fifth of the time until the first picture.
    """
    gc.set_threshold(ALLOCATIONS)
    _added.update(SETTINGS.keys() - os.environ.keys())
    for name in _added:
        os.environ[name] = SETTINGS[name]
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, SLACK)


def given_environment() -> dict[str, str]:
    """Return the environment without what `configure_process` added, for programs that are not GVC's own."""
    return {name: value for name, value in os.environ.items() if name not in _added}


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the length of the block."""
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
    """Restore the scheduling of this process's threads if a library changes it inside the block.

    If permitted, as for root, SVT-AV1 gives real-time priority 99 to its threads and to the one that opens it. As root,
    for instance in a container, GVC would then starve all other programs of a machine with few processors, FFmpeg
    among them.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in map(int, os.listdir("/proc/self/task")):
            with suppress(ProcessLookupError):  # The thread may have ended meanwhile.
                if os.sched_getscheduler(thread) == os.SCHED_FIFO != policy:
                    os.sched_setscheduler(thread, policy, parameters)


def abrupt_end(returncode: int) -> str:
    """Return a sentence on the signal that ended a child process, with the likely reason; "" without a signal.

    returncode: as in subprocess.Popen, negative for a signal.
    """
    if returncode >= 0:
        return ""
    hint = ", as when memory is short" if -returncode in SIGNALS_OF_MEMORY else ""
    return f"the process was ended by signal {-returncode}{hint}"


def give_back_memory() -> None:
    """Return freed memory to the system, also the free blocks between used ones, which glibc would keep.

    Without this each AV1 encoder, which uses tens of megabytes in small blocks, left the process larger.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
