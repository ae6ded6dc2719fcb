# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc encode`."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from gvc_container.files import is_stream, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.mux import Muxer
from gvc_container.rate import scan
from gvc_container.source import VideoSource

from ..encoder import Encoder
from ..errors import MediaError, MismatchError, OptionError
from ..machine.process import abrupt_end
from ..media import Packet, Picture, VideoFormat
from ..options import DECODER_OPTIONS
from .report import Report


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
    started, frames, size = time.monotonic(), 0, 0
    if verify and is_stream(target):
        raise OptionError(f"--verify reads the output again, which is impossible for {target}; write to a file")
    reconstruction = PictureHash() if verify else None
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
            on_reconstruction=reconstruction.add if reconstruction else None,
            on_step=lambda step, *_: report.step(*encoder.gop, step),
        )
        if encoder.choice:
            report.say(encoder.choice)
        gops = (encoder.encode(picture) for picture in chain(video.pictures(), [None]))
        copied = _copy_arguments(source, video, report) if audio else {}
        properties = {"field_order": video.field_order, "side_data": video.side_data, "warn": report.warn}
        with Muxer(path, encoder.extradata, video.format, **copied, **properties) as muxer:
            log.take(video.components)  # Drops errors of trial files, by which the muxer has tested the format
            for packet in report.progress(gops, "code", video.frames_expected, _bytes):
                muxer.write(packet)
                frames, size = frames + 1, size + _bytes(packet)
        if reconstruction:
            _verify(path, reconstruction.digest(), options)
        damage = log.take(video.components)
        report.warn_of_damage(source, messages + damage)
        written = "" if is_stream(path) else _size(path, muxer.track_index, video.format)
    seconds = time.monotonic() - started
    summary = f"{target}: {frames} frames, {written}{seconds:.1f} s ({frames / seconds:.1f} frames/s)"
    report.say(summary, pictures=frames, bytes=size, seconds=round(seconds, 3))
    if verify:
        report.say("verified: a new process decodes exactly the pictures that the encoder reconstructed")
    if damage or video.damage or muxer.damage:
        raise MediaError(f"{source} is damaged; what could be decoded was encoded")


def _bytes(packet: Packet) -> int:
    return len(packet.data)


def _size(path: Path, track: int, video: VideoFormat) -> str:
    """Return a phrase with the size of a file and the rate of its video track."""
    rate = scan(path, track)
    return f"{rate.file_bytes} bytes, {rate.kbps or 0:.1f} kb/s, {rate.bpp(video.width, video.height):.4f} bpp, "


def _copy_arguments(source: str, video: VideoSource, report: Report) -> dict[str, object]:
    """Return Muxer's arguments for copying the source's other tracks."""
    if not is_stream(Path(source)):
        return {"copy_from": source, "replaced": video.track_index}
    report.warn_of_pipe(video.other_tracks)
    return {}


class PictureHash:
    """SHA-256 of the samples of all pictures."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, pictures: list[Picture]) -> None:
        """Add the samples of the next pictures."""
        for picture in pictures:
            for plane in picture.planes:
                self._hash.update(plane.tobytes())

    def digest(self) -> str:
        """Return the hash in hexadecimal."""
        return self._hash.hexdigest()


def _verify(path: Path, expected: str, options: Mapping[str, object]) -> None:
    """Decode a file in a new process and compare the hash of its pictures. Raises MismatchError.

    path: file to decode.
    expected: hash of the pictures that the encoder reconstructed.
    options: the encoder's options, from which the decoder gets the prior and its settings.
    """
    of_decoder = {option.name for option in DECODER_OPTIONS}
    shared = {name: value for name, value in options.items() if name in of_decoder}
    command = [sys.executable, "-m", "gvc.cli.verify", os.fspath(path), json.dumps(shared)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout.strip() != expected:
        messages = done.stderr.strip().splitlines()[-1:]
        reason = abrupt_end(done.returncode) or "".join(messages) or "the pictures differ"
        raise MismatchError(f"the decoded pictures are not those that the encoder reconstructed ({reason})")
