# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What FFmpeg's libraries print about damage, which they report in no other way."""

import logging
from types import TracebackType
from typing import Self

import av.logging

KEPT = 100  # different messages of a component; a broken film may have millions

UNKNOWN_CODEC = "Unknown codec tag"  # what NUT's demuxer says of GVC, which it does not know, and of no damage


class ErrorLog(logging.Handler):
    """Collects error messages of FFmpeg's libraries while it is entered, those of all threads, each text once.

    A decoder must be at rest when it is freed inside (VideoReader.close): its threads need Python for their messages.
    """

    def __init__(self):
        super().__init__()
        self._logger = logging.getLogger("libav")  # PyAV's name for it
        self._texts: dict[str, dict[str, None]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        texts = self._texts.setdefault(record.name.removeprefix("libav."), {})
        text = record.getMessage()
        if len(texts) < KEPT and not text.startswith(UNKNOWN_CODEC):
            texts[text] = None

    def take(self, components: set[str]) -> list[str]:
        """Return what `components` (demuxers and decoders by their names) have said since the last call."""
        texts, self._texts = self._texts, {}
        return [f"{name}: {text}" for name in sorted(components) for text in texts.get(name, ())]

    def __enter__(self) -> Self:
        self._before = av.logging.get_level(), av.logging.get_skip_repeated(), self._logger.propagate
        self._logger.addHandler(self)
        self._logger.propagate = False
        # PyAV holds a repeated message back until there is another one, which may be never.
        av.logging.set_skip_repeated(False)
        av.logging.set_level(av.logging.ERROR)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        level, skip_repeated, self._logger.propagate = self._before
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skip_repeated)
        self._logger.removeHandler(self)
