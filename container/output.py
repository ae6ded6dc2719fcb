# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The common part of all writers of media files: tracks that are copied from another file, and orderly closing."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import av

from .clock import FrameClock
from .copy import FileCopier
from .span import WHOLE, Span
from .trial import lost_side_data

STDOUT = "-"
# Side data of single pictures whose loss is worth a warning, by PyAV's names. Other kinds are encoders' own notes.
PICTURE_DATA = {
    "A53_CC": "closed captions (A/53)",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}


def url(path: str | Path) -> str:
    """Return FFmpeg's name for a file; "-" = standard output."""
    return "pipe:1" if str(path) == STDOUT else str(path)


# Errors that concern a packet, this one or one that the muxer held back. All other errors concern the file.
REFUSALS = (av.error.ArgumentError, av.error.InvalidDataError, av.error.PatchWelcomeError)


class MediaOutput:
    """An open output file with the tracks that are copied into it; a context manager.

    When an exception leaves the context, the file is closed without writing what is held back.

    Args:
        output: file to write; this object closes it.
        add_video: function that adds the video track, in the place of the replaced one.
        copy_from: file whose content is copied, except for one video track; None = nothing is copied.
        replaced: index of that track in `copy_from`. Default: its main video.
        clock: frame clock of a format that stores no times. Default: none, the pictures' own times are kept.
        side_data: side data of the source by PyAV's names. Default: none.
        span: part of `copy_from` that is copied. Default: all of it.
        warn: function called with a sentence for each thing that is left out or changed. Default: warnings.warn.

    Raises MediaError if `copy_from` cannot be read.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        add_video: Callable[[], av.VideoStream],
        copy_from: str | Path | None,
        *,
        replaced: int | None = None,
        clock: FrameClock | None = None,
        side_data: Mapping[str, bytes] = MappingProxyType({}),
        span: Span = WHOLE,
        warn: Callable[[str], object] = warnings.warn,
    ):
        self._refused = 0
        self._output, self._clock, self._warn = output, clock, warn
        try:
            self._name_losses(side_data)
            self._copier = (
                FileCopier(copy_from, output, add_video, replaced=replaced, warn=warn, mux=self._mux, span=span)
                if copy_from
                else None
            )
            self._track = self._copier.video if self._copier else add_video()
        except BaseException:
            output.close()
            raise

    @property
    def track_index(self) -> int:
        """Index of the video track in the file."""
        return self._track.index

    def _name_losses(self, side_data: Mapping[str, bytes]) -> None:
        name = self._output.format.name
        for kind in lost_side_data(name, side_data):
            words = kind.lower().replace("_", " ")
            self._warn(f"{words} of the video track is left out: FFmpeg cannot store it in {name} files")
        for title in {title for kind, title in PICTURE_DATA.items() if kind in side_data}:
            self._warn(f"{title} of the video track is left out: it belongs to pictures that are coded anew")

    @property
    def damage(self) -> int:
        """Number of packets that the muxer refused or of which the source has only a part."""
        copied = self._copier.corrupt if self._copier else None
        return self._refused + (copied.count if copied and copied.certain else 0)

    def close(self) -> None:
        """Write everything that is held back, the rest of the copied tracks, and the end of the file.

        Raises OSError.
        """
        with self._closing():
            self._drain()
            if self._copier:
                self._copier.copy_until(None)
        if self._clock and (sentence := self._clock.warning(self._output.format.long_name)):
            self._warn(sentence)
        if self._copier and self._copier.corrupt.count:
            self._warn(self._copier.corrupt.sentence("packets of copied tracks"))
        if self._refused:
            self._warn(
                f"{self._refused} packets are missing: FFmpeg's muxer refused them, most likely because of damage"
            )

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Close the file and its source at the end of the block, also after an error."""
        with ExitStack() as stack:
            stack.callback(self._output.close)
            if self._copier:
                stack.callback(self._copier.close)
            yield

    def _drain(self) -> None:
        """Write the packets that an encoder still holds."""

    def _mux(self, packets: av.Packet | list[av.Packet]) -> None:
        """Write packets; those that the muxer refuses are counted and skipped.

        Raises OSError, and ValueError if the file's header cannot be written.
        """
        self._output.start_encoding()
        for packet in [packets] if isinstance(packets, av.Packet) else packets:
            try:
                self._output.mux(packet)
            except REFUSALS:
                self._refused += 1

    def _copy_until(self, seconds: Fraction) -> None:
        if self._copier:
            self._copier.copy_until(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            with suppress(av.error.FFmpegError), self._closing():  # Errors of closing must not hide the first error
                pass
