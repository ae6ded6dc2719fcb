# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Messages for the user: progress, warnings, errors and the exit code. All text goes to stderr; stdout is for data."""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import TypeVar

from ..errors import StoppedError, exit_code, sentence
from ..terminal import visible
from .progress import Bar, Clock, Lines

Item = TypeVar("Item")

SHOWN = 5  # Largest number of FFmpeg's messages about a damaged file that are printed
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Signals that ask a program to end


@contextmanager
def errors_reported(verbose: bool = False) -> Iterator[None]:
    """Turn every error, and every signal in STOPPING, into one sentence on stderr and an exit code.

    verbose: whether to print the traceback as well. Default: not.
    """
    try:
        with _signals_raised():
            yield
    except (Exception, KeyboardInterrupt) as error:
        if verbose:
            print(visible(traceback.format_exc(), keep="\n"), end="", file=sys.stderr)
        print(f"gvc: {sentence(error)}", file=sys.stderr)
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
        stopped = True
        signal.signal(number, signal.SIG_IGN)  # A second signal must not interrupt the removal of incomplete files
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
    """Wrap a command so that its errors are reported, with a traceback if its parameter `verbose` is true."""

    @wraps(command)
    def wrapper(*args: object, **kwargs: object) -> object:
        with errors_reported(bool(kwargs.get("verbose"))):
            return command(*args, **kwargs)

    return wrapper


class Report:
    """Progress and messages of one command. Control characters in messages are made visible.

    quiet: whether only warnings and errors are printed. Default: False.
    clock: function that returns a time in seconds, to tell how long nothing was shown. Default: time.monotonic.
    """

    def __init__(self, quiet: bool = False, clock: Clock = time.monotonic):
        self.quiet, self._clock = quiet, clock
        self._progress: Bar | Lines | None = None

    def say(self, text: str) -> None:
        """Print a line unless the report is quiet."""
        if not self.quiet:
            print(visible(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """Print a warning, also if the report is quiet."""
        print(f"gvc: warning: {visible(text)}", file=sys.stderr)

    def warn_of_pipe(self, other_tracks: int) -> None:
        """Warn that the other tracks of a pipe are left out, if it has any. Copying them needs a second reading."""
        if other_tracks:
            self.warn(f"{other_tracks} other tracks are left out: a pipe can be read only once")

    def warn_of_damage(self, path: str | Path, messages: list[str]) -> None:
        """Print the first of FFmpeg's messages about a damaged file."""
        for text in list(dict.fromkeys(messages))[:SHOWN]:
            self.warn(f"{path}: {text}")

    def progress(self, batches: Iterable[list[Item]], verb: str, total: int = 0) -> Iterator[Item]:
        """Yield the items of all batches and show progress: a bar on a terminal, plain lines otherwise.

        batches: lists of items.
        verb: activity, such as "encoding".
        total: expected number of items. Default: unknown.
        """
        if self.quiet:
            yield from chain.from_iterable(batches)
            return
        with (Bar if sys.stderr.isatty() else Lines)(verb, total, self._clock) as shown:
            self._progress = shown
            try:
                for batch in batches:
                    yield from batch
                    shown.advance(len(batch))
            finally:
                self._progress = None

    def step(self, gop: int, steps: int, step: int) -> None:
        """Show a step of the loop if `progress` has shown nothing for some time. Any thread may call this.

        gop: number of the GOP, from 1.
        steps: number of steps of its loop.
        step: index of the step, from 0.
        """
        if shown := self._progress:
            shown.step(f"GOP {gop}, step {step + 1} of {steps}")
