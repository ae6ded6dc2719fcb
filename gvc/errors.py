# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Errors of GVC. Each carries the stable integer code that the C library reports (`gvc.h`, `GVC_ERROR_*`).

Programs of GVC end with an exit code that says what kind of error there was, after one sentence on it.
"""

import signal

from .terminal import visible


class GvcError(Exception):
    """Base of all errors raised by GVC; the message is one sentence: what is wrong and what to do."""

    code = -10


class BitstreamError(GvcError, ValueError):
    """Bytes that are not a valid GVC stream."""

    code = -11

    def __init__(self, element: str, offset: int, reason: str):
        super().__init__(f"invalid GVC data at byte {offset} ({element}): {reason}")
        self.element, self.offset, self.reason = element, offset, reason


class OptionError(GvcError, ValueError):
    """An option with an unknown name or a value outside its range."""

    code = -12


class PriorError(GvcError, LookupError):
    """The prior (generative model) that a stream or an option names is not available here."""

    code = -13


class RateError(GvcError, ValueError):
    """The requested bitrate is below the minimum that this material needs."""

    code = -14


class MediaError(GvcError, OSError):
    """A media file that cannot be opened, read or written."""

    code = -15


class EngineError(GvcError, RuntimeError):
    """The engine process could not be started, died, or speaks another protocol version."""

    code = -16


class MismatchError(GvcError):
    """Decoded pictures differ from the encoder's reconstruction."""


class StoppedError(KeyboardInterrupt):
    """A signal asks the program to end."""

    def __init__(self, number: int):
        super().__init__()
        self.signal = signal.Signals(number)


EXIT_RUNTIME = 1
EXIT_SIGNAL = 128  # added to a signal's number to give the exit code, as shells do
EXIT_CODES = (  # (code, meaning, errors that end with it); all other errors end with EXIT_RUNTIME
    (0, "done", ()),
    (EXIT_RUNTIME, "failed while running", ()),
    (2, "wrong usage", OptionError),
    (3, "bad input", (BitstreamError, MediaError)),
    (4, "the prior (generative model) is missing", PriorError),
    (5, "decoded pictures differ from the encoder's (--verify)", MismatchError),
    (130, "interrupted", KeyboardInterrupt),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code that tells a script what kind of error this is."""
    if isinstance(error, StoppedError):
        return EXIT_SIGNAL + error.signal
    return next((code for code, _, kinds in EXIT_CODES if isinstance(error, kinds)), EXIT_RUNTIME)


def sentence(error: BaseException) -> str:
    """Return what to print for an error: one line that a terminal shows as it is, no traceback."""
    return visible(_sentence(error))


def _sentence(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"ended by {error.signal.name}" if isinstance(error, StoppedError) else "interrupted"
    if isinstance(error, GvcError):
        return str(error)
    if isinstance(error, BrokenPipeError):
        return "the program that reads the output has ended"
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller picture or shorter GOPs"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {error} (add -v to see where)"
