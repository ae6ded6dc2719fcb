"""Take the sound and subtitles of one file along into another."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from .demux import open_input

KINDS = ("audio", "subtitle")
KEPT_METADATA = ("language", "title")


class StreamCopier:
    """Copies the audio and subtitle tracks of a file, in step with the video that is written beside them.

    Attributes:
        skipped: a phrase for each track that the output format cannot hold.
    Raises MediaError if the file cannot be read.
    """

    def __init__(self, path: str | Path, output: av.container.OutputContainer):
        self.skipped: list[str] = []
        self._output = output
        self._source = open_input(path)
        self._targets = {}
        for stream in self._source.streams:
            if stream.type in KINDS:
                self._add(stream)
        self._packets = self._read()
        self._next = next(self._packets, None)

    def _add(self, stream: av.stream.Stream) -> None:
        try:
            target = self._output.add_stream_from_template(stream)
        except ValueError:  # also where libav knows no codec of that name
            name = stream.codec_context.name if stream.codec_context else "unknown"
            self.skipped.append(f"{stream.type} track {stream.index} ({name})")
            return
        target.metadata.update({k: stream.metadata[k] for k in KEPT_METADATA if k in stream.metadata})
        self._targets[stream.index] = target

    def _read(self) -> Iterator[av.Packet]:
        if self._targets:
            for packet in self._source.demux([self._source.streams[index] for index in self._targets]):
                if packet.dts is not None:
                    yield packet

    def copy_until(self, seconds: Fraction | None) -> None:
        """Write all packets that come before a time in seconds; None: all that are left."""
        while self._next is not None and (seconds is None or self._next.dts * self._next.time_base < seconds):
            self._next.stream = self._targets[self._next.stream.index]
            self._output.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        self._source.close()
