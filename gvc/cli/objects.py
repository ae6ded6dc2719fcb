# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Progress and messages for programs (--progress json): one JSON object a line on stderr."""

import json
import sys
from threading import Event, Thread
from typing import Self

from .progress import Stage, Step

SECONDS_BETWEEN_OBJECTS = 0.1  # Least time in seconds between two objects about the progress of a stage


def write_object(kind: str, **values: object) -> None:
    """Write one object, at once. Its keys are `type`, which is `kind`, and those of `values`."""
    sys.stderr.write(json.dumps({"type": kind, **values}) + "\n")
    sys.stderr.flush()


class Objects:
    """Shows a stage as objects: one at its beginning and its end, and others where something has changed.

    A thread writes them, so a change that nothing follows for minutes is told as well as one of many.
    """

    def __init__(self, stage: Stage, _: object):
        self._stage = stage
        self._changed, self._ended = False, Event()
        self._thread = Thread(target=self._watch, name="gvc-progress", daemon=True)

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._write()

    def advanced(self) -> None:
        self._changed = True

    def stepped(self, chain: int | None) -> None:
        self._changed = True

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_OBJECTS):
            if self._changed:
                self._write()

    def _write(self) -> None:
        with self._stage.lock:
            self._changed = False
            values = _facts(self._stage)
        write_object("progress", **values)


def _facts(stage: Stage) -> dict[str, object]:
    """Return the keys of an object about progress, which docs/PROGRESS.md describes."""
    gop, steps, step = stage.at_work.get(stage.latest, Step(None, None, None))
    return {
        "stage": stage.name,
        "chain": stage.latest,
        "chains": stage.chains or None,
        "chains_done": stage.chains_done if stage.chains else None,
        "gop": gop,
        "step": step,
        "steps": steps,
        "pictures": stage.pictures,
        "total": stage.total or None,
        "pictures_per_second": round(stage.rate, 3),
        "eta": None if stage.remaining is None else round(stage.remaining, 1),
        "bytes": stage.size,
    }
