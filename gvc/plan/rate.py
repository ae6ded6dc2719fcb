# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Rate control: one quality number, or an exact bit budget.

With constant quality the coding of every GOP stops at one noise level. With a bitrate a GOP and the pictures that are
known to follow get the bits that their duration is worth, less what the container will add, plus what the GOPs before
left over or overdrew. The first still of a chain serves all that follows and is paid out of the whole; of the rest each
GOP has its share. Either may be capped.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from ..bitstream.levels import sigma_level
from ..errors import RateError
from ..loop.codebook import ATOM_OVERHEAD

BEST_SIGMA_OCTAVES = 8.5  # quality 100 lies so far below quality 0
WORST_CRF = 63.0
WORST_STILL, FINEST_STILL, STILL_SLOPE = 55.5, 10, 0.147  # at quality 0, at best, and a noise level
COARSEST_SIGMA = 6.25  # noise-to-signal ratio at quality 0

# What Matroska adds, measured with FFmpeg's muxer (docs/BITSTREAM.md, "Containers").
FILE_BYTES = 700  # headers, tags, seek head: 640 to 800 by what tags the source has
KEYFRAME_BYTES = 36  # a cluster and a cue point
FRAME_BYTES = 6  # header of a simple block


def crf_quality(crf: float) -> float:
    """Return the quality, 0 (coarsest) to 100, for a constant rate factor of 63 to 0."""
    return 100 * (1 - crf / WORST_CRF)


def quality_level(quality: float) -> int:
    """Return the noise level (gvc.bitstream.levels) where coding stops, for a quality of 0 (coarsest) to 100."""
    return sigma_level(COARSEST_SIGMA * 2.0 ** (-quality / 100 * BEST_SIGMA_OCTAVES))


def still_quantiser(level: int) -> int:
    """Return the AV1 quantiser (crf) of boundary stills that fits a stop level, no coarser than at quality 0."""
    return round(min(_still_quantiser(level), WORST_STILL))


def bitrate_quantiser(level: int) -> float:
    """Return the same in quarters, so that bits are met closely, and ever coarser beyond quality 0."""
    return round(4 * _still_quantiser(level)) / 4


def _still_quantiser(level: int) -> float:
    """Return where the quantiser lies on straight lines, which were measured."""
    return max(FINEST_STILL, WORST_STILL - STILL_SLOPE * (quality_level(0) - level))


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


def bit_price(sigma: float, sample_scale: float) -> float:
    """Return the squared error (luma samples) that one bit of atoms at this noise level is worth.

    A bit less on a Gaussian costs 2 ln 2 times its posterior variance, which is about the noise's. `sample_scale`: of
    the prior.
    """
    return 1.3863 * (sample_scale * sigma) ** 2 / ATOM_OVERHEAD
