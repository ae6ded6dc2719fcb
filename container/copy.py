# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Copy the content of a file into another, except for one video track: tracks, attachments, covers, chapters, tags."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Discard, Disposition, Stream

from .clock import has_times
from .libav import copy_parameters
from .reading import CorruptPackets, beginning, is_cover, main_video, open_input, timed_packets
from .span import WHOLE, Span
from .track import TEXT_CODECS, ConvertedSubtitles, CopiedTrack
from .trial import first_packets, keeps_track

WITH_ATTACHMENTS = "matroska"
WITH_CHAPTERS = ("matroska", "nut", "mp4", "mov")
IMAGE_TYPES = {"mjpeg": "jpeg"}  # MIME subtypes of covers that differ from the name of FFmpeg's codec
UNNAMED, UNTYPED = "attachment", "application/octet-stream"  # Name and type of attachments that have none
# Tags about the making of the old file or track, which are not copied: those of muxers and mkvmerge's statistics.
FILE_TAGS = {"encoder", "major_brand", "minor_version", "compatible_brands"}
TRACK_TAGS = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes"}


class FileCopier:
    """Copies the content of a file except for one video track, at the pace of the video that is written meanwhile.

    A track is copied if the output's muxer takes it. Text subtitles that it does not take are converted. A warning
    names everything that is left out.

    Args:
        path: file to read.
        output: file that gets the tracks, attachments, covers, chapters and tags.
        add_video: function that adds the output's video track, which gets the place, tags and disposition of the
            replaced one.
        replaced: index of the track that is not copied; None = the main video.
        warn: function called with a sentence for each track that is left out or converted.
        mux: function that writes a packet to the output.
        span: part of the file that is copied. Default: all of it.

    Attributes:
        video: video track of the output.
        corrupt: counter of copied packets of which the source has only a part.

    Raises MediaError if the file cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        output: av.container.OutputContainer,
        add_video: Callable[[], av.VideoStream],
        *,
        replaced: int | None,
        warn: Callable[[str], object],
        mux: Callable[[av.Packet], None],
        span: Span = WHOLE,
    ):
        self._warn, self._mux, self._span = warn, mux, span
        self._path, self._output = path, output
        self._source = open_input(path)
        self.corrupt = CorruptPackets(self._source)
        self._tracks: dict[int, CopiedTrack] = {}
        try:
            self._add_all(add_video, replaced)
            self._packets = self._read()
            self._next = next(self._packets, None)
        except BaseException:
            self._source.close()
            raise

    def _add_all(self, add_video: Callable[[], av.VideoStream], replaced: int | None) -> None:
        self._samples = first_packets(self._path)
        self._output.metadata.update(_without(self._source.metadata, FILE_TAGS))
        self._copy_chapters()
        if replaced is None:
            main = main_video(self._source)
            replaced = main.index if main else None
        if replaced is None:
            self.video = add_video()
        for stream in self._source.streams:
            if stream.index == replaced:
                self.video = add_video()
                _describe(self.video, stream)
            elif not self._add(stream) and not self._is_kept_otherwise(stream):
                name = self._output.format.name
                self._warn(f"{_title(stream)} is left out: FFmpeg cannot store it in {name} files")

    def _copy_chapters(self) -> None:
        chapters, name = self._span.chapters(_chapters(self._source)), self._output.format.name
        if chapters and name not in WITH_CHAPTERS:
            self._warn(f"{len(chapters)} chapters are left out: FFmpeg cannot store them in {name} files")
        self._output.set_chapters(chapters)

    def _add(self, stream: Stream) -> bool:
        """Add a track to the output; return whether the output can store it."""
        attaches = self._output.format.name == WITH_ATTACHMENTS
        if stream.type == "attachment":
            if attaches:
                self._attach(stream)
            return attaches
        if stream.type == "video" and is_cover(stream) and attaches:
            self._attach_cover(stream)
            return True
        track = self._copied(stream) or self._converted(stream)
        if track:
            _describe(track.target, stream)
            self._tracks[stream.index] = track
        return bool(track)

    def _copied(self, stream: Stream) -> CopiedTrack | None:
        if self._is_kept_otherwise(stream):
            return None
        for keep_tag in (True, False):
            if keeps_track(self._output.format.name, stream, self._samples.get(stream.index), keep_tag):
                target = self._output.add_data_stream()
                copy_parameters(target, stream, keep_tag)
                if stream.type == "video" and stream.average_rate and not has_times(self._output):
                    target.time_base = 1 / stream.average_rate
                return CopiedTrack(stream, target)
        return None

    def _converted(self, stream: Stream) -> CopiedTrack | None:
        codec, decoder = TEXT_CODECS.get(self._output.format.name), stream.codec_context
        if codec is None or stream.type != "subtitle" or decoder is None or not decoder.codec.text_sub:
            return None
        self._warn(f"{_title(stream)} is converted to {codec}")
        return ConvertedSubtitles(stream, self._output.add_stream(codec))

    def _is_kept_otherwise(self, stream: Stream) -> bool:
        """Return whether this is MP4's data track for chapters or a timecode, which are copied in other ways."""
        tags = [stream.metadata.get("timecode") for stream in self._source.streams.video]
        return stream.type == "data" and (stream.discard == Discard.all or stream.metadata.get("timecode", "") in tags)

    def _attach(self, stream: Stream) -> None:
        name = stream.metadata.get("filename") or f"{UNNAMED}{stream.index}"
        attached = self._output.add_data_stream()
        copy_parameters(attached, stream, keep_tag=True)
        attached.metadata.update({"mimetype": UNTYPED, **stream.metadata, "filename": name})

    def _attach_cover(self, stream: av.VideoStream) -> None:
        """Attach a cover, which FFmpeg reads as a video track with one picture."""
        with open_input(self._path) as file:
            data = next(bytes(packet) for packet in file.demux(file.streams[stream.index]))
        codec = stream.codec_context.name
        kind = IMAGE_TYPES.get(codec, codec)
        name = stream.metadata.get("filename", f"cover.{kind}")
        self._output.add_attachment(name, stream.metadata.get("mimetype", f"image/{kind}"), data)

    def _read(self) -> Iterator[tuple[CopiedTrack, av.Packet]]:
        """Yield the packets of all copied tracks in the order of the file, with all times, on the output's clock."""
        if not self._tracks:
            return
        try:
            for packet in timed_packets(self._source, *(self._source.streams[index] for index in self._tracks)):
                track = self._tracks.get(packet.stream_index)
                taken = track and packet.size and self._span.take(packet, track.source.type == "subtitle")
                if taken and (ready := track.prepare(packet)):
                    self.corrupt.add(packet)
                    yield track, ready
        except av.error.FFmpegError as error:
            self._warn(f"{self._path} cannot be read to its end: {error.strerror or error}")

    def copy_until(self, seconds: Fraction | None) -> None:
        """Write all packets before a time in seconds on the output's clock; None = all others. Raises OSError."""
        while self._next and (seconds is None or self._next[1].dts * self._next[1].time_base < seconds):
            track, packet = self._next
            self._output.start_encoding()  # The header decides the time bases of the output's tracks
            track.convert_times(packet)
            self._mux(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        self._source.close()


def _chapters(container: av.container.InputContainer) -> list[dict]:
    """Return the chapters of a file, with times on the clock of its packets (timed_packets)."""
    moved, start = [], beginning(container)
    for chapter in container.chapters():
        first, last = (chapter[end] - round(start / chapter["time_base"]) for end in ("start", "end"))
        if last >= 0:
            moved.append({**chapter, "start": max(0, first), "end": last})
    return moved


def _title(stream: Stream) -> str:
    coding = stream.codec_context.codec.canonical_name if stream.codec_context else getattr(stream, "name", None)
    return f"{stream.type} track {stream.index} ({coding or 'unknown'})"


def _describe(target: Stream, source: Stream) -> None:
    target.metadata.update(_without(source.metadata, TRACK_TAGS))
    target.disposition = Disposition(source.disposition)


def _without(tags: dict[str, str], names: set[str]) -> dict[str, str]:
    """Return the tags without those of the given names, in any language: FFmpeg reads Matroska's tags as NAME-LANG."""
    return {k: v for k, v in tags.items() if k.lower().split("-")[0] not in names and not k.startswith("_STATISTICS")}
