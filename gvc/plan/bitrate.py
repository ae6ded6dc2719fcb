# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Bit budgets for a target bitrate and for a cap: how many bits each GOP may take.

With a bitrate, a GOP and the pictures known to follow it get the bits for their duration, minus the container's
overhead, plus what earlier GOPs left over or overspent. The first still of a chain serves all pictures of the chain and
is paid from the whole sum; each GOP gets its share of the rest. A cap bounds every single GOP.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import RateError

# Overhead of Matroska, measured with FFmpeg's muxer (docs/BITSTREAM.md, "Containers").
FILE_BYTES = 560  # headers, tags and seek head of a file: 500 to 600, depending on the source's tags
KEYFRAME_BYTES = 36  # cluster and cue point of a keyframe
FRAME_BYTES = 6  # header of a simple block


@dataclass
class BitrateControl:
    """Distributes bits so that the average is `bitrate` bits a second.

    bitrate: bits a second.
    whole: whether these are the bits of a whole file, with its headers, which must not be below the material's floor.
        The bits of a single chain were shared out with regard to what it needs.
    """

    bitrate: int
    whole: bool
    begun: bool = field(default=False, init=False)  # whether a GOP has been coded
    _balance: float = field(init=False)  # bits left over; below 0 if overspent

    def __post_init__(self):
        self._balance = -8.0 * FILE_BYTES * self.whole

    def window(self, seconds: Fraction, pictures: int, key: bool, following: int, whole: bool) -> tuple[float, float]:
        """Return (bits for the packets of the next GOP and the pictures known to follow it, share of that GOP).

        seconds, pictures: duration and number of pictures of the GOP.
        key: whether the GOP starts a chain.
        following: number of pictures known to follow.
        whole: whether these are all pictures of the rest of the file or of a settled plan.

        Bits that were overspent (at first the file's fixed overhead) are paid back over this window. Unless it is
        `whole`, a GOP gives at most half of its bits for that.
        """
        own, share = self.bitrate * float(seconds) - overhead(pictures, key), pictures / (pictures + following)
        later = self.bitrate * float(seconds) * (1 / share - 1) - overhead(following, False)
        bits = self._balance + own + later
        return (bits if whole else max(bits, own / 2 / share)), share

    def check_floor(self, floor: tuple[float, float], seconds: Fraction, pictures: int, key: bool, following: int):
        """Raise RateError if the bitrate of a whole file is too low for a window.

        floor: smallest possible bits of the chain's first still, and of everything else in a GOP.
        seconds, pictures, key, following: as for `window`.
        """
        if not self.whole:
            return
        share = pictures / (pictures + following)
        first, rest = floor
        needed = first + rest / share + overhead(pictures + following, key) + max(0.0, -self._balance)
        least = needed / (float(seconds) / share)
        if self.bitrate < least:
            raise RateError(
                f"the bitrate of {self.bitrate / 1000:.3g} kb/s lies below the floor of this material, "
                f"about {least / 1000:.3g} kb/s; set a higher bitrate, or longer GOPs"
            )

    def spend(self, bits: float, seconds: Fraction, pictures: int, key: bool) -> None:
        """Record the bits that the packets of a GOP took."""
        self.begun = True
        self._balance += self.bitrate * float(seconds) - overhead(pictures, key) - bits


@dataclass
class RateCap:
    """A leaky bucket that bounds each GOP: it holds `bufsize` bits and drains by `maxrate` bits a second."""

    maxrate: int
    bufsize: int
    _fill: float = field(default=0.0, init=False)  # bits in the bucket

    def limit(self, seconds: Fraction, pictures: int, key: bool) -> float:
        """Return the largest number of bits for the packets of the next GOP."""
        return self.maxrate * float(seconds) + self.bufsize - self._fill - overhead(pictures, key)

    def spend(self, bits: float, seconds: Fraction, pictures: int, key: bool) -> None:
        """Record the bits that the packets of a GOP took."""
        spent = bits + overhead(pictures, key) - self.maxrate * float(seconds)
        self._fill = max(0.0, self._fill + spent)


def overhead(pictures: int, key: bool) -> float:
    """Return the bits that a container adds to a GOP."""
    return 8.0 * (FRAME_BYTES * pictures + KEYFRAME_BYTES * key)
