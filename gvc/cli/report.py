# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Messages for the user: progress, warnings, errors and the exit code. All text goes to stderr; stdout is for data."""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TypeVar

from ..errors import StoppedError, exit_code, sentence
from ..terminal import visible
from .objects import Objects, text_as_objects, write_object
from .progress import Bar, Clock, Lines, Stage, Step

Item = TypeVar("Item")

MESSAGES = 5  # Largest number of FFmpeg's messages about a damaged file that are printed
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Signals that ask a program to end


@contextmanager
def errors_reported(verbose: bool = False, as_json: bool = False) -> Iterator[None]:
    """Turn every error, and every signal in STOPPING, into one sentence on stderr and an exit code.

    verbose: whether to print the traceback as well. Default: not.
    as_json: whether to print one JSON object instead. Default: not.
    """
    try:
        with _signals_raised():
            yield
    except (Exception, KeyboardInterrupt) as error:
        trace = visible(traceback.format_exc(), keep="\n") if verbose else ""
        if as_json:
            write_object("error", text=sentence(error), code=exit_code(error), traceback=trace or None)
        else:
            print(f"{trace}gvc: {sentence(error)}", file=sys.stderr)
        raise SystemExit(exit_code(error)) from None


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Turn signals that would end the process into exceptions, so that incomplete files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread can handle signals
        return

    stopped = False

    def stop(number: int, _: object) -> None:
        nonlocal stopped
        if stopped:
            return  # A second signal must not interrupt the removal of incomplete files
        stopped = True
        raise KeyboardInterrupt if number == signal.SIGINT else StoppedError(number)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    # Handlers that somebody has set on purpose stay, such as nohup's, which ignores SIGHUP.
    replaced = {number: before for number, before in handlers.items() if before in usual}
    for number in replaced:
        signal.signal(number, stop)
    try:
        yield
    finally:
        # After a signal the process is about to end, so another one may end it at once, without a traceback.
        for number, before in replaced.items():
            signal.signal(number, signal.SIG_DFL if stopped else before)


def reported(command: Callable) -> Callable:
    """Wrap a command so that its errors are reported, in the form that its parameters ask for.

    With `verbose` there is a traceback, with `progress` "json" an object.
    """

    @wraps(command)
    def wrapper(*args: object, **kwargs: object) -> object:
        as_json = kwargs.get("progress") == Shown.JSON
        with errors_reported(bool(kwargs.get("verbose")), as_json), text_as_objects() if as_json else nullcontext():
            return command(*args, **kwargs)

    return wrapper


class Shown(StrEnum):
    """How progress is shown (--progress)."""

    AUTO = "auto"  # A bar on a terminal, lines otherwise
    BAR = "bar"
    LINES = "lines"
    JSON = "json"  # Messages are objects too
    NONE = "none"


VIEWS = {Shown.BAR: Bar, Shown.LINES: Lines, Shown.JSON: Objects}


class Report:
    """Progress and messages of one command. Control characters in messages are made visible.

    quiet: whether only warnings and errors are printed. Default: False.
    clock: function that returns a time in seconds, to tell how long nothing was shown. Default: time.monotonic.
    shown: form of progress and messages. Default: a bar on a terminal, lines otherwise.
    """

    def __init__(self, quiet: bool = False, clock: Clock = time.monotonic, shown: Shown = Shown.AUTO):
        self.quiet, self._clock, self._shown = quiet, clock, shown
        self._stage: Stage | None = None

    def say(self, text: str, **facts: object) -> None:
        """Print a line unless the report is quiet.

        facts: what the line says, for programs; it makes the line a summary. Default: nothing.
        """
        if self.quiet:
            return
        if self._shown == Shown.JSON:
            write_object("summary" if facts else "message", text=visible(text), **facts)
        else:
            print(visible(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """Print a warning, also if the report is quiet."""
        if self._shown == Shown.JSON:
            write_object("warning", text=visible(text))
        else:
            print(f"gvc: warning: {visible(text)}", file=sys.stderr)

    def warn_of_pipe(self, other_tracks: int) -> None:
        """Warn that the other tracks of a pipe are left out, if it has any. Copying them needs a second reading."""
        if other_tracks:
            self.warn(f"{other_tracks} other tracks are left out: a pipe can be read only once")

    def warn_of_damage(self, path: str | Path, messages: list[str]) -> None:
        """Print the first of FFmpeg's messages about a damaged file."""
        for text in list(dict.fromkeys(messages))[:MESSAGES]:
            self.warn(f"{path}: {text}")

    @contextmanager
    def stage(self, name: str, total: int = 0, chains: int = 0) -> Iterator[None]:
        """Show the progress of a stage while the block runs.

        name: one of gvc.cli.progress.VERBS.
        total: expected number of frames. Default: unknown.
        chains: number of chains known so far. Default: chains are not told apart.
        """
        auto = Shown.BAR if sys.stderr.isatty() else Shown.LINES
        view = VIEWS.get(auto if self._shown == Shown.AUTO else self._shown)
        if self.quiet or not view:
            yield
            return
        stage = Stage(name, total, chains, self._clock)
        with view(stage, self._clock) as shown:
            stage.show(shown)
            self._stage = stage
            try:
                yield
            finally:
                self._stage = None

    def progress(
        self,
        batches: Iterable[list[Item]],
        name: str,
        total: int = 0,
        size_of: Callable[[Item], int] | None = None,
    ) -> Iterator[Item]:
        """Yield the items of all batches and show progress, an item being a frame.

        batches: lists of items.
        name, total: arguments of `stage`.
        size_of: function that returns the bytes of an item. Default: nothing is written.
        """
        with self.stage(name, total):
            for batch in batches:
                yield from batch
                if batch and (stage := self._stage):
                    stage.advance(len(batch), sum(map(size_of, batch)) if size_of else None)

    # Any thread may call the following methods; outside of a stage they do nothing.

    def expect(self, total: int, chains: int) -> None:
        """Set the expected number of frames of the stage, 0 = unknown, and the number of chains known so far."""
        if stage := self._stage:
            stage.expect(total, chains)

    def step(self, gop: int, steps: int, step: int) -> None:
        """Show a step of the loop where chains are not told apart, if nothing else was shown for some time.

        gop: number of the GOP, from 1.
        steps: number of steps of its loop.
        step: index of the step, from 0.
        """
        if stage := self._stage:
            stage.step(None, Step(gop, steps, step + 1))

    def chain_step(self, chain: int, gop: int, steps: int, step: int) -> None:
        """Show a step of the loop in a chain. chain: its number. gop, steps, step: as in `step`."""
        if stage := self._stage:
            stage.step(chain, Step(gop, steps, step + 1))

    def chain_done(self, chain: int, pictures: int, size: int | None, *, earlier: bool = False) -> None:
        """Show that a chain is done.

        chain: number of the chain.
        pictures: number of its frames.
        size: its bytes; None where nothing is written, as in decoding.
        earlier: whether an earlier run has coded it, so that it says nothing about speed. Default: not.
        """
        if stage := self._stage:
            stage.advance(pictures, size, chain, earlier)

    def chain_failed(self, chain: int) -> None:
        """Show that a chain is at work no more without being done. chain: its number."""
        if stage := self._stage:
            stage.give_up(chain)
