# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Progress and messages for programs (--progress json): one JSON object a line on stderr."""

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from threading import Event, Thread
from typing import Self, TextIO

from ..terminal import visible
from .progress import Stage, Step

SECONDS_BETWEEN_OBJECTS = 0.1  # Least time in seconds between two objects about the progress of a stage


def write_object(kind: str, **values: object) -> None:
    """Write one object, at once. Its keys are `type`, which is `kind`, and those of `values`."""
    stream = sys.stderr.stream if isinstance(sys.stderr, _Text) else sys.stderr
    stream.write(json.dumps({"type": kind, **values}) + "\n")
    stream.flush()


class _Text(io.TextIOBase):
    """A stream for text; each of its lines becomes a message. stream: stream that gets the objects."""

    def __init__(self, stream: TextIO):
        self.stream, self._begun = stream, ""

    def write(self, text: str) -> int:
        *lines, self._begun = re.split(r"[\r\n]", self._begun + text)
        for line in filter(str.strip, lines):
            write_object("message", text=visible(line))
        return len(text)

    def fileno(self) -> int:
        return self.stream.fileno()


@contextmanager
def text_as_objects() -> Iterator[None]:
    """Turn what Python libraries print on stderr inside the block, such as warnings, into objects."""
    with redirect_stderr(_Text(sys.stderr)):
        try:
            yield
        finally:
            print(file=sys.stderr)  # Ends the last line


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
