# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The task of decoding some GOPs of a chain, and its answer: pictures, or what has prevented them.

An answer begins with the length of a JSON list, a number of 4 bytes, and this list, in which each GOP has

    the number of its pictures,
    null: it could not be decoded because an earlier GOP is missing, or
    {"kind": ..., "text": ...}: its error (gvc.fleet.failures); the parts of a BitstreamError in place of `text`.

The samples of all pictures follow: for each GOP the planes Y, Cb, Cr, uint8 [T, H, W].
"""

import json
import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from ..decoder import GopReader
from ..errors import BitstreamError, EngineError, GvcError
from ..gop.display import ReadPacket
from ..media import Clip, Packet, VideoFormat
from .failures import described, rebuilt
from .identity import check_versions, versions
from .records import Record
from .tasks import Task, Tools

LENGTH = struct.Struct(">I")
PARTS = ("element", "offset", "reason")  # Of a BitstreamError
GREETING = Task("greet", "the start")

Outcome = Clip | GvcError | None  # None: an earlier GOP is missing


class Expected(NamedTuple):
    """What the pictures of a GOP must be: their format and their number."""

    format: VideoFormat
    pictures: int

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """[T, H, W] of the planes."""
        return [(self.pictures, *shape) for shape in self.format.plane_shapes]

    @property
    def size(self) -> int:
        """Bytes of the planes."""
        return sum(t * h * w for t, h, w in self.shapes)


def greet(task: Task, tools: Tools) -> bytes:
    """Return the versions of this worker that decide pictures (gvc.fleet.identity), as JSON."""
    return json.dumps(versions()).encode()


def welcome(name: str, answer: bytes) -> None:
    """Raise EngineError unless a worker, which has answered to GREETING, has the versions that this process has."""
    check_versions(Record.parse(answer, f"the answer of {name}").content)


def decoding_task(title: str, options: dict[str, object], packets: Sequence[bytes], passed_over: int) -> Task:
    """Return the task of decoding GOPs.

    title: what people are told about it.
    options: values by name (gvc.options.DECODER_OPTIONS).
    packets: packets with GOPs of a chain, from its keyframe on.
    passed_over: number of these GOPs, at the beginning, whose pictures are not wanted.
    """
    terms = {"options": options, "sizes": [*map(len, packets)], "passed_over": passed_over}
    return Task("decode", title, terms, b"".join(packets))


def decode(task: Task, tools: Tools) -> bytes:
    """Decode the GOPs of a task (`decoding_task`) and return the answer."""
    reader = GopReader(None, tools.options(task), tools.opener, lambda step, *_: tools.on_step(*reader.gop, step))
    offsets = accumulate(task.terms["sizes"], initial=0)
    packets = [Packet(task.data[start:stop]) for start, stop in pairwise(offsets)]
    passed_over = task.terms["passed_over"]
    try:
        for packet in packets[:passed_over]:
            reader.pass_over(packet)
        reads = [reader.read(packet) for packet in packets[passed_over:]]
        return _answer([_outcome(read) for read in reads])
    finally:
        reader.team.dismiss()


def _outcome(read: ReadPacket) -> Outcome:
    """Return what has become of a packet. Raises errors that no packet can explain, such as those of a GPU."""
    try:
        if read.error:
            raise read.error
        return read.pictures and read.pictures.result()
    except GvcError as error:
        return error


def _answer(outcomes: list[Outcome]) -> bytes:
    clips = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    text = json.dumps([*map(_summary, outcomes)]).encode()
    samples = (np.ascontiguousarray(plane).data for clip in clips for plane in clip)
    return b"".join([LENGTH.pack(len(text)), text, *samples])


def _summary(outcome: Outcome) -> object:
    if isinstance(outcome, BitstreamError):
        return {"kind": "BitstreamError", **{part: getattr(outcome, part) for part in PARTS}}
    if isinstance(outcome, GvcError):
        return described(outcome)
    return outcome and len(outcome[0])


def outcomes_of(answer: bytes, expected: Sequence[Expected]) -> list[Outcome]:
    """Return what an answer says about each GOP; the planes are views of its bytes.

    Raises EngineError for an answer that is not about these GOPs.
    """
    try:
        offset = LENGTH.size + LENGTH.unpack_from(answer)[0]
        outcomes = []
        for summary, gop in zip(json.loads(answer[LENGTH.size : offset]), expected, strict=True):
            if summary == gop.pictures:
                outcomes.append(_clip(answer, offset, gop))
                offset += gop.size
            else:
                outcomes.append(None if summary is None else _error(summary))
        if offset != len(answer):
            raise ValueError
        return outcomes
    except (ValueError, TypeError, LookupError, RecursionError, struct.error):
        raise EngineError("a worker has answered with something else than the pictures it was asked for") from None


def _clip(answer: bytes, offset: int, expected: Expected) -> Clip:
    planes = []
    for shape in expected.shapes:
        count = int(np.prod(shape))
        planes.append(np.frombuffer(answer, np.uint8, count, offset).reshape(shape))
        offset += count
    return tuple(planes)


def _error(summary: dict[str, object]) -> GvcError:
    if summary["kind"] == "BitstreamError":
        return BitstreamError(str(summary["element"]), int(summary["offset"]), str(summary["reason"]))
    return rebuilt(summary)
