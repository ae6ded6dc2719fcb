"""Threads of the processes that are GVC's own (the engine and the command line)."""

import os


def keep_blas_single() -> None:
    """Let NumPy multiply matrices on one thread unless the environment says otherwise; call before importing it.

    The matrices of a transform are small. On a busy machine OpenBLAS's threads wait for each other by spinning, which
    was seen to make coding ten times slower; on an idle one they gain little.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
