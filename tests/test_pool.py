# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Shared priors: which users wait for others, and which models stay loaded."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gvc.prior import ModelOptions
from gvc.priors.pool import PriorPool
from gvc.priors.shared import FairLock, SharedPrior


class Network:
    """A prior that notices when it is used by two threads at once."""

    name, weights_hash, modes, adaptive_modes, cheap_steps = "toy/1", bytes(8), ("t2v",), (), True
    concurrent, sample_scale = False, 1.0
    blocks, size, tail, memory = [slice(0, 1)], 1, [], "memory"

    def __init__(self):
        self._busy, self.calls = threading.Lock(), 0

    def use(self, *_):
        assert self._busy.acquire(blocking=False), "used twice at once"
        for _ in range(10):
            os.sched_yield()
        self.calls += 1
        self._busy.release()
        return self

    analyse = condition = velocity = encode_latent = decode_latent = use

    def zeros(self):
        return [0.0]


def use_all(prior: SharedPrior) -> None:
    """Call each method of a prior once, as for a GOP."""
    prior.analyse(None, None)
    conditioned = prior.condition(None, b"")
    assert (conditioned.size, conditioned.memory, conditioned.zeros()) == (1, "memory", [0.0])
    conditioned.encode_latent(None)
    conditioned.velocity(None, 1.0)
    conditioned.decode_latent(None, 0.0)


def test_a_network_does_one_thing_at_a_time():
    network, lock, together = Network(), FairLock(), threading.Barrier(4)

    def work():
        prior = SharedPrior(network, lock, lambda: None)
        together.wait()
        for _ in range(20):
            use_all(prior)

    with ThreadPoolExecutor(4) as pool:
        for result in [pool.submit(work) for _ in range(4)]:
            result.result()
    assert network.calls == 4 * 20 * 5


def test_nothing_is_computed_for_who_is_gone():
    network, lock, gone = Network(), FairLock(), []

    def check():
        if gone:
            raise ConnectionError

    prior = SharedPrior(network, lock, check)
    conditioned = prior.condition(None, b"")
    gone.append(True)
    with pytest.raises(ConnectionError):
        conditioned.velocity(None, 1.0)
    assert network.calls == 1
    use_all(SharedPrior(network, lock, lambda: None))  # The lock was released.


def test_models_that_nobody_uses_make_room(tmp_path: Path):
    from tiny_wan import build_tiny_wan

    spec, log = f"wan:{build_tiny_wan(tmp_path, 't2v')}", []
    pool = PriorPool(lambda line: log.append(line.split(" ")[0]))

    def lend(options: ModelOptions):
        with pool.lending(lambda: None) as opener:
            return opener(spec, options).weights_hash

    plain, tiled, half = ModelOptions(), ModelOptions(tiling=True), ModelOptions(dtype="bfloat16")
    assert lend(plain) == lend(plain)
    assert log == ["loaded"]
    pool.keep(spec, tiled)
    assert log == ["loaded", "let", "loaded"]
    with pool.lending(lambda: None) as opener:
        opener(spec, half)
        lend(plain)
        assert log[3:] == ["loaded", "loaded"], "one is used and one is kept"
    lend(half)
    lend(tiled)
    assert log[5:] == []
