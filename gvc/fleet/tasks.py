# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tasks, and what a worker does with them, wherever it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module

from ..errors import OptionError
from ..priors import Opener, open_prior

# Function that is told about each step of a slow model: (number of the GOP from 1, steps of its loop, step from 0).
OnStep = Callable[[int, int, int], None]

# Kinds of tasks: module of this package and its function (task, tools) -> result.
KINDS = {
    "hello": ("coding", "hello"),
    "encode": ("coding", "encode"),
    "analyse": ("bits", "analyse"),
    "greet": ("decoding", "greet"),
    "decode": ("decoding", "decode"),
}


def no_step(gop: int, steps: int, step: int) -> None:
    """Do nothing about a step."""


@dataclass(frozen=True)
class Task:
    """A piece of work for a worker.

    kind: one of KINDS.
    title: what people are told about it, such as "chain 12".
    terms: everything that it depends on, as JSON has it; default none.
    data: bytes that JSON cannot hold, such as pieces of the source or packets; default none.
    tries: number of this try, from 1.
    """

    kind: str
    title: str
    terms: Mapping[str, object] = field(default_factory=dict)
    data: bytes = b""
    tries: int = 1


@dataclass(frozen=True)
class Tools:
    """What a worker gives to its tasks.

    name: name of the worker for people.
    local: options that the worker decides (threads, device) instead of the task.
    opener: function that opens priors and keeps the last one.
    on_step: function that is told about steps.
    """

    name: str
    local: Mapping[str, object]
    opener: Opener
    on_step: OnStep

    def options(self, task: Task) -> dict[str, object]:
        """Return the options of a task as they hold for this worker."""
        return {**task.terms["options"], **self.local}


class Tasks:
    """The tasks of one worker, one at a time. The prior is opened once and kept.

    name: name of the worker for people.
    local: options that the worker decides itself (threads, device); default none.
    """

    def __init__(self, name: str, local: Mapping[str, object] | None = None):
        self._name, self._local = name, dict(local or {})
        self._opener = lru_cache(maxsize=1)(open_prior)

    def run(self, task: Task, on_step: OnStep = no_step) -> bytes:
        """Do a task and return its result. Raises GvcError and whatever its work raises."""
        if task.kind not in KINDS:
            raise OptionError(f"this worker knows no task {task.kind!r}; use the same version of GVC everywhere")
        module, function = KINDS[task.kind]
        work = getattr(import_module(f"{__package__}.{module}"), function)
        return work(task, Tools(self._name, self._local, self._opener, on_step))
