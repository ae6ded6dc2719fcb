# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the user is told: progress, warnings, errors and the exit code. All on stderr; stdout is for data."""

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

import typer

from ..errors import StoppedError, exit_code, sentence
from ..terminal import visible
from .progress import Bar, Clock, Lines

Item = TypeVar("Item")

SHOWN = 5  # messages of FFmpeg about a damaged file


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def errors_reported(verbose: bool = False) -> Iterator[None]:
    """Turn every error, and the signals that ask a program to end, into one sentence on stderr and an exit code."""
    try:
        with _signals_raised():
            yield
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, typer.Exit | typer.Abort | typer.BadParameter):
            raise
        if verbose:
            print(visible(traceback.format_exc(), keep="\n"), end="", file=sys.stderr)
        print(f"gvc: {sentence(error)}", file=sys.stderr)
        raise typer.Exit(exit_code(error)) from None


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Let signals that would end the process be exceptions, so that it can clear away what is half written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not this thread's to handle
        return

    stopped = False

    def stop(number: int, _: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(number, signal.SIG_IGN)  # clearing away is not to be stopped half way
        raise KeyboardInterrupt if number == signal.SIGINT else StoppedError(number)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    heeded = {number: signal.getsignal(number) for number in STOPPING}  # nohup ignores SIGHUP
    heeded = {number: before for number, before in heeded.items() if before in usual}
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, before in heeded.items():  # what ends anyway may be ended at once, without a traceback
            signal.signal(number, signal.SIG_DFL if stopped else before)


def reported(command: Callable) -> Callable:
    """Wrap a command so that its errors are reported; it honours a parameter called `verbose`."""

    @wraps(command)
    def wrapper(*args: object, **kwargs: object) -> object:
        with errors_reported(bool(kwargs.get("verbose"))):
            return command(*args, **kwargs)

    return wrapper


class Report:
    """Progress and messages of one run; the messages may hold text of any origin.

    quiet: whether to print nothing but warnings, default False.
    clock: tells how long nothing was shown, default time.monotonic.
    """

    def __init__(self, quiet: bool = False, clock: Clock = time.monotonic):
        self.quiet, self._clock = quiet, clock
        self._progress: Bar | Lines | None = None

    def say(self, text: str) -> None:
        """Print a line unless the user asked for quiet."""
        if not self.quiet:
            print(visible(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """Print a warning, always."""
        print(f"gvc: warning: {visible(text)}", file=sys.stderr)

    def warn_of_pipe(self, other_tracks: int) -> None:
        """Warn that tracks beside the video are left out, if there are any: copying them reads the source again."""
        if other_tracks:
            self.warn(f"{other_tracks} other tracks are left out: a pipe can be read only once")

    def warn_of_damage(self, path: str | Path, messages: list[str]) -> None:
        """Print the first of what FFmpeg has said about a file."""
        for text in list(dict.fromkeys(messages))[:SHOWN]:
            self.warn(f"{path}: {text}")

    def progress(self, batches: Iterable[list[Item]], verb: str, total: int = 0) -> Iterator[Item]:
        """Pass the items of `batches` through and show how many: a bar on a terminal, plain lines otherwise."""
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
        """Show a step of the loop if `progress` has shown nothing for a while. May be called by any thread.

        gop: number of the GOP, from 1.
        steps: of its loop.
        step: index of the step, from 0.
        """
        if shown := self._progress:
            shown.step(f"GOP {gop}, step {step + 1} of {steps}")
