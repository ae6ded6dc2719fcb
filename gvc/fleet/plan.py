# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of a film: its chains, which can be coded apart, and all that decides what they become."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

from ..errors import OptionError
from ..media import Picture, VideoFormat
from ..pictures.samples import to_coded
from ..plan.gops import ChainSplitter
from .digest import SourceDigest
from .identity import Identity
from .records import LARGEST, Record, is_text

FORMAT = "gvc plan 1"  # First value of a plan's file; the number changes when old plans cannot be read any more
LONGEST_PLAN = 32 << 20  # Largest size of a plan's file in bytes, enough for 300,000 chains
MOST_PICTURES = 1 << 20  # Largest number of pictures in a chain
DIGEST = "[0-9a-f]{64}"
DONE = {"analyse": "analysed", "encode": "coded"}  # What a chain is when a job of each kind is done


@dataclass(frozen=True)
class Chain:
    """A keyframe and the pictures after it, up to the next keyframe that starts a chain.

    number: number of the chain, from 0.
    first: number of its first picture in the video, from 0.
    count: number of its pictures, at least 1.
    pts: timestamp of its first picture in ticks of the source.
    digest: digest of its pictures in hexadecimal (gvc.fleet.digest.SourceDigest).
    """

    number: int
    first: int
    count: int
    pts: int
    digest: str


def planned(pictures: Iterable[Picture], splitter: ChainSplitter, video: VideoFormat) -> Iterator[Chain]:
    """Yield the chains of a video, each as soon as its last picture is known.

    pictures: pictures in order, each with a pts.
    splitter: divider of chains, as an encoder of the whole video has it (Settings.splitter).
    video: format of the pictures.
    """
    number = first = count = pts = 0
    digest = SourceDigest()
    for picture in pictures:
        starts = splitter.starts_chain(replace(picture, planes=to_coded(picture.planes, video)))
        if starts and count:
            yield Chain(number, first, count, pts, digest.hexdigest())
            number, first, count, digest = number + 1, first + count, 0, SourceDigest()
        if not count:
            pts = picture.pts
        digest.add(picture)
        count += 1
    if count:
        yield Chain(number, first, count, pts, digest.hexdigest())


@dataclass(frozen=True)
class SourceFile:
    """The state of a source file, by which a change is seen without reading it.

    path: absolute path with symbolic links resolved.
    size: size in bytes.
    mtime_ns: time of its last change in nanoseconds.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> "SourceFile":
        """Return the state of a file now. Raises OSError."""
        status = os.stat(path)
        return cls(os.path.realpath(path), status.st_size, status.st_mtime_ns)

    @property
    def state(self) -> tuple[int, int]:
        """What tells a change of a file, wherever it lies: size and time."""
        return self.size, self.mtime_ns


@dataclass(frozen=True)
class Plan:
    """The plan of a film.

    source: state of the source file when it was read.
    identity: what decides the bytes beside the pictures.
    chains: chains known so far, default none.
    complete: whether these are all chains of the source, default False.
    damaged: whether parts of the source could not be read, default False.
    bitrates: bits a second for each chain where a bitrate was asked for and shared out, default none.
    """

    source: SourceFile
    identity: Identity
    chains: tuple[Chain, ...] = ()
    complete: bool = False
    damaged: bool = False
    bitrates: tuple[int, ...] = ()

    @property
    def kind(self) -> Literal["encode", "analyse"]:
        """Kind of the jobs that are done now: with a bitrate, all chains are analysed before bits are shared out."""
        return "analyse" if self.identity.options.get("bitrate") and not self.bitrates else "encode"

    def changes(self, before: "Plan") -> list[str]:
        """Return what differs from an earlier plan, in clauses such as "the source changed"; [] = the same film."""
        source = ["the source changed"] * (self.source.state != before.source.state)
        return source + self.identity.changes(before.identity)

    def job(self, chain: Chain, kind: Literal["encode", "analyse"] = "encode") -> str:
        """Return the name of a chain's job: its number and a hash of all that decides the result.

        kind: what is done; default "encode".
        """
        shared_out = kind == "encode" and self.bitrates
        own = {"bitrate": self.bitrates[chain.number]} if shared_out else {}
        return f"{chain.number:05d}-{self.identity.job_hash(kind, chain.first, chain.count, chain.digest, own)}"

    def to_bytes(self) -> bytes:
        """Return the plan as JSON. Raises OptionError for a plan that is too long to be read back."""
        chains = [[chain.count, chain.pts, chain.digest] for chain in self.chains]
        content = {"format": FORMAT, **asdict(replace(self, chains=())), "chains": chains}
        data = json.dumps(content).encode()
        too_large = any(chain.count > MOST_PICTURES for chain in self.chains)
        if too_large or len(data) > LONGEST_PLAN:
            advice = f"keyint up to {MOST_PICTURES}" if too_large else "a larger keyint"
            raise OptionError(f"{len(self.chains)} chains are no plan that can be kept; choose {advice}")
        return data

    @classmethod
    def parse(cls, data: bytes) -> "Plan":
        """Read what `to_bytes` wrote. Raises FolderError for anything else."""
        record = Record.parse(data, "the plan")
        record.text("format", FORMAT)
        source, chains, first = record.record("source"), [], 0
        for count, pts, digest in record.entries("chains", _is_chain):
            chains.append(Chain(len(chains), first, count, pts, digest))
            first += count
        bitrates = record.entries("bitrates", lambda value: type(value) is int and 0 < value <= LARGEST)
        if len(bitrates) not in (0, len(chains)):
            record.refuse("there is not a bitrate for each chain")
        return cls(
            SourceFile(source.text("path"), source.integer("size"), source.integer("mtime_ns", -LARGEST)),
            Identity.parse(record.record("identity")),
            tuple(chains),
            record.flag("complete"),
            record.flag("damaged"),
            tuple(bitrates),
        )


def _is_chain(value: object) -> bool:
    """Return whether a value of JSON describes a chain: number of its pictures, pts of the first one, digest."""
    if not (isinstance(value, list) and len(value) == 3 and type(value[0]) is type(value[1]) is int):
        return False
    count, pts, digest = value
    return 1 <= count <= MOST_PICTURES and abs(pts) <= LARGEST and is_text(digest, DIGEST)
