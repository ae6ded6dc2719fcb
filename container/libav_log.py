# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Collecting the messages of FFmpeg's libraries, which report some damage in no other way."""

import logging
from types import TracebackType
from typing import Self

import av.logging

KEPT = 100  # Largest number of different messages that are kept for a component; a damaged film may have millions

UNKNOWN_CODEC = "Unknown codec tag"  # Start of the NUT demuxer's message about GVC tracks, which is no damage


class ErrorLog(logging.Handler):
    """Context manager that collects the error messages of FFmpeg's libraries from all threads, each text once.

    A decoder that is freed inside the context must be flushed first (VideoReader.close), because its threads need
    Python's lock to log messages.
    """

    def __init__(self):
        super().__init__()
        self._logger = logging.getLogger("libav")  # PyAV logs FFmpeg's messages under this name
        self._texts: dict[str, dict[str, None]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        texts = self._texts.setdefault(record.name.removeprefix("libav."), {})
        text = record.getMessage()
        if len(texts) < KEPT and not text.startswith(UNKNOWN_CODEC):
            texts[text] = None

    def take(self, components: set[str]) -> list[str]:
        """Return the messages of demuxers and decoders with these names since the last call."""
        texts, self._texts = self._texts, {}
        return [f"{name}: {text}" for name in sorted(components) for text in texts.get(name, ())]

    def __enter__(self) -> Self:
        self._before = av.logging.get_level(), av.logging.get_skip_repeated(), self._logger.propagate
        self._logger.addHandler(self)
        self._logger.propagate = False
        # PyAV holds a repeated message back until a different one comes, which may never happen.
        av.logging.set_skip_repeated(False)
        av.logging.set_level(av.logging.ERROR)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        level, skip_repeated, self._logger.propagate = self._before
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skip_repeated)
        self._logger.removeHandler(self)
