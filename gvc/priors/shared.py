# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A prior that several threads use at once, each for a video of its own.

What is shared is the opened model: its networks, their memory and whatever hooks move them to an accelerator. None of
that can do two things at the same time, so the uses of a model take turns. All that belongs to one video, latents,
noise, search and entropy coding among it, is done outside of the turns and overlaps.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from threading import Lock

from ..prior import Array, Condition, Prior


class Turns:
    """A lock for `with`. Whoever releases it and wants it again queues behind those who wait already."""

    def __init__(self):
        self._next, self._now = Lock(), Lock()

    def __enter__(self) -> None:
        with self._next:
            self._now.acquire()

    def __exit__(self, *_: object) -> None:
        self._now.release()


class _Shared:
    """What all users see of one thing: its attributes, and its methods in turns.

    turn: makes the context in which a method runs.
    """

    def __init__(self, shared: object, turn: Callable[[], AbstractContextManager]):
        self._shared, self._turn = shared, turn

    def __getattr__(self, name: str) -> object:
        value = getattr(self._shared, name)
        if not callable(value):
            return value

        @wraps(value)
        def in_turn(*args: object, **keywords: object) -> object:
            with self._turn():
                return value(*args, **keywords)

        return in_turn


class SharedPrior(_Shared):
    """A prior as one of its users sees it; implements gvc.prior.Prior.

    turns: of all users of the prior.
    check: called before each use; it raises when this user is gone, so that nobody computes for a closed window.
    """

    def __init__(self, prior: Prior, turns: Turns, check: Callable[[], None]):
        @contextmanager
        def turn() -> Iterator[None]:
            with turns:
                check()
                yield

        super().__init__(prior, turn)

    def condition(self, condition: Condition, side: bytes) -> "SharedConditioned":
        """Prepare the prior for one GOP."""
        with self._turn():
            return SharedConditioned(self._shared.condition(condition, side), self._turn)


class SharedConditioned(_Shared):
    """A shared prior for one GOP; implements gvc.prior.ConditionedPrior."""

    def zeros(self) -> Array:
        """Return a new latent vector, which is the user's own."""
        return self._shared.zeros()
