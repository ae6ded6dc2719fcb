# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc encode`."""

import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from gvc_container.files import is_stream, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.source import VideoSource

from ..encoder import Encoder
from ..errors import MediaError, OptionError
from ..fleet.digest import ShownDigest, joined_digest
from ..media import Packet
from .report import Report
from .writing import Written, check_decoding, write_film


def encode(
    source: str,
    target: Path,
    options: Mapping[str, object],
    report: Report,
    *,
    overwrite: bool,
    audio: bool,
    verify: bool,
) -> None:
    """Encode a file.

    source: file to read; "-" = standard input.
    target: file to write; "-" = Matroska on standard output.
    options: values by name for ENCODER_OPTIONS.
    report: gets progress, warnings and a summary.
    overwrite: whether an existing file may be replaced.
    audio: whether to copy the other tracks.
    verify: whether to decode the file in a new process and compare.

    Damaged parts of the source are skipped with a warning; after the output was written, a MediaError is raised.
    Raises GvcError and OSError.
    """
    started = time.monotonic()
    check_verify(verify, target)
    shown = ShownDigest() if verify else None
    with (
        output_file(target, overwrite, source) as path,
        ErrorLog() as log,
        VideoSource(source, report.warn, options.get("threads", 0)) as video,
    ):
        # Errors before the first picture are only warnings, because a recording may start between two keyframes.
        messages = log.take(video.components)
        encoder = Encoder(
            video.format,
            options,
            on_reconstruction=shown.add if shown else None,
            on_step=lambda step, *_: report.step(*encoder.gop, step),
        )
        if encoder.choice:
            report.say(encoder.choice)
        gops = (encoder.encode(picture) for picture in chain(video.pictures(), [None]))
        packets = report.progress(gops, "code", video.frames_expected, size_of)
        film = write_film(path, video, encoder.extradata, packets, report=report, log=log, audio=audio)
        if shown:
            check_decoding(path, joined_digest(shown.parts()), options)
        report.warn_of_damage(source, messages + film.messages)
    tell(report, target, film, time.monotonic() - started, verify)
    if film.messages or video.damage or film.damaged:
        raise MediaError(f"{source} is damaged; what could be decoded was encoded")


def check_verify(verify: bool, target: Path) -> None:
    """Raise OptionError if an output cannot be read again to verify it."""
    if verify and is_stream(target):
        raise OptionError(f"--verify reads the output again, which is impossible for {target}; write to a file")


def size_of(packet: Packet) -> int:
    """Return the bytes of a packet."""
    return len(packet.data)


def tell(report: Report, target: Path, film: Written, seconds: float, verified: bool) -> None:
    """Tell what was written, and in how many seconds."""
    summary = f"{target}: {film.frames} frames, {film.size}{seconds:.1f} s ({film.frames / seconds:.1f} frames/s)"
    report.say(summary, pictures=film.frames, bytes=film.bytes, seconds=round(seconds, 3))
    if verified:
        report.say("verified: a new process decodes exactly the pictures that the encoder reconstructed")
