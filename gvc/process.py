"""Settings of the processes that are GVC's own (the engine and the command line)."""

import ctypes
import os

M_ARENA_MAX = -8  # of glibc's mallopt


def settle() -> None:
    """Make NumPy and the allocator fit for what GVC does; call before importing NumPy and starting threads.

    The matrices of a transform are small. On a busy machine OpenBLAS's threads wait for each other by spinning, which
    was seen to make coding ten times slower; on an idle one they gain little. So it gets one, unless the environment
    says otherwise. And glibc keeps freed memory for each thread, which for pictures in a few threads was a third of
    all memory; one pool for all is as fast.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
