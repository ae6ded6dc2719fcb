"""A prior that several threads use at once, each for a video of its own.

What is shared is the opened model: its networks, their memory and whatever hooks move them to an accelerator. None of
that can do two things at the same time, so the uses of a model take turns. All that belongs to one video, latents,
noise, search and entropy coding among it, is done outside of the turns and overlaps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from .base import Analysis, Array, Clip, Condition, ConditionedPrior, Prior


class Turns:
    """A lock for `with`. Whoever releases it and wants it again queues behind those who wait already."""

    def __init__(self):
        self._next, self._now = Lock(), Lock()

    def __enter__(self) -> None:
        with self._next:
            self._now.acquire()

    def __exit__(self, *_: object) -> None:
        self._now.release()


class SharedPrior:
    """A prior as one of its users sees it; implements gvc.priors.base.Prior.

    turns: of all users of the prior.
    check: called before each use; it raises when this user is gone, so that nobody computes for a closed window.
    """

    def __init__(self, prior: Prior, turns: Turns, check: Callable[[], None]):
        self.name, self.weights_hash, self.modes = prior.name, prior.weights_hash, prior.modes
        self.sample_scale = prior.sample_scale
        self._prior, self._turns, self._check = prior, turns, check

    def analyse(self, condition: Condition, clip: Clip) -> Analysis:
        with self.turn():
            return self._prior.analyse(condition, clip)

    def condition(self, condition: Condition, side: bytes) -> "SharedConditioned":
        with self.turn():
            return SharedConditioned(self._prior.condition(condition, side), self.turn)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until the model is free, and have it."""
        with self._turns:
            self._check()
            yield


class SharedConditioned:
    """A shared prior for one GOP; implements gvc.priors.base.ConditionedPrior."""

    def __init__(self, conditioned: ConditionedPrior, turn: Callable):
        self.blocks, self.size, self.tail = conditioned.blocks, conditioned.size, conditioned.tail
        self.zeros = conditioned.zeros  # of the user's own video
        self._conditioned, self._turn = conditioned, turn

    @property
    def memory(self) -> object:
        return self._conditioned.memory

    def velocity(self, x: Array, t: float) -> Array:
        with self._turn():
            return self._conditioned.velocity(x, t)

    def encode_latent(self, clip: Clip) -> Array:
        with self._turn():
            return self._conditioned.encode_latent(clip)

    def decode_latent(self, x0: Array, realism: float) -> Clip:
        with self._turn():
            return self._conditioned.decode_latent(x0, realism)
