# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The cheap pass over a source that finds its chains, while chains that are known are coded already."""

from collections.abc import Callable, Iterator
from threading import Event, Thread

from gvc_container.source import VideoSource

from ..media import Picture
from ..plan.gops import ChainSplitter
from .plan import Chain, planned


class _StoppedError(Exception):
    """The pass is not wanted any more."""


class Planning:
    """Reads a source in a thread of its own.

    video: source, from which no picture was taken yet; nobody else may use it before `stop`.
    splitter: divider into chains.
    on_chain: function that gets each chain as soon as it is known, in that thread.
    on_end: function that gets None at the end of the source, or the error that has ended the pass.
    """

    def __init__(
        self,
        video: VideoSource,
        splitter: ChainSplitter,
        on_chain: Callable[[Chain], object],
        on_end: Callable[[Exception | None], object],
    ):
        self._video, self._splitter = video, splitter
        self._on_chain, self._on_end = on_chain, on_end
        self._unwanted, self._thread = Event(), Thread(target=self._run, name="planning", daemon=True)

    @property
    def has_begun(self) -> bool:
        """Whether reading was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Start reading, unless that was done before."""
        if not self.has_begun:
            self._thread.start()

    def stop(self) -> None:
        """End reading after the current picture; wait for that."""
        self._unwanted.set()
        if self.has_begun:
            self._thread.join()

    def _run(self) -> None:
        try:
            for chain in planned(self._pictures(), self._splitter, self._video.format):
                self._on_chain(chain)
            self._on_end(None)
        except _StoppedError:
            pass
        except Exception as error:
            self._on_end(error)

    def _pictures(self) -> Iterator[Picture]:
        for picture in self._video.pictures():
            if self._unwanted.is_set():
                raise _StoppedError
            yield picture
