# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Errors of GVC. Each carries the stable integer code that the C library reports (`gvc.h`, `GVC_ERROR_*`)."""


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
