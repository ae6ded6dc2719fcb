# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The books of a bitrate and of a cap: how many bits each GOP may take.

With a bitrate a GOP and the pictures that are known to follow get the bits that their duration is worth, less what the
container will add, plus what the GOPs before left over or overdrew. The first still of a chain serves all that follows
and is paid out of the whole; of the rest each GOP has its share. A cap bounds every single GOP.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import RateError

# What Matroska adds, measured with FFmpeg's muxer (docs/BITSTREAM.md, "Containers").
FILE_BYTES = 700  # headers, tags, seek head: 640 to 800 by what tags the source has
KEYFRAME_BYTES = 36  # a cluster and a cue point
FRAME_BYTES = 6  # header of a simple block


@dataclass
class BitrateControl:
    """Hands out bits at `bitrate` bits a second; the books balance over the file."""

    bitrate: int
    begun: bool = field(default=False, init=False)  # something was spent
    _balance: float = field(default=-8.0 * FILE_BYTES, init=False)

    def window(self, seconds: Fraction, pictures: int, key: bool, following: int, whole: bool) -> tuple[float, float]:
        """Return (bits that the packets of the next GOP and `following` pictures may take, the GOP's share of them).

        What was overdrawn, the file's fixed costs to begin with, is paid back over the window, but no GOP pays more
        than half of its income, unless the window is the `whole` rest of a file or of a settled plan.
        """
        income, share = self.bitrate * float(seconds) - _overhead(pictures, key), pictures / (pictures + following)
        coming = self.bitrate * float(seconds) * (1 / share - 1) - _overhead(following, False)
        bits = self._balance + income + coming
        return (bits if whole else max(bits, income / 2 / share)), share

    def check_floor(self, floor: tuple[float, float], seconds: Fraction, pictures: int, key: bool, following: int):
        """Raise RateError when a window cannot pay for a `floor`: bits of the first still, and of each GOP's rest."""
        share = pictures / (pictures + following)
        first, rest = floor
        needed = first + rest / share + _overhead(pictures + following, key) + max(0.0, -self._balance)
        least = needed / (float(seconds) / share)
        if self.bitrate < least:
            raise RateError(
                f"the bitrate of {self.bitrate / 1000:.3g} kb/s lies below the floor of this material, "
                f"about {least / 1000:.3g} kb/s; ask for more, or for longer GOPs"
            )

    def spend(self, bits: float, seconds: Fraction, pictures: int, key: bool) -> None:
        """Book what the packets of the GOP took."""
        self.begun = True
        self._balance += self.bitrate * float(seconds) - _overhead(pictures, key) - bits


@dataclass
class RateCap:
    """Bounds each GOP: a bucket that holds `bufsize` bits and is drained by `maxrate` bits a second."""

    maxrate: int
    bufsize: int
    _fill: float = field(default=0.0, init=False)

    def limit(self, seconds: Fraction, pictures: int, key: bool) -> float:
        """Return the bits that the packets of the next GOP may take at most."""
        return self.maxrate * float(seconds) + self.bufsize - self._fill - _overhead(pictures, key)

    def spend(self, bits: float, seconds: Fraction, pictures: int, key: bool) -> None:
        """Book what the packets of the GOP took."""
        spent = bits + _overhead(pictures, key) - self.maxrate * float(seconds)
        self._fill = max(0.0, self._fill + spent)


def _overhead(pictures: int, key: bool) -> float:
    """Return the bits that a container adds to a GOP."""
    return 8.0 * (FRAME_BYTES * pictures + KEYFRAME_BYTES * key)
