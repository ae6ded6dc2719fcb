"""Rate control: one quality number, or an exact bit budget.

With constant quality the coding of every GOP stops at one noise level. With a bitrate each GOP gets the bits that its
duration is worth, less what the container will add, plus what the GOPs before it left over or overdrew. Either may be
capped.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from .errors import RateError
from .schedule import level_sigma, sigma_level

BEST_SIGMA_OCTAVES = 8.5  # quality 100 lies so far below quality 0
WORST_CRF = 63.0
COARSEST_SIGMA = 6.25  # noise-to-signal ratio at quality 0

# What Matroska adds, measured with FFmpeg's muxer (docs/BITSTREAM.md, "Containers").
FILE_BYTES = 700  # headers, tags, seek head: 640 to 800 by what tags the source has
KEYFRAME_BYTES = 36  # a cluster and a cue point
FRAME_BYTES = 6  # header of a simple block


def crf_quality(crf: float) -> float:
    """Return the quality, 0 (coarsest) to 100, for a constant rate factor of 63 to 0."""
    return 100 * (1 - crf / WORST_CRF)


def quality_level(quality: float) -> int:
    """Return the noise level (gvc.schedule) where coding stops, for a quality of 0 (coarsest) to 100."""
    return sigma_level(COARSEST_SIGMA * 2.0 ** (-quality / 100 * BEST_SIGMA_OCTAVES))


def still_crf(level: int) -> int:
    """Return the quantiser of boundary stills that fits a stop level, where no better choice can be computed."""
    return round(max(20.0, min(63.0, 36 + 8 * level_sigma(level) ** 0.5)))


@dataclass
class BitrateControl:
    """Hands out bits at `bitrate` bits a second; the books balance over the file."""

    bitrate: int
    _balance: float = field(default=-8.0 * FILE_BYTES, init=False)

    def budget(self, seconds: Fraction, pictures: int, key: bool, last: bool) -> float:
        """Return the bits that the packets of the next GOP may take.

        The debt of the file's fixed costs is paid back over the first GOPs, by half of each one's income at most, and
        in full by the last one.
        """
        income, overhead = self.bitrate * float(seconds), _overhead(pictures, key)
        self._balance += income - overhead
        return self._balance if last else max(self._balance, income / 2 - overhead)

    def check_floor(self, floor: float, seconds: Fraction, pictures: int, key: bool, last: bool) -> None:
        """Raise RateError when the next GOP, which cannot do with less than `floor` bits, would get less."""
        needed, debt = floor + _overhead(pictures, key), max(0.0, -self._balance)
        least = (needed + (debt if last else min(debt, needed))) / float(seconds)
        if self.bitrate < least:
            raise RateError(
                f"the bitrate of {self.bitrate / 1000:.3g} kb/s lies below the floor of this material, "
                f"about {least / 1000:.3g} kb/s; ask for more, or for longer GOPs"
            )

    def spend(self, bits: float) -> None:
        """Book what the packets of the GOP took."""
        self._balance -= bits


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
