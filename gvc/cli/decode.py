# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc decode`."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from gvc_container.demux import Demuxer
from gvc_container.libav_log import ErrorLog
from gvc_container.sink import VideoSink

from ..ahead import AheadDecoder, Answer
from ..errors import BitstreamError, MediaError
from ..media import Packet, Picture, VideoFormat
from .files import is_stream, output_file
from .report import Report


def decode(
    source: Path, target: Path, options: Mapping[str, object], report: Report, *, overwrite: bool, audio: bool
) -> None:
    """Decode a file; `options` are those of DECODER_OPTIONS.

    Damaged packets are warned of and skipped; then a MediaError is raised after the output has been written.
    Raises GvcError, OSError.
    """
    started = time.monotonic()
    with ErrorLog() as log, Demuxer(source) as demuxer:
        said = log.take({demuxer.format_name})
        pictures = _Pictures(demuxer, AheadDecoder(demuxer.header, options), report)
        with output_file(target, overwrite, source) as path:
            along = audio and not is_stream(source)
            if audio and not along:
                report.warn_of_pipe(demuxer.other_tracks)
            about = {"replaced": demuxer.track_index, "warn": report.warn}
            about |= {"field_order": demuxer.field_order, "side_data": demuxer.side_data}
            with VideoSink(path, demuxer.format, source if along else None, **about) as sink:
                log.take({demuxer.format_name})  # not of the source: the muxer has tried what the format holds
                for picture in report.progress(pictures, "decoding", demuxer.frames_expected):
                    sink.write(picture)
            if not pictures.count:
                raise MediaError(f"{source}: not one frame could be decoded")
        said += log.take({demuxer.format_name})
        report.warn_of_damage(source, said)
    seconds = time.monotonic() - started
    report.say(f"{target}: {pictures.count} frames, {seconds:.1f} s ({pictures.count / seconds:.1f} frames/s)")
    if damage := pictures.damage + sink.damage + len(said):
        raise MediaError(f"{source} is damaged ({damage} errors); what could be decoded was written")


class _Pictures:
    """All pictures of a file, in lists; goes on after damaged packets and counts them."""

    def __init__(self, demuxer: Demuxer, decoder: AheadDecoder, report: Report):
        self._demuxer, self._decoder, self._report = demuxer, decoder, report
        self.count = self.damage = 0
        self._concealed = 0

    def __iter__(self) -> Iterator[list[Picture]]:
        try:
            for packet in self._packets():
                self._decoder.put(packet)
                for answer in self._decoder.answers():
                    self._check(answer)
                    self.count += len(answer.pictures)
                    self._concealed += sum(picture.concealed for picture in answer.pictures)
                    yield answer.pictures
            if self._concealed:
                self._complain(
                    f"packets are missing or damaged: {self._concealed} frames show the one before or a fade"
                )
        except MediaError as error:  # keep what came before
            self._complain(str(error))
        finally:
            self._decoder.close()

    def _packets(self) -> Iterator[Packet | None]:
        try:
            yield from self._demuxer.packets()
        except MediaError as error:  # keep what came before
            self._complain(str(error))
        yield None

    def _check(self, answer: Answer) -> None:
        """Complain of damage, raise other errors."""
        if isinstance(answer.error, BitstreamError):
            self._complain(f"packet {answer.number}: {answer.error}")
        elif answer.error:
            raise answer.error
        elif answer.format:
            self._check_layout(answer.format)

    def _check_layout(self, now: VideoFormat) -> None:
        """A file has pictures of one kind. Raises MediaError for a part of another one."""
        first = self._demuxer.format
        if (now.plane_shapes, now.samples) != (first.plane_shapes, first.samples):
            raise MediaError(
                f"{self._demuxer.path} was joined from videos of different kinds: after {self.count} frames, "
                f"{first.width}x{first.height} {first.samples.pix_fmt} becomes "
                f"{now.width}x{now.height} {now.samples.pix_fmt}; `gvc ffmpeg -i` scales all to one size"
            )

    def _complain(self, text: str) -> None:
        self.damage += 1
        self._report.warn(text)
