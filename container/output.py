"""What all written media files share: tracks taken along from another file, and a proper end."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from .copy import FileCopier


class MediaOutput:
    """An open output file and the tracks that are copied into it; a context manager.

    Left by an exception, the file is closed as it is: nothing that is held back is written any more.
    """

    def __init__(self, output: av.container.OutputContainer, video: av.VideoStream, copy_from: str | Path | None):
        self._output = output
        self._copier = FileCopier(copy_from, output, video) if copy_from else None

    @property
    def skipped(self) -> list[str]:
        """A phrase for each track of `copy_from` that the output format cannot hold."""
        return self._copier.skipped if self._copier else []

    def close(self) -> None:
        """Write what is held back, the rest of the other tracks, and the end of the file."""
        self._drain()
        if self._copier:
            self._copier.copy_until(None)
            self._copier.close()
        self._output.close()

    def _drain(self) -> None:
        """Write what an encoder still holds."""

    def _copy_until(self, seconds: Fraction) -> None:
        if self._copier:
            self._copier.copy_until(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._output.close()
