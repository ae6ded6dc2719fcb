# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How far apart boundary stills should lie: near where motion cannot be guessed from them, far where it can.

Each further still costs bits and leaves less between stills to be guessed. Both are predicted from one picture in the
middle, of half the size, which is interpolated from the sources of the stills; the figures below are fits to what GOPs
of 4 to 32 pictures of ordinary clips at qualities of 10 to 50 took. What stills take differs by the content, up to
three times either way, hardly by the length: so that factor is learned from the stills that were coded.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from .._native import motion_interpolate
from ..bitstream.levels import level_sigma
from ..media import Picture
from ..pictures.motion import half_size, motion_fields

SHORTEST = {"fast": 8, "medium": 2, "slow": 2}  # Fewest pictures of a GOP, by effort.
BLOCK = 8  # samples a side, at half the size
SMOOTHNESS = 4  # of motion
ERROR_SHARE = 2.0  # mean error between stills, beside the middle's
SATURATION = 16  # water levels, beyond which atoms bound a block's error
STILL_BITS, STILL_SLOPE, STILL_LEVEL = 350, 3.1, 0.5  # bits of a still; of a block's error in such water levels
STILL_FACTOR = 2.6  # that stills of ordinary clips take more bits today
LEARNING = 0.7  # share of the latest stills in what is learned about the factor
BIT_PRICE = 1.0  # squared error that a bit is worth, in water levels; 2 ln 2 if only that counted, and not sharpness


@dataclass
class GopLengths:
    """How lengths are chosen.

    sample_scale: of the prior.
    shortest: pictures; all lengths but the last of a part are multiples of it.
    still_factor: bits of stills by those predicted.
    """

    sample_scale: float
    shortest: int
    still_factor: float = STILL_FACTOR

    def learn(self, bits: float, predicted: float) -> None:
        """Say what stills took, of which without the factor `predicted` bits were expected; nothing if none was."""
        if bits and predicted:
            self.still_factor *= (bits / predicted / self.still_factor) ** LEARNING


class Cuts:
    """The ways to cut pictures into GOPs, given the one before them.

    limit: pictures that a GOP may have; each part of so many is cut for itself.
    """

    def __init__(self, lengths: GopLengths, before: Picture, pictures: list[Picture], limit: int):
        self._lengths, self._pictures, self._limit = lengths, [before, *pictures], limit
        self._halves: dict[int, np.ndarray] = {}
        self._errors: dict[tuple[int, int], np.ndarray] = {}

    def best(self, level: int) -> list[int]:
        """Return how many pictures each GOP should have, in order, where coding stops at this noise level."""
        count, water = len(self._pictures) - 1, self._water(level)
        parts = [(start, min(self._limit, count - start)) for start in range(0, count, self._limit)]
        return [length for part in parts for length in self._best(*part, water)[1]]

    def still_bits(self, lengths: list[int], level: int) -> list[float]:
        """Predict the bits of the last still of each GOP, without the factor."""
        spans, water = zip(accumulate(lengths, initial=0), lengths, strict=False), self._water(level)
        return [_still_bits(self._span_errors(*span) / water) for span in spans]

    def _water(self, level: int) -> float:
        return (self._lengths.sample_scale * level_sigma(level)) ** 2

    def _best(self, start: int, count: int, water: float) -> tuple[float, list[int]]:
        """Return (cost, lengths) of the best cut of a span."""
        shortest, price = self._lengths.shortest, BIT_PRICE * self._lengths.still_factor
        errors = self._span_errors(start, count) / water
        left, still = _left(errors, count), price * _still_bits(errors)
        if count <= shortest or left < BIT_PRICE * STILL_BITS:
            return left + still, [count]
        middle = -(-count // (2 * shortest)) * shortest
        (a, before), (b, after) = self._best(start, middle, water), self._best(start + middle, count - middle, water)
        return min((left + still, [count]), (a + b, before + after))

    def _span_errors(self, start: int, count: int) -> np.ndarray:
        """Return the squared error of each block of the middle of a span."""
        if (start, count) not in self._errors:
            first, middle, last = (self._half(start + n) for n in (0, count // 2, count))
            self._errors[start, count] = _block_errors(first, middle, last, count // 2, count)
        return self._errors[start, count]

    def _half(self, index: int) -> np.ndarray:
        if index not in self._halves:
            self._halves[index] = half_size(self._pictures[index].planes[0])
        return self._halves[index]


def _left(errors: np.ndarray, count: int) -> float:
    """Return what is left between stills, given each block's error in the middle; all in water levels."""
    each = np.where(errors < SATURATION, errors, SATURATION * (1 + np.log(errors / SATURATION + 1e-9)))
    return ERROR_SHARE * (count - 1) * float(each.sum())


def _still_bits(errors: np.ndarray) -> float:
    """Return the bits of a still, without the factor, given each block's error in water levels."""
    return STILL_BITS + STILL_SLOPE * float(np.log2(1 + errors / STILL_LEVEL).sum())


def _block_errors(first: np.ndarray, middle: np.ndarray, last: np.ndarray, num: int, den: int) -> np.ndarray:
    """Return the squared error, at full size, of each block of a middle that is interpolated from its neighbours."""
    guess = motion_interpolate(first, last, *motion_fields(first, last, SMOOTHNESS), num, den)
    squares = (guess.astype(np.float32) - middle) ** 2
    squares = np.pad(squares, [(0, -n % BLOCK) for n in squares.shape])
    rows, columns = (n // BLOCK for n in squares.shape)
    return 4 * squares.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3))
