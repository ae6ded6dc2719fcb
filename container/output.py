# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What all written media files share: tracks taken along from another file, and a proper end."""

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
from .trial import lost_side_data

STDOUT = "-"
# Side data that is lost in coding and that somebody will miss, by PyAV's names; other kinds are notes of old encoders.
OF_PICTURES = {
    "A53_CC": "closed captions (A/53)",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}


def url(path: str | Path) -> str:
    """Return what FFmpeg calls a file; "-" is standard output."""
    return "pipe:1" if str(path) == STDOUT else str(path)


# What muxers say of packets, of this one or of one that waited for it; all else is about the file.
REFUSALS = (av.error.ArgumentError, av.error.InvalidDataError, av.error.PatchWelcomeError)


class MediaOutput:
    """An open output file and the tracks that are copied into it; a context manager.

    Left by an exception, the file is closed as it is: nothing that is held back is written any more.

    Args:
        output: the file, to be closed by this object.
        add_video: adds its video track, which gets the place of the one that it replaces.
        copy_from: a file of which all but one video track is to be taken along, None: nothing.
        replaced: index of that track in `copy_from`, default: the main video.
        clock: frames of the output, where its format has no times; default: times are those of the pictures.
        side_data: what the source says beside its pictures, by PyAV's names, default: nothing.
        warn: called with a sentence for each thing that the output lacks or has in another form, default: Python's.
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
        warn: Callable[[str], object] = warnings.warn,
    ):
        self._refused = 0
        self._output, self._clock, self._warn = output, clock, warn
        try:
            self._name_losses(side_data)
            self._copier = (
                FileCopier(copy_from, output, add_video, replaced=replaced, warn=warn, mux=self._mux)
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
            self._warn(f"{words} of the video track is left out: FFmpeg has no place for it in {name} files")
        for title in {title for kind, title in OF_PICTURES.items() if kind in side_data}:
            self._warn(f"{title} of the video track is left out: it belongs to single pictures, which are coded anew")

    @property
    def damage(self) -> int:
        """How many packets are missing, since the muxer did not take them, or have been copied in part only."""
        copied = self._copier.corrupt if self._copier else None
        return self._refused + (copied.count if copied and copied.certain else 0)

    def close(self) -> None:
        """Write what is held back, the rest of the other tracks, and the end of the file.

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
                f"{self._refused} packets are missing: FFmpeg's muxer refused them, mostly since they are damaged"
            )

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Close the file and its source at the end, whatever happens."""
        with ExitStack() as stack:
            stack.callback(self._output.close)
            if self._copier:
                stack.callback(self._copier.close)
            yield

    def _drain(self) -> None:
        """Write what an encoder still holds."""

    def _mux(self, packets: av.Packet | list[av.Packet]) -> None:
        """Write packets; one that is damaged must not cost all the others. Raises OSError, ValueError for the head."""
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
            with suppress(av.error.FFmpegError), self._closing():  # the first error is the one to tell
                pass
