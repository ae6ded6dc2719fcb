"""Settings of the processes that are GVC's own (the engine and the command line)."""

import ctypes
import os

M_ARENA_MAX = -8  # of glibc's mallopt


def settle() -> None:
    """Make libraries fit for what GVC does; call before importing NumPy or torch and starting threads.

    The matrices of a transform are small. On a busy machine OpenBLAS's threads wait for each other by spinning, which
    was seen to make coding ten times slower; on an idle one they gain little. So it gets one, and torch's threads wait
    without spinning, unless the environment says otherwise. And glibc keeps freed memory for each thread, which for
    pictures in a few threads was a third of all memory; one pool for all is as fast.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
