# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc cut`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gvc_container.cut import VideoCut
from gvc_container.demux import Demuxer
from gvc_container.files import check_readable_again, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.mux import Muxer
from gvc_container.recode import recoded
from gvc_container.span import Span

from ..bitstream import write_sequence_header
from ..errors import MediaError, OptionError
from ..media import Packet
from .report import Report


def cut(
    source: Path,
    target: Path,
    span: Span,
    options: Mapping[str, object],
    report: Report,
    *,
    exact: bool,
    overwrite: bool,
    audio: bool,
) -> None:
    """Write a part of a film to a file of its own.

    source: film with GVC video, a file.
    target: file to write; "-" = Matroska on standard output.
    span: part that is wanted.
    options: values by name (gvc.options.ENCODER_OPTIONS) for pictures that are coded anew.
    report: gets warnings and a summary.
    exact: whether the part begins with the picture that is shown at its start instead of the keyframe before.
    overwrite: whether an existing file may be replaced.
    audio: whether to cut the other tracks and the chapters too.

    Damaged packets are copied as they are. After the output was written, a MediaError is raised if the source cannot be
    read to the end of the part. Raises GvcError and OSError.
    """
    if span.end is not None and span.end <= span.start:
        raise OptionError(f"--to {float(span.end):g} is not after --from {float(span.start):g}; swap them")
    check_readable_again(source)
    with output_file(target, overwrite, source) as path, ErrorLog() as log, Demuxer(source) as film:

        def recode(chain: Sequence[Packet], skipped: int) -> Iterator[Packet]:
            return recoded(chain, skipped, film.time_base, options, warn=report.warn)

        messages = log.take({film.format_name})
        failures: list[str] = []
        part = VideoCut(_packets(film, failures), film.time_base, span, recode if exact else None)
        video = replace(part.header.format, time_base=film.time_base) if part.header else film.format
        header = write_sequence_header(part.header) if part.header else film.header
        copied = {"copy_from": source, "replaced": film.track_index, "span": part.span} if audio else {}
        properties = {"field_order": film.field_order, "side_data": film.side_data, "warn": report.warn}
        frames = 0
        with Muxer(path, header, video, **copied, **properties) as muxer:
            log.take({film.format_name})  # Drops errors of trial files, by which the muxer has tested the format
            for packet in part:
                muxer.write(packet)
                frames += 1
        damage = failures + messages + log.take({film.format_name})
        report.warn_of_damage(source, damage)
    start = float(part.span.start)
    anew = f", {part.recoded} of them coded anew" if part.recoded else ""
    report.say(f"{target}: {frames} frames from {start:.3f} s on{anew}", pictures=frames, start=start)
    if damage or muxer.damage:
        raise MediaError(f"{source} is damaged; what could be read was written")


def _packets(film: Demuxer, failures: list[str]) -> Iterator[Packet]:
    """Yield the packets of a film, and a time for each; note what ends them too early."""
    expected = 0
    try:
        for packet in film.packets():
            known = expected if packet.pts is None else packet.pts
            yield replace(packet, pts=known)
            expected = known + max(packet.duration, 1)
    except MediaError as error:
        failures.append(str(error))
