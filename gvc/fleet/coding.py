# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Coding one chain of pictures apart from all others."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from functools import partial
from typing import TypeVar

from ..bitstream import write_sequence_header
from ..encoder import Encoder
from ..errors import OptionError
from ..gop.setup import Setup
from ..media import SAMPLE_FORMATS, Packet, Picture, VideoFormat
from .digest import ShownDigest
from .identity import Identity
from .plan import Chain
from .reading import WrongPicturesError, pictures_in, pictures_of
from .result import Result
from .tasks import Task, Tools

Value = TypeVar("Value")

FRACTIONS = tuple(field.name for field in fields(VideoFormat) if field.type is Fraction)


def format_terms(video: VideoFormat) -> dict[str, object]:
    """Return a format as JSON has it."""
    return {**vars(video), **{name: str(getattr(video, name)) for name in FRACTIONS}, "samples": video.samples.pix_fmt}


def format_of(terms: Mapping[str, object]) -> VideoFormat:
    """Return the format that `format_terms` has described."""
    samples = next(samples for samples in SAMPLE_FORMATS if samples.pix_fmt == terms["samples"])
    return VideoFormat(**{**terms, **{name: Fraction(terms[name]) for name in FRACTIONS}, "samples": samples})


def hello(task: Task, tools: Tools) -> bytes:
    """Open the prior; return the identity of the stream that this worker would code (gvc.fleet.identity), as JSON.

    Terms: format (`format_terms`), options.
    """
    video = format_of(task.terms["format"])
    with_options = tools.options(task)
    header = write_sequence_header(Setup.of(video, with_options, tools.opener).header)
    return json.dumps(asdict(Identity.of(with_options, header, video))).encode()


def encode(task: Task, tools: Tools) -> bytes:
    """Code a chain; return its result (gvc.fleet.result).

    Terms: name of the job, source (path), format (`format_terms`), options, identity, chain, each as JSON has it;
    reconstruct: whether the log gets the digests of the pictures that decoders will show; bitrate: bits a second of
    this chain, None = as the options say.
    Data: the chain's pictures (gvc.fleet.reading.piece_of) for a worker that does not have the source; none otherwise.
    """
    started = time.monotonic()
    packets, shown = with_pictures(task, tools, partial(_coded, task, tools))
    return result_of(task, tools, started, packets, {"shown": shown.parts()} if shown else {})


def result_of(task: Task, tools: Tools, started: float, packets: list[Packet], facts: Mapping[str, object]) -> bytes:
    """Return the result of a task that began at a time of time.monotonic; its log also has further facts."""
    log = {"worker": tools.name, "seconds": time.monotonic() - started, "tries": task.tries}
    return Result(task.terms["name"], packets, {**log, **facts}).to_bytes()


def with_pictures(task: Task, tools: Tools, function: Callable[[Iterator[Picture]], Value]) -> Value:
    """Return what a function makes of the pictures of a task's chain.

    The function is called a second time if seeking in the source has led to other pictures.
    """
    chain = Chain(**task.terms["chain"])
    if task.data:
        return function(pictures_in(task.data, chain, tools.local.get("threads", 0)))
    try:
        return function(pictures_of(task.terms["source"], chain))
    except WrongPicturesError:
        return function(pictures_of(task.terms["source"], chain, seek=False))


def _coded(task: Task, tools: Tools, pictures: Iterator[Picture]) -> tuple[list[Packet], ShownDigest | None]:
    """Return the packets of a chain, and the digest of what decoders will show if the task asks for it."""
    shown = ShownDigest() if task.terms["reconstruct"] else None
    video, options = format_of(task.terms["format"]), tools.options(task)
    bitrate = task.terms["bitrate"]
    encoder = Encoder(
        video,
        {**options, "bitrate": bitrate} if bitrate else options,
        shown.add if shown else None,
        tools.opener,
        lambda step, *_: tools.on_step(*encoder.gop, step),
        first=task.terms["chain"]["first"],
    )
    try:
        _check(Identity.of(options, encoder.extradata, video), Identity(**task.terms["identity"]))
        packets = [packet for picture in pictures for packet in encoder.encode(picture)]
        return packets + encoder.encode(None), shown
    finally:
        encoder.close()


def _check(found: Identity, wanted: Identity) -> None:
    """Raise OptionError if this worker would code another stream."""
    if changes := found.changes(wanted):
        raise OptionError(f"this worker would code another stream: {'; '.join(changes)}; start the command again")
