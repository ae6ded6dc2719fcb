# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The readers of plans and results in a job folder. An input is either."""

import hashlib
import re
from random import Random

from gvc.bitstream import SequenceHeader, write_sequence_header
from gvc.fleet.folder import FolderError
from gvc.fleet.identity import Identity
from gvc.fleet.plan import Chain, Plan, SourceFile
from gvc.fleet.result import CHECKSUM, LENGTHS, MAGIC, Result
from gvc.media import Packet, VideoFormat

HEAD = len(MAGIC) + LENGTHS.size  # where the head of a result begins
TOKEN = re.compile(rb'"[^"]*"|-?[\d.]+|true|false')  # values and keys of JSON that are no lists or objects
VALUES = (b"-1", b"0", b"1e999", b"1.5", b"9" * 30, b"true", b"null", b'"\\u001b"', b"[]", b"{}", b"[" * 2000, b"NaN")


def seeds() -> dict[str, bytes]:
    video = VideoFormat(32, 24)
    header = write_sequence_header(SequenceHeader(format=video, mode="flf2v", transition="ancestral", prior="gp/4"))
    chains = (Chain(0, 0, 2, 5, "0" * 64), Chain(1, 2, 1, 9, "f" * 64))
    plan = Plan(SourceFile("/a.mkv", 1, 2), Identity.of({}, header, video), chains, True, bitrates=(1000, 2000))
    log = {"worker": "w", "seconds": 1.5, "tries": 1, "shown": ["0" * 64]}
    result = Result(plan.job(chains[0]), [Packet(b"first", 5, 4, True), Packet(b"\1", 9, 4)], log)
    return {"plan": plan.to_bytes(), "result": result.to_bytes()}


def run(data: bytes) -> None:
    try:
        if data.startswith(MAGIC):
            result = Result.parse(data)
            assert Result.parse(result.to_bytes()) == result
            assert result.size < len(data) and result.worker is not None and result.seconds >= 0
        else:
            plan = Plan.parse(data)
            assert Plan.parse(plan.to_bytes()) == plan and plan.changes(plan) == []
            assert len({plan.job(chain) for chain in plan.chains}) == len(plan.chains)
            assert all(str(clause) for clause in plan.changes(Plan.parse(seeds()["plan"])))
    except FolderError as error:
        assert str(error)


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    if not data.startswith(MAGIC) or len(data) < HEAD + CHECKSUM:
        return scramble(data) if chance.randrange(3) == 0 else _with_another_value(data, chance)
    content, (size, count) = data[:-CHECKSUM], LENGTHS.unpack_from(data, len(MAGIC))
    if chance.randrange(2):
        content = scramble(content)
    else:
        head = _with_another_value(content[HEAD : HEAD + size], chance)
        content = MAGIC + LENGTHS.pack(len(head), count) + head + content[HEAD + size :]
    return content + hashlib.sha256(content).digest()


def _with_another_value(data: bytes, chance: Random) -> bytes:
    """Replace one of the values of a JSON text."""
    places = [match.span() for match in TOKEN.finditer(data)] or [(0, 0)]
    start, end = chance.choice(places)
    return data[:start] + chance.choice(VALUES) + data[end:]
