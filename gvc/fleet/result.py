# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a job: packets and a log, in one small file (docs/FLEET.md, "The job folder")."""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import OptionError
from ..media import Packet
from .plan import DIGEST, MOST_PICTURES
from .records import FolderError, Record, is_text

MAGIC = b"GVCJOB1\n"
NAME = r"\d{5,9}-[0-9a-f]{32}"  # Regular expression of a job's name
LENGTHS = struct.Struct("<II")  # bytes of the head, number of packets
ENTRY = struct.Struct("<IqqB")  # of each packet: bytes, pts, duration, whether it is a keyframe
CHECKSUM = hashlib.sha256().digest_size
LONGEST_HEAD = 1 << 20  # Largest size of the head in bytes
LONGEST_RESULT = 1 << 30  # Largest size of a result's file in bytes


@dataclass(frozen=True)
class Result:
    """The result of a job.

    name: name of the job (gvc.fleet.plan.Plan.job).
    packets: packets of the chain in order, each with a pts; none for an analysis.
    log: notes in JSON's types: worker and seconds, maybe tries, shown (gvc.fleet.digest.ShownDigest.parts) and others.
    """

    name: str
    packets: list[Packet]
    log: Mapping[str, object]

    @property
    def size(self) -> int:
        """Bytes of all packets."""
        return sum(len(packet.data) for packet in self.packets)

    @property
    def worker(self) -> str:
        """Worker that did the job."""
        return self.log["worker"]

    @property
    def seconds(self) -> float:
        """Time that it took."""
        return self.log["seconds"]

    @property
    def shown(self) -> list[str]:
        """Digests of what decoders show (ShownDigest.parts). Raises FolderError if the log has none."""
        log = Record(self.log, f"the log of job {self.name}")
        return log.entries("shown", lambda value: is_text(value, DIGEST))

    def to_bytes(self) -> bytes:
        """Return the content of the result's file. Raises OptionError if it is too large to be read back."""
        head = json.dumps({"name": self.name, "log": self.log}, allow_nan=False).encode()
        entries = (ENTRY.pack(len(p.data), p.pts, p.duration, p.key) for p in self.packets)
        payload = (packet.data for packet in self.packets)
        content = b"".join([MAGIC, LENGTHS.pack(len(head), len(self.packets)), head, *entries, *payload])
        if len(head) > LONGEST_HEAD or len(content) + CHECKSUM > LONGEST_RESULT:
            raise OptionError(f"the result of job {self.name} has {len(content)} bytes; choose a smaller keyint")
        return content + hashlib.sha256(content).digest()

    @classmethod
    def parse(cls, data: bytes) -> "Result":
        """Read what `to_bytes` wrote. Raises FolderError for anything else, such as a file that was cut short."""
        content, start = memoryview(data)[:-CHECKSUM], len(MAGIC) + LENGTHS.size
        if len(content) < start or content[: len(MAGIC)] != MAGIC:
            raise FolderError("the result of a job is damaged, or not from this version of GVC")
        if hashlib.sha256(content).digest() != data[-CHECKSUM:]:
            raise FolderError("the result of a job is damaged")
        head_bytes, count = LENGTHS.unpack_from(content, len(MAGIC))
        table = start + head_bytes
        payload = table + count * ENTRY.size
        if head_bytes > LONGEST_HEAD or count > MOST_PICTURES or payload > len(content):
            raise FolderError("the result of a job has impossible lengths")
        head = Record.parse(bytes(content[start:table]), "the result of a job")
        packets = []
        for size, pts, duration, key in ENTRY.iter_unpack(content[table:payload]):
            packets.append(Packet(bytes(content[payload : payload + size]), pts, duration, bool(key)))
            payload += size
        if payload != len(content) or not all(packet.data for packet in packets):
            raise FolderError("the result of a job has impossible lengths")
        log = head.record("log")
        log.text("worker")
        log.number("seconds")
        return cls(head.text("name", NAME), packets, log.content)
