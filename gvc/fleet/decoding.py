# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The task of decoding some GOPs of a chain, and its answer: pictures, or what has prevented them.

An answer begins with the length of a JSON list, a number of 4 bytes, and this list, in which each GOP has

    {"clip": number of its pictures, "concealed": whether they are not quite the right ones},
    {"error": ..., "substitute": ...}: the error that prevents them, and what is shown in their place, or
    {"failure": ...}: an error that is no fault of the stream.

An error is {"kind": ..., "text": ...} (gvc.fleet.failures), with the parts of a BitstreamError in place of `text`; null
is no error, since an earlier GOP is missing. A substitute is [start, span] of two stills, or null. The samples of all
pictures follow: for each GOP the planes Y, Cb, Cr of its clip or of its stills, uint8 [T, H, W].
"""

import json
import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from ..decoder import GopReader
from ..errors import BitstreamError, EngineError, GvcError
from ..gop.concealment import MOST_SPANNED, Substitute
from ..gop.reader import Outcome, ReadPacket
from ..media import Clip, Packet, VideoFormat
from .failures import described, rebuilt
from .identity import check_versions, versions
from .records import Record
from .tasks import Task, Tools

LENGTH = struct.Struct(">I")
PARTS = ("element", "offset", "reason")  # Of a BitstreamError
GREETING = Task("greet", "the start")

STILLS = 2  # Number of stills between which substitutes are made


class Expected(NamedTuple):
    """What the pictures of a GOP must be: their format and their number, which is 0 if the GOP is missing."""

    format: VideoFormat
    pictures: int

    @property
    def samples(self) -> int:
        """Largest number of luma samples in its pictures or those in their place."""
        return max(self.pictures, STILLS) * self.format.width * self.format.height


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


def _outcome(read: ReadPacket) -> Outcome | GvcError:
    """Return what has become of a packet. Raises errors that no packet can explain, such as those of a GPU."""
    try:
        if not read.outcome:
            raise read.error
        return read.outcome.result()
    except GvcError as error:
        return error


def _answer(outcomes: list[Outcome | GvcError]) -> bytes:
    text = json.dumps([*map(_summary, outcomes)]).encode()
    samples = (np.ascontiguousarray(plane).data for outcome in outcomes for plane in _planes(outcome))
    return b"".join([LENGTH.pack(len(text)), text, *samples])


def _summary(outcome: Outcome | GvcError) -> dict[str, object]:
    if isinstance(outcome, GvcError):
        return {"failure": _described(outcome)}
    if outcome.clip is not None:
        return {"clip": len(outcome.clip[0]), "concealed": outcome.concealed}
    substitute = outcome.substitute and [outcome.substitute.start, outcome.substitute.span]
    return {"error": outcome.error and _described(outcome.error), "substitute": substitute}


def _described(error: GvcError) -> dict[str, object]:
    if isinstance(error, BitstreamError):
        return {"kind": "BitstreamError", **{part: getattr(error, part) for part in PARTS}}
    return described(error)


def _planes(outcome: Outcome | GvcError) -> Clip:
    """Return the planes in an answer."""
    if isinstance(outcome, GvcError):
        return ()
    if outcome.clip is not None:
        return outcome.clip
    substitute = outcome.substitute
    return tuple(map(np.stack, zip(substitute.first, substitute.last, strict=True))) if substitute else ()


def outcomes_of(answer: bytes, expected: Sequence[Expected]) -> list[Outcome | GvcError]:
    """Return what an answer says about each GOP; the planes are views of its bytes.

    Raises EngineError for an answer that is not about these GOPs.
    """
    try:
        offset = LENGTH.size + LENGTH.unpack_from(answer)[0]
        samples, outcomes = _Samples(answer, offset), []
        for summary, gop in zip(json.loads(answer[LENGTH.size : offset]), expected, strict=True):
            outcomes.append(_read_outcome(summary, gop, samples))
        samples.finish()
        return outcomes
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, struct.error):
        raise EngineError("a worker has answered with something else than the pictures it was asked for") from None


class _Samples:
    """Reads the pictures in an answer. Raises ValueError if they are not there."""

    def __init__(self, data: bytes, offset: int):
        self._data, self._offset = data, offset

    def clip(self, video: VideoFormat, pictures: int) -> Clip:
        planes = []
        for height, width in video.plane_shapes:
            count = pictures * height * width
            plane = np.frombuffer(self._data, np.uint8, count, self._offset)
            planes.append(plane.reshape(pictures, height, width))
            self._offset += count
        return tuple(planes)

    def finish(self) -> None:
        if self._offset != len(self._data):
            raise ValueError


def _read_outcome(summary: dict[str, object], expected: Expected, samples: _Samples) -> Outcome | GvcError:
    if "failure" in summary:
        return _error(summary["failure"])
    if "clip" in summary:
        if summary["clip"] != expected.pictures or not expected.pictures:
            raise ValueError
        return Outcome(samples.clip(expected.format, expected.pictures), bool(summary["concealed"]))
    error, substitute = summary["error"] and _error(summary["error"]), None
    if summary["substitute"]:
        start, span = map(int, summary["substitute"])
        if not 0 < span <= MOST_SPANNED or not start > 0:
            raise ValueError
        stills = zip(*samples.clip(expected.format, STILLS), strict=True)
        substitute = Substitute(*stills, start, span)
    if error and not isinstance(error, BitstreamError):
        raise ValueError
    return Outcome(error=error, substitute=substitute)


def _error(summary: dict[str, object]) -> GvcError:
    if summary["kind"] == "BitstreamError":
        return BitstreamError(str(summary["element"]), int(summary["offset"]), str(summary["reason"]))
    return rebuilt(summary)
