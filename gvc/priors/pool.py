# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Priors that stay loaded and are shared by all users in a process."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from ..errors import PriorError
from ..extras import import_extra
from ..machine.file_state import FileState, file_states
from ..prior import ModelOptions, Prior
from . import FAMILIES, NotInstalledError, Opener, open_prior
from .lora_files import check_loras, lora_states, parse_loras
from .model_path import check_model_path, find_bundled
from .shared import FairLock, SharedPrior

Key = tuple[str, ModelOptions]  # (spec with a resolved folder, options)


@dataclass
class _Entry:
    """An opened prior. state: states of its files before they were read. users: number of current borrowers."""

    key: Key
    prior: Prior
    state: list[FileState] = field(default_factory=list)
    lock: FairLock = field(default_factory=FairLock)
    users: int = 0


class PriorPool:
    """Opens each prior once for each ModelOptions, for any number of threads.

    A model whose files have changed is loaded again; its current users keep the old one to the end. Before a model is
    loaded, unused ones are freed, so that it finds as much memory as in a process of its own. Models loaded by `keep`
    are never freed.

    log: function that gets a line for each model that is loaded or freed; default none.
    """

    def __init__(self, log: Callable[[str], None] = lambda _: None):
        self._log = log
        self._entries: dict[Key, _Entry] = {}
        self._kept: set[Key] = set()
        self._table = Lock()  # Guards the entries.
        self._loading = Lock()  # Held while a model is loaded, since two at a time would need memory for both.

    def keep(self, spec: str, options: ModelOptions) -> None:
        """Load a prior and keep it as long as the pool exists. Raises PriorError."""
        self._kept.add(self._take(spec, options, lambda: None).key)

    @contextmanager
    def lending(self, check: Callable[[], None]) -> Iterator[Opener]:
        """Yield a function that opens shared priors, valid until the end of the block.

        check: function called before each use of such a prior; an exception that it raises reaches the prior's user.
        """
        taken: list[_Entry] = []

        def opener(spec: str, options: ModelOptions) -> SharedPrior:
            taken.append(self._take(spec, options, check))
            return SharedPrior(taken[-1].prior, taken[-1].lock, check)

        try:
            yield opener
        finally:
            with self._table:
                for entry in taken:
                    entry.users -= 1

    def _take(self, spec: str, options: ModelOptions, check: Callable[[], None]) -> _Entry:
        """Return the entry of a prior and count one user more. Raises PriorError."""
        kind, _, path = spec.partition(":")
        if kind not in FAMILIES or not path:  # Bundled priors are small and not worth sharing.
            return _Entry((spec, options), open_prior(spec, options))
        check_loras(options.lora)
        folder = self._find(find_bundled(kind, path))
        key, state = (f"{kind}:{folder}", options), _state_of(folder, options.lora)
        if entry := self._known(key, state):
            return entry
        with self._loading:
            if entry := self._known(key, state):  # Another thread has loaded the model meanwhile.
                return entry
            check()
            return self._load(key, spec, state)

    def _find(self, path: str) -> Path:
        """Return the real folder of a model, fetched from the hub if needed. Raises PriorError."""
        check_model_path(path)
        if Path(path).is_dir():
            return Path(path).resolve()
        with self._loading:  # The lock also keeps several threads from importing large modules at the same time.
            loading = import_extra(f"{__package__}.loading", "models", f"the model {path}", NotInstalledError)
            return loading.find_model(path).resolve()

    def _known(self, key: Key, state: list[FileState]) -> _Entry | None:
        """Return the entry for files in exactly this state and count one user more; None if there is no such entry."""
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
        """Free the models that nobody uses, and the one with the key `outdated`, whose files have changed."""
        with self._table:
            for key, entry in list(self._entries.items()):
                if key == outdated:
                    self._log(f"the files of {key[0]} have changed")
                elif entry.users or key in self._kept:
                    continue
                else:
                    self._log(f"let go of {key[0]}")
                del self._entries[key], entry
        gc.collect()  # Networks have reference cycles, which only the collector frees.
        torch = sys.modules.get("torch")
        if torch and torch.cuda.is_available():
            torch.cuda.empty_cache()


def _state_of(folder: Path, loras: str) -> list[FileState]:
    """Return the states of all files of a model and its components, and of LoRAs. Raises PriorError."""
    try:
        return file_states(folder, ("*", "*/*")) + lora_states(parse_loras(loras))
    except OSError as error:
        raise PriorError(f"cannot read {folder} ({error.strerror}); fetch the model again") from error
