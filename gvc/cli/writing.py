# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The end of `gvc encode`: packets become a file with the source's other tracks, and a new process checks it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gvc_container.files import is_stream
from gvc_container.libav_log import ErrorLog
from gvc_container.mux import Muxer
from gvc_container.rate import scan
from gvc_container.source import VideoSource

from ..errors import MismatchError
from ..machine.process import abrupt_end
from ..media import Packet, VideoFormat
from ..options import DECODER_OPTIONS
from .report import Report


@dataclass(frozen=True)
class Written:
    """A file that was written.

    frames: number of pictures.
    bytes: bytes of their packets.
    size: phrase with its bytes and rate; "" for a stream.
    damaged: whether the source's other tracks are damaged.
    messages: FFmpeg's messages about damage of the source.
    """

    frames: int
    bytes: int
    size: str
    damaged: bool
    messages: list[str]


def write_film(
    path: Path,
    video: VideoSource,
    header: bytes,
    packets: Iterable[Packet],
    *,
    report: Report,
    log: ErrorLog,
    audio: bool,
) -> Written:
    """Write a film with the coded video of a source. Raises MediaError and OSError.

    path: file to write; "-" = Matroska on standard output.
    video: source of the video.
    header: sequence header.
    packets: all packets in order. They are taken one by one, so they may be coded meanwhile.
    report: gets warnings.
    log: log of FFmpeg's messages, from before the source was opened.
    audio: whether to copy the other tracks of the source.
    """
    copied = _copy_arguments(video, report) if audio else {}
    properties = {"field_order": video.field_order, "side_data": video.side_data, "warn": report.warn}
    frames = size = 0
    with Muxer(path, header, video.format, **copied, **properties) as muxer:
        log.take(video.components)  # Drops errors of trial files, by which the muxer has tested the format
        for packet in packets:
            muxer.write(packet)
            frames, size = frames + 1, size + len(packet.data)
    messages = log.take(video.components)
    phrase = "" if is_stream(path) else _size(path, muxer.track_index, video.format)
    return Written(frames, size, phrase, bool(muxer.damage), messages)


def _copy_arguments(video: VideoSource, report: Report) -> dict[str, object]:
    """Return Muxer's arguments for copying the source's other tracks."""
    if not is_stream(Path(video.path)):
        return {"copy_from": video.path, "replaced": video.track_index}
    report.warn_of_pipe(video.other_tracks)
    return {}


def _size(path: Path, track: int, video: VideoFormat) -> str:
    """Return a phrase with the size of a file and the rate of its video track."""
    rate = scan(path, track)
    return f"{rate.file_bytes} bytes, {rate.kbps or 0:.1f} kb/s, {rate.bpp(video.width, video.height):.4f} bpp, "


def check_decoding(path: Path, expected: str, options: Mapping[str, object]) -> None:
    """Decode a file in a new process and compare the digest of its pictures. Raises MismatchError.

    path: file to decode.
    expected: digest of the pictures that the encoder reconstructed (gvc.fleet.digest.joined_digest).
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
