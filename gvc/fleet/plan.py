# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of a film: its chains, which can be coded apart, and all that decides what they become."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..media import Picture
from .identity import Identity


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


class Splitter(Protocol):
    """Divides a stream of pictures into chains (gvc.plan.gops.ChainSplitter)."""

    def starts_chain(self, picture: Picture) -> bool:
        """Return whether the next picture in order starts a chain."""
        ...


def planned(pictures: Iterable[Picture], splitter: Splitter) -> Iterator[Chain]:
    """Yield the chains of a video, each as soon as its last picture is known."""
    raise NotImplementedError


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
        raise NotImplementedError


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

    def changes(self, before: "Plan") -> list[str]:
        """Return what differs from an earlier plan, in clauses such as "the source changed"; [] = the same film."""
        raise NotImplementedError

    def job(self, chain: Chain, kind: str = "encode") -> str:
        """Return the name of a chain's job: its number and a hash of all that decides the result.

        kind: "encode" (the default) or "analyse".
        """
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """Return the plan as JSON. Raises OptionError for a plan that is too long to be read back."""
        raise NotImplementedError

    @classmethod
    def parse(cls, data: bytes) -> "Plan":
        """Read what `to_bytes` wrote. Raises FolderError for anything else."""
        raise NotImplementedError
