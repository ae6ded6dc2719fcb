# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Structures of chains in which fewer stills depend on each other, so that a lost one costs less."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ..errors import BitstreamError
from ..media import Planes
from .av1 import StillEncoder, Structure
from .headers import ALL_SLOTS, HeaderReader, slots

# No still of the last layer, which is every second one, is a reference. SVT-AV1 has no other order for which this holds
# whatever the preset, and has this one only where all 32 stills are there. The first still is finer than elsewhere,
# which saves 2 % of the bytes by PSNR, and 6 % with GROUPS (one clip).
LEAVES = Structure(
    {"pred-struct": 2, "hierarchical-levels": 5, "tune": 2}, (-24, -10, 4, 14, 22, 30), first=12, filled=32
)
# Groups of eight that depend on the first still only. Temporal filtering would give each group another first still.
GROUPS = Structure(
    {"pred-struct": 2, "hierarchical-levels": 3, "tune": 2, "enable-tf": 0},
    (-24, -10, 4, 18),
    first=12,
    filled=8,
    group=8,
)
FEW = 17  # number of stills of a chain up to which LEAVES loses less than GROUPS


def resilient(level: int, count: int) -> Structure:
    """Return the structure of a chain of `count` stills for a value of the option `resilience` above 0."""
    return GROUPS if level > 1 and count > FEW else LEAVES


class GroupEncoder:
    """Codes the stills of a chain in groups that refer to themselves and to the chain's first still only.

    Each group is coded behind the first still as a sequence of its own. The first still has the same bytes in all of
    them, and is in the stream once.

    new: function that makes an encoder for a sequence; it has the parameter `threads`.
    size: number of stills in a group.
    threads: as for StillEncoder, default 0.
    """

    def __init__(self, new: Callable[..., StillEncoder], size: int, threads: int = 0):
        self._new, self._size = partial(new, threads=threads), size
        self._encoder: StillEncoder | None = None  # encoder of the current group

    def encode_all(self, pictures: Sequence[Planes]) -> Iterator[bytes]:
        """Yield all stills of the chain, each as a temporal unit.

        Raises BitstreamError if the encoder does not repeat the first still, or refers to what another group has left.
        """
        key, free = b"", slots(ALL_SLOTS)  # slots that no group has filled yet, so that they hold the first still
        for start in range(1, max(len(pictures), 2), self._size):
            self._encoder = self._new()
            units = self._encoder.encode_all([pictures[0], *pictures[start : start + self._size]])
            first = next(units, b"")
            if not key:
                key = first
                yield key
            if first != key:
                raise BitstreamError("still", 0, "the AV1 encoder codes the first still in several ways")
            headers, filled = HeaderReader(), slots(0)
            headers.read(first)
            for unit in units:
                for frame in headers.read(unit):
                    if not frame.references <= free | filled:
                        raise BitstreamError("still", 0, "the AV1 encoder refers to stills of another group")
                    filled |= frame.refreshed
                yield unit
            free -= filled

    def abandon(self) -> None:
        """Leak the encoder of the current group, as StillEncoder.abandon does."""
        if self._encoder:
            self._encoder.abandon()
