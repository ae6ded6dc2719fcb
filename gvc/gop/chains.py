# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoding of several chains at a time.

The stills of a chain are coded one after another, and take about a third of all work. Their encoder (SVT-AV1) uses a
few threads well. A larger team is busy only if it has the stills of several chains to code.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ..machine.parallel import inheriting
from ..plan.gops import Gop
from .pipeline import CodedGop, GopPipeline
from .rule import CurrentGop

THREADS_A_CHAIN = 3  # number of threads for each further open chain
MOST_CHAINS = 4  # largest number of open chains; each takes the memory of its pictures and of an AV1 encoder

NewPipeline = Callable[[], GopPipeline]  # function that makes a pipeline for a chain


def chains_for(threads: int) -> int:
    """Return how many chains a team should have open at a time."""
    return min(threads // THREADS_A_CHAIN + 1, MOST_CHAINS)


class ChainPipeline:
    """Codes the GOPs of a stream as GopPipeline does, and the chains of the stream side by side.

    No target of a GOP may depend on GOPs of other chains.

    new: function that makes a pipeline for a chain.
    most: largest number of open chains.
    """

    def __init__(self, new: NewPipeline, most: int):
        self._new, self._most = new, most
        self._results: deque[Future] = deque()  # lists of coded GOPs
        self._ends: deque[Future] = deque()  # those results that are the last ones of their chains
        self._thread: ThreadPoolExecutor | None = None  # thread of the current chain
        self._pipeline: GopPipeline | None = None  # its pipeline

    @property
    def current(self) -> CurrentGop:
        """The GOP that is being coded, or one of them."""
        return self._pipeline.current if self._pipeline else CurrentGop()

    def push(self, gop: Gop) -> Iterator[CodedGop]:
        """Begin with the next GOP."""
        if gop.key:
            self._end_chain()
            while len(self._ends) >= self._most:
                yield from self._results.popleft().result()
                self._forget_ended()
            self._pipeline, self._thread = self._new(), ThreadPoolExecutor(1, "gvc-chain")
        self._submit(self._pipeline.push, gop)
        yield from self.ready()

    def ready(self) -> Iterator[CodedGop]:
        """Return the GOPs that have been coded meanwhile, without waiting for any."""
        while self._results and self._results[0].done():
            yield from self._results.popleft().result()
        self._forget_ended()

    def finish(self) -> Iterator[CodedGop]:
        """Finish the GOPs that were begun."""
        self._end_chain()
        while self._results:
            yield from self._results.popleft().result()

    def close(self) -> None:
        """Give up the GOPs that were begun."""
        if self._thread:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _submit(self, method: Callable[..., Iterator[CodedGop]], *args: object) -> Future:
        self._results.append(self._thread.submit(inheriting(lambda: list(method(*args)))))
        return self._results[-1]

    def _end_chain(self) -> None:
        if self._thread:
            self._ends.append(self._submit(self._pipeline.finish))
            self._thread.shutdown(wait=False)
            self._thread = None

    def _forget_ended(self) -> None:
        while self._ends and self._ends[0].done():
            self._ends.popleft()
