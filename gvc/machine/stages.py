# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Stages of the codec's work, announced to a listener, such as the stopwatch of `gvc bench`.

A listener hears the stages of its own thread only: what other threads do meanwhile costs that thread no time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Listener = Callable[[str], AbstractContextManager]  # gets a stage's name; the stage runs in the context that it returns

_of_thread = threading.local()  # Has the attribute `listener` in threads that have one.


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let a listener hear the stages of this thread inside the block."""
    before = getattr(_of_thread, "listener", None)
    _of_thread.listener = listener
    try:
        yield
    finally:
        _of_thread.listener = before


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Announce that the work inside the block, or inside the decorated function, belongs to a stage.

    Stages may lie inside each other. Without a listener this takes a few microseconds.
    """
    listener = getattr(_of_thread, "listener", None)
    if listener is None:
        yield
    else:
        with listener(name):
            yield
