# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Stages of the codec's work, announced to a listener, such as the stopwatch of `gvc bench`.

A listener only hears the stages of its own thread, since the work of other threads takes no time of that thread.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Listener = Callable[[str], AbstractContextManager]  # function: name of a stage -> context in which the stage runs

_of_thread = threading.local()  # Has the attribute `listener` in threads that have one.


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Announce the stages of this thread to a listener inside the block."""
    before = getattr(_of_thread, "listener", None)
    _of_thread.listener = listener
    try:
        yield
    finally:
        _of_thread.listener = before


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Announce that the work inside the block, or inside the decorated function, belongs to a stage.

    Stages may be nested. Without a listener this takes a few microseconds.
    """
    listener = getattr(_of_thread, "listener", None)
    if listener is None:
        yield
    else:
        with listener(name):
            yield
