# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The choice of GOP lengths: short where motion cannot be predicted from the boundary stills, long where it can.

A further still costs bits, and reduces the error of the pictures between stills. Both are predicted from one picture in
the middle, at half size, which is interpolated from the stills' source pictures. The constants below are fits to GOPs
of 4 to 32 pictures of ordinary clips at qualities of 10 to 50. The bits of stills depend on the content, by up to a
factor of three either way, but hardly on the length of GOPs. So this factor is learned from coded stills.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from .._native import motion_interpolate
from ..bitstream.levels import level_sigma
from ..media import Picture
from ..pictures.motion import half_size, motion_fields

SHORTEST = {"fast": 8, "medium": 2, "slow": 2}  # Fewest pictures of a GOP, by effort.
BLOCK = 8  # side of a block at half size, in samples
SMOOTHNESS = 4  # weight of smoothness in the motion search
ERROR_SHARE = 2.0  # ratio of the mean error between stills to the error in the middle
SATURATION = 16  # error of a block, in water levels, beyond which atoms limit it
# Bits of a still: a constant, and for each block SLOPE * log2(1 + error / LEVEL), with the error in water levels.
STILL_BITS, STILL_SLOPE, STILL_LEVEL = 350, 3.1, 0.5
STILL_FACTOR = 2.6  # initial ratio of actual to predicted still bits
LEARNING = 0.7  # weight of the latest stills in the learned ratio
# Squared error that a bit is worth, in water levels. Theory says 2 ln 2; the smaller value also favours sharp stills.
BIT_PRICE = 1.0


@dataclass
class GopLengths:
    """Parameters of the choice.

    sample_scale: scale of the prior (gvc.prior.Prior).
    shortest: smallest number of pictures in a GOP; lengths are multiples of it, except the last one of a part.
    still_factor: ratio of actual to predicted bits of stills, default STILL_FACTOR.
    """

    sample_scale: float
    shortest: int
    still_factor: float = STILL_FACTOR

    def learn(self, bits: float, predicted: float) -> None:
        """Update the ratio from coded stills. bits: their bits; predicted: bits predicted without the ratio."""
        if bits and predicted:
            self.still_factor *= (bits / predicted / self.still_factor) ** LEARNING


class Cuts:
    """The possible divisions of pictures into GOPs.

    lengths: parameters of the choice.
    before: the picture before `pictures`, which is a boundary too.
    limit: largest number of pictures in a GOP; each part of this length is divided separately.
    """

    def __init__(self, lengths: GopLengths, before: Picture, pictures: list[Picture], limit: int):
        self._lengths, self._pictures, self._limit = lengths, [before, *pictures], limit
        self._halves: dict[int, np.ndarray] = {}
        self._errors: dict[tuple[int, int], np.ndarray] = {}

    def best(self, level: int) -> list[int]:
        """Return the best number of pictures of each GOP, in order, for coding down to a noise level."""
        count, water = len(self._pictures) - 1, self._water(level)
        parts = [(start, min(self._limit, count - start)) for start in range(0, count, self._limit)]
        return [length for part in parts for length in self._best(*part, water)[1]]

    def still_bits(self, lengths: list[int], level: int) -> list[float]:
        """Predict the bits of the last still of each GOP, without the learned ratio."""
        spans, water = zip(accumulate(lengths, initial=0), lengths, strict=False), self._water(level)
        return [_still_bits(self._span_errors(*span) / water) for span in spans]

    def _water(self, level: int) -> float:
        return (self._lengths.sample_scale * level_sigma(level)) ** 2

    def _best(self, start: int, count: int, water: float) -> tuple[float, list[int]]:
        """Return (cost, lengths) of the best division of a span by recursive halving."""
        shortest, price = self._lengths.shortest, BIT_PRICE * self._lengths.still_factor
        errors = self._span_errors(start, count) / water
        left, still = _left(errors, count), price * _still_bits(errors)
        if count <= shortest or left < BIT_PRICE * STILL_BITS:
            return left + still, [count]
        middle = -(-count // (2 * shortest)) * shortest
        (a, before), (b, after) = self._best(start, middle, water), self._best(start + middle, count - middle, water)
        return min((left + still, [count]), (a + b, before + after))

    def _span_errors(self, start: int, count: int) -> np.ndarray:
        """Return the squared error of each block of the interpolated middle picture of a span."""
        if (start, count) not in self._errors:
            first, middle, last = (self._half(start + n) for n in (0, count // 2, count))
            self._errors[start, count] = _block_errors(first, middle, last, count // 2, count)
        return self._errors[start, count]

    def _half(self, index: int) -> np.ndarray:
        if index not in self._halves:
            self._halves[index] = half_size(self._pictures[index].planes[0])
        return self._halves[index]


def _left(errors: np.ndarray, count: int) -> float:
    """Return the predicted error of all pictures between two stills, given each block's error in the middle.

    All errors are in water levels.
    """
    each = np.where(errors < SATURATION, errors, SATURATION * (1 + np.log(errors / SATURATION + 1e-9)))
    return ERROR_SHARE * (count - 1) * float(each.sum())


def _still_bits(errors: np.ndarray) -> float:
    """Return the predicted bits of a still, without the learned ratio, given each block's error in water levels."""
    return STILL_BITS + STILL_SLOPE * float(np.log2(1 + errors / STILL_LEVEL).sum())


def _block_errors(first: np.ndarray, middle: np.ndarray, last: np.ndarray, num: int, den: int) -> np.ndarray:
    """Return each block's squared error, scaled to full size, of a middle picture interpolated from two others."""
    guess = motion_interpolate(first, last, *motion_fields(first, last, SMOOTHNESS), num, den)
    squares = (guess.astype(np.float32) - middle) ** 2
    squares = np.pad(squares, [(0, -n % BLOCK) for n in squares.shape])
    rows, columns = (n // BLOCK for n in squares.shape)
    return 4 * squares.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3))
