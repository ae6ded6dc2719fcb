# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Priors that stay loaded for all the users of a process."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from ..errors import PriorError
from ..machine.file_state import FileState, file_states
from ..prior import ModelOptions, Prior
from . import FAMILIES, Opener, open_prior
from .model_path import check_place
from .shared import SharedPrior, Turns

Key = tuple[str, ModelOptions]  # the spec with its folder resolved


@dataclass
class _Entry:
    """An opened prior. state: of its files before they were read."""

    key: Key
    prior: Prior
    state: list[FileState] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)
    users: int = 0


class PriorPool:
    """Opens each prior once for each ModelOptions, for any number of threads.

    A model whose files have changed since is loaded anew; who uses the old one keeps it to the end. Before a model is
    loaded, those that nobody uses are let go, so that it finds as much memory as in a process of its own; except those
    that were asked for with `keep`.

    log: is told what is loaded and dropped.
    """

    def __init__(self, log: Callable[[str], None] = lambda _: None):
        self._log = log
        self._entries: dict[Key, _Entry] = {}
        self._kept: set[Key] = set()
        self._table = Lock()  # held while entries are looked at
        self._loading = Lock()  # held while one is made: two at a time would need memory for both

    def keep(self, spec: str, options: ModelOptions) -> None:
        """Load a prior and never let it go. Raises PriorError."""
        self._kept.add(self._take(spec, options, lambda: None).key)

    @contextmanager
    def lending(self, check: Callable[[], None]) -> Iterator[Opener]:
        """Give a way to open priors that is good until the end of the block.

        check: called before each use of such a prior; what it raises goes to the caller of the prior.
        """
        taken: list[_Entry] = []

        def opener(spec: str, options: ModelOptions) -> SharedPrior:
            taken.append(self._take(spec, options, check))
            return SharedPrior(taken[-1].prior, taken[-1].turns, check)

        try:
            yield opener
        finally:
            with self._table:
                for entry in taken:
                    entry.users -= 1

    def _take(self, spec: str, options: ModelOptions, check: Callable[[], None]) -> _Entry:
        """Return the entry of a prior, with one user more. Raises PriorError."""
        kind, _, place = spec.partition(":")
        if kind not in FAMILIES or not place:  # has no weights: there is nothing to keep
            return _Entry((spec, options), open_prior(spec, options))
        folder = self._find(place)
        key, state = (f"{kind}:{folder}", options), _state_of(folder)
        if entry := self._known(key, state):
            return entry
        with self._loading:
            if entry := self._known(key, state):  # another has loaded it meanwhile
                return entry
            check()
            return self._load(key, spec, state)

    def _find(self, place: str) -> Path:
        """Return the real folder of a model. Raises PriorError."""
        check_place(place)
        if Path(place).is_dir():
            return Path(place).resolve()
        with self._loading:  # large modules, too, are better not imported by several threads at once
            from .loading import find_model

            return find_model(place).resolve()

    def _known(self, key: Key, state: list[FileState]) -> _Entry | None:
        """Return the entry of these very files, with one user more."""
        with self._table:
            entry = self._entries.get(key)
            if entry is None or entry.state != state:
                return None
            entry.users += 1
            return entry

    def _load(self, key: Key, spec: str, state: list[FileState]) -> _Entry:
        self._let_go(key)
        started = time.monotonic()
        entry = _Entry(key, open_prior(spec, key[1]), state, users=1)
        self._log(f"loaded {spec} for {key[1].device} in {time.monotonic() - started:.1f} s")
        with self._table:
            self._entries[key] = entry
        return entry

    def _let_go(self, outdated: Key) -> None:
        """Forget the models that nobody uses, and one whose files have changed."""
        with self._table:
            for key, entry in list(self._entries.items()):
                if key == outdated:
                    self._log(f"the files of {key[0]} have changed")
                elif entry.users or key in self._kept:
                    continue
                else:
                    self._log(f"let go of {key[0]}")
                del self._entries[key], entry
        gc.collect()  # networks have reference cycles
        torch = sys.modules.get("torch")
        if torch and torch.cuda.is_available():
            torch.cuda.empty_cache()


def _state_of(folder: Path) -> list[FileState]:
    """Return the states of all files of a model and its components. Raises PriorError."""
    try:
        return file_states(folder, ("*", "*/*"))
    except OSError as error:
        raise PriorError(f"cannot read {folder} ({error.strerror}); fetch the model again") from error
