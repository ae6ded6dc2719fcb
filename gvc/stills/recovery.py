# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding of a chain's stills where some of them are missing."""

import zlib

from ..errors import BitstreamError
from ..media import Planes, VideoFormat
from .av1 import StillDecoder
from .headers import FrameHeader, HeaderReader, show_existing
from .references import References


def check_of(planes: Planes) -> int:
    """Return the check of a decoded still, 0..255: the lowest byte of the CRC-32 of its samples, plane by plane."""
    value = 0
    for plane in planes:
        value = zlib.crc32(plane.tobytes(), value)
    return value & 0xFF


class RecoveringStills:
    """Decodes the stills of a chain in order, and says which of them are right after some went missing.

    A still is right if its check says so; without a check, if all that it refers to is known to be right.

    Attributes:
        whole: whether all stills so far are right.
    """

    def __init__(self, video: VideoFormat):
        self._decoder, self._headers, self._references = StillDecoder(video), HeaderReader(), References()
        self._next = 0  # number of the next unit
        self.whole = True

    def expect(self, number: int) -> None:
        """Say which unit comes next. number: number of the unit in the chain, at least that of the last one plus 1."""
        if number != self._next:
            self._references.miss()
            self._next, self.whole = number, False

    def decode(self, data: bytes, element: str = "still", check: int | None = None) -> Planes:
        """Decode the next still.

        data: temporal unit.
        element: its name in errors.
        check: check of the picture. Default: there is none.
        Raises BitstreamError if it does not decode, or is not the encoder's picture because others are missing.
        """
        number, self._next = self._next, self._next + 1
        frames = self._frames(data)
        expected = self._references.judge(frames, number, self._headers.orders) if frames else None
        right = False
        try:
            if expected is False and not self.whole and frames[-1].existing is not None:
                raise BitstreamError(element, 0, "the picture that it shows is missing")
            planes = self._decoder.decode(data, element)
            right = check == check_of(planes) if check is not None else bool(expected) or self.whole
        finally:
            self._references.take(frames, number, self._headers.orders, right)
            self.whole &= right
        if not right:
            raise BitstreamError(element, 0, "the still refers to pictures that are missing")
        return planes

    def recover(self, number: int) -> Planes | None:
        """Return the picture of a unit that is missing, if the decoder has got it with another one; else None."""
        slot = self._references.holding(number)
        return None if slot is None else self._decoder.decode(show_existing(slot))

    def later(self, number: int) -> tuple[int, Planes] | None:
        """Return the number and the picture of the first still after `number` that the decoder has already."""
        found = self._references.later(number)
        return None if found is None else (found, self.recover(found))

    def _frames(self, data: bytes) -> list[FrameHeader]:
        try:
            return self._headers.read(data)
        except BitstreamError:
            return []
