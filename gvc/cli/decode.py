# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc decode`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gvc_container.file import FileReader
from gvc_container.files import is_stream, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.sink import VideoSink

from ..errors import MediaError
from .report import Report
from .workers import WorkerChoice

NO_WORKERS = WorkerChoice()


def decode(
    source: Path,
    target: Path,
    options: Mapping[str, object],
    report: Report,
    *,
    overwrite: bool,
    audio: bool,
    workers: WorkerChoice = NO_WORKERS,
) -> None:
    """Decode a file.

    source: file to read.
    target: file to write; "-" = YUV4MPEG2 on standard output.
    options: values by name for DECODER_OPTIONS.
    report: gets progress, warnings and a summary.
    overwrite: whether an existing file may be replaced.
    audio: whether to copy the other tracks.
    workers: workers that decode GOPs. Default: this process.

    Damaged packets are skipped with a warning; after the output was written, a MediaError is raised.
    Raises GvcError and OSError.
    """
    started = time.monotonic()
    with ErrorLog() as log, _opened(source, options, report, workers) as film:
        demuxer = film.demuxer
        messages = log.take({demuxer.format_name})
        with output_file(target, overwrite, source) as path:
            copied = audio and not is_stream(source)
            if audio and not copied:
                report.warn_of_pipe(demuxer.other_tracks)
            properties = {"replaced": demuxer.track_index, "warn": report.warn}
            properties |= {"field_order": demuxer.field_order, "side_data": demuxer.side_data}
            properties |= {"threads": options.get("threads", 0)}
            with VideoSink(path, film.format, source if copied else None, **properties) as sink:
                log.take({demuxer.format_name})  # Drops errors of trial files, by which the sink has tested the format
                pictures = ([picture] for picture in film)
                for picture in report.progress(pictures, "decode", demuxer.frames_expected):
                    sink.write(picture)
            if not film.count:
                raise MediaError(f"{source}: not one frame could be decoded")
        messages += log.take({demuxer.format_name})
        report.warn_of_damage(source, messages)
    seconds = time.monotonic() - started
    summary = f"{target}: {film.count} frames, {seconds:.1f} s ({film.count / seconds:.1f} frames/s)"
    report.say(summary, pictures=film.count, seconds=round(seconds, 3))
    if damage := film.damage + sink.damage + len(messages):
        raise MediaError(f"{source} is damaged ({damage} errors); what could be decoded was written")


@contextmanager
def _opened(source: Path, options: Mapping[str, object], report: Report, choice: WorkerChoice) -> Iterator[FileReader]:
    """Open a film for decoding in this process or by workers."""
    if not choice:

        def on_step(step: int, *_: object) -> None:
            report.step(*film.gop, step)

        with FileReader(source, warn=report.warn, on_step=on_step, **options) as film:
            yield film
        return

    from ..fleet.crew import Crew
    from ..fleet.decoder import FleetDecoder
    from ..fleet.decoding import GREETING, welcome

    watch = {"on_step": report.chain_step, "on_done": lambda chain: report.chain_done(chain, 0, None)}
    with choice.opened(options) as workers, Crew(workers, GREETING, welcome, warn=report.warn) as crew:
        decoder = partial(FleetDecoder, options=options, crew=crew, ahead=len(workers) + 1, **watch)
        with FileReader(source, warn=report.warn, decoder=decoder) as film:
            yield film
