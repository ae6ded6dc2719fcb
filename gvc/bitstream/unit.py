# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A coded GOP, as its packet says it."""

from dataclasses import dataclass

from .sequence import SequenceHeader

INDEXES = 2**32  # number of different indexes of GOPs
MAX_SHOWN = 129


@dataclass(frozen=True, kw_only=True)
class GopUnit:
    """One coded GOP: the elements of its packet, in their order.

    header: of a key GOP; None elsewhere.
    index: number of the GOP in the stream, keys the codebooks.
    shown: pictures that this GOP adds to the video, 1..MAX_SHOWN (a shared first boundary is not among them).
    first, last: boundary stills, b"" where the GOP has none of its own.
    ahead: pictures after those that the GOP codes too, to be blended with the next GOP's, 0..MAX_SHOWN.
    tail: correction of the last pictures (gvc.gop.tail), b"" where there is none.
    start, stop, stride: noise levels of the ancestral transition (gvc.bitstream.levels); all 0 with the sde transition.
    bare: the latent is empty, so the packet has no levels and no atoms; read back, they are 0, 0, 1 and b"".
    checked: whether the packet has checks of its parts, and its side information refers to that of the key GOP instead
        of the GOP before.
    compact: whether the packet has the compact syntax, in which all packets are `checked`.
    number: number of the GOP in its chain, if it is `checked`, else 0; that of a key GOP is 0.
    last_check: check of the decoded `last` (gvc.stills.recovery.check_of) where the packet is `checked`, else 0.
    damage: what is wrong with `atoms` in a packet that was read, "" if nothing is.
    repaired: whether wrong bits were put right in a packet that was read.
    """

    header: SequenceHeader | None = None
    index: int
    shown: int
    bare: bool = False
    ahead: int = 0
    first: bytes = b""
    last: bytes = b""
    tail: bytes = b""
    side: bytes = b""  # of the prior
    start: int = 0
    stop: int = 0
    stride: int = 0
    atoms: bytes = b""
    checked: bool = False
    compact: bool = False
    number: int = 0
    last_check: int = 0
    damage: str = ""
    repaired: bool = False

    @property
    def key(self) -> bool:
        """Whether decoding can start here."""
        return self.header is not None
