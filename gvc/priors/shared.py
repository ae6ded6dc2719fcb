# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A prior that several threads use at once, each for a video of its own.

The opened model is shared: its networks, their memory and the hooks that move them to an accelerator. None of these can
do two things at the same time, so each use of the model holds a lock. Work that belongs to one video (latents, noise,
search, entropy coding) is done outside the lock and runs in parallel.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from threading import Lock

from ..prior import Array, Condition, Prior


class FairLock:
    """A lock for `with` statements that serves threads in the order in which they ask.

    A thread that releases the lock and wants it again queues behind the threads that wait already.
    """

    def __init__(self):
        self._next, self._now = Lock(), Lock()

    def __enter__(self) -> None:
        with self._next:
            self._now.acquire()

    def __exit__(self, *_: object) -> None:
        self._now.release()


class _Shared:
    """A view of an object that several users share: its attributes as they are, its methods under a lock.

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

    lock: the lock that all users of the prior share; not used for a prior that is `concurrent`.
    check: function called before each use; raises when this user is gone, so that no work is done for a closed player.
    """

    def __init__(self, prior: Prior, lock: FairLock, check: Callable[[], None]):
        @contextmanager
        def turn() -> Iterator[None]:
            with nullcontext() if prior.concurrent else lock:
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

    def low_band(self, size: int) -> "SharedConditioned":
        """Return the flow at low resolution."""
        with self._turn():
            return SharedConditioned(self._shared.low_band(size), self._turn)
