"""What FFmpeg's libraries print about damage, which they report in no other way."""

from types import TracebackType
from typing import Self

import av.logging


class ErrorLog:
    """Collects error messages of FFmpeg's libraries while it is entered, those of all threads.

    A decoder must be at rest when it is freed inside (VideoReader.close): its threads need Python for their messages.
    """

    def __init__(self):
        self._capture = av.logging.Capture(local=False)
        self._entries: list[tuple[int, str, str]] = []

    def take(self, components: set[str]) -> list[str]:
        """Return what `components` (demuxers and decoders by their names) have said since the last call, each once."""
        entries = [self._entries.pop(0) for _ in range(len(self._entries))]  # threads may add some meanwhile
        return list(dict.fromkeys(f"{name}: {text.strip()}" for _, name, text in entries if name in components))

    def __enter__(self) -> Self:
        self._level = av.logging.get_level()
        self._entries = self._capture.__enter__()
        av.logging.set_level(av.logging.ERROR)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        av.logging.set_level(self._level)
        self._capture.__exit__(kind, error, trace)
