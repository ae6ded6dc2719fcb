# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Coding one chain of pictures apart from all others."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from fractions import Fraction

from ..encoder import Encoder
from ..errors import OptionError
from ..media import SAMPLE_FORMATS, Packet, Picture, VideoFormat
from .digest import ShownDigest
from .identity import Identity
from .plan import Chain
from .reading import WrongPicturesError, pictures_in, pictures_of
from .result import Result
from .tasks import Task, Tools

ONE_CHAIN = {"scenecut": 0, "sc_threshold": -1}  # Options of an encoder that gets the pictures of one chain only
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
    encoder = Encoder(video, with_options, opener=tools.opener)
    encoder.close()
    return json.dumps(asdict(Identity.of(with_options, encoder.extradata, video))).encode()


def encode(task: Task, tools: Tools) -> bytes:
    """Code a chain; return its result (gvc.fleet.result).

    Terms: name of the job, source (path), format (`format_terms`), options, identity, chain, each as JSON has it;
    reconstruct: whether the log gets the digests of the pictures that decoders will show.
    Data: the chain's pictures (gvc.fleet.reading.piece_of) for a worker that does not have the source; none otherwise.
    """
    terms, started = task.terms, time.monotonic()
    chain = Chain(**terms["chain"])
    threads = tools.local.get("threads", 0)

    def pictures(seek: bool) -> Iterator[Picture]:
        if task.data:
            return pictures_in(task.data, chain, threads)
        return pictures_of(terms["source"], chain, threads, seek=seek)

    try:
        packets, shown = _coded(task, tools, chain, pictures(seek=True))
    except WrongPicturesError:
        packets, shown = _coded(task, tools, chain, pictures(seek=False))
    log = {"worker": tools.name, "seconds": time.monotonic() - started, "tries": task.tries}
    if shown:
        log["shown"] = shown.parts()
    return Result(terms["name"], packets, log).to_bytes()


def _coded(
    task: Task, tools: Tools, chain: Chain, pictures: Iterator[Picture]
) -> tuple[list[Packet], ShownDigest | None]:
    """Return the packets of a chain, and the digest of what decoders will show if the task asks for it."""
    shown = ShownDigest() if task.terms["reconstruct"] else None
    video, options = format_of(task.terms["format"]), tools.options(task)
    encoder = Encoder(
        video,
        options | ONE_CHAIN,
        shown.add if shown else None,
        tools.opener,
        lambda step, *_: tools.on_step(*encoder.gop, step),
        first=chain.first,
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
