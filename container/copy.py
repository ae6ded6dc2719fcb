"""Take all but the video of one file along into another: sound, subtitles, attachments, chapters and tags."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Disposition

from .demux import is_cover, main_video, open_input

KINDS = ("audio", "subtitle")
WITH_ATTACHMENTS = "matroska"
IMAGE_TYPES = {"mjpeg": "jpeg"}  # MIME subtypes of covers, where they are not called as FFmpeg's codec
# Tags that say how the old file or track was made, not what it is: those of muxers, and mkvmerge's statistics.
OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands"}
OF_THE_TRACK = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes"}


class FileCopier:
    """Copies what a file holds beside its video, tracks in step with the video that is written meanwhile.

    Args:
        path: the file.
        output: gets its tracks, attachments, covers, chapters and tags.
        video: the video track of the output; gets the tags and the disposition of the file's first one.

    Attributes:
        skipped: a phrase for each track that the output format cannot hold.
    Raises MediaError if the file cannot be read.
    """

    def __init__(self, path: str | Path, output: av.container.OutputContainer, video: av.VideoStream):
        self.skipped: list[str] = []
        self._path, self._output = path, output
        self._source = open_input(path)
        self._targets = {}
        output.metadata.update(_without(self._source.metadata, OF_THE_FILE))
        output.set_chapters(self._source.chapters())
        main = main_video(self._source)
        for stream in self._source.streams:
            if stream is main:
                _describe(video, stream)
            elif stream.type != "data" and not self._add(stream):  # MP4's chapters and timecode are kept as such
                name = stream.codec_context.name if stream.codec_context else "unknown"
                self.skipped.append(f"{stream.type} track {stream.index} ({name})")
        self._packets = self._read()
        self._next = next(self._packets, None)

    def _add(self, stream: av.stream.Stream) -> bool:
        """Whether the output has a place for a track."""
        attaches = self._output.format.name == WITH_ATTACHMENTS
        if stream.type == "attachment" and attaches:
            self._output.add_stream_from_template(stream)
        elif stream.type == "video" and is_cover(stream) and attaches:
            self._attach_cover(stream)
        elif stream.type in KINDS:
            try:
                target = self._output.add_stream_from_template(stream)
            except ValueError:  # also where libav knows no codec of that name
                return False
            _describe(target, stream)
            self._targets[stream.index] = target
        else:
            return False
        return True

    def _attach_cover(self, stream: av.VideoStream) -> None:
        """libav reads covers as video tracks of one picture."""
        with open_input(self._path) as file:
            data = next(bytes(packet) for packet in file.demux(file.streams[stream.index]))
        codec = stream.codec_context.name
        kind = IMAGE_TYPES.get(codec, codec)
        name = stream.metadata.get("filename", f"cover.{kind}")
        self._output.add_attachment(name, stream.metadata.get("mimetype", f"image/{kind}"), data)

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


def _describe(target: av.stream.Stream, source: av.stream.Stream) -> None:
    target.metadata.update(_without(source.metadata, OF_THE_TRACK))
    target.disposition = Disposition(source.disposition)


def _without(tags: dict[str, str], names: set[str]) -> dict[str, str]:
    return {k: v for k, v in tags.items() if k.lower() not in names and not k.startswith("_STATISTICS")}
