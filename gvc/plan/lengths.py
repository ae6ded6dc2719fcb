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
from ..machine.parallel import each
from ..media import Picture
from ..pictures.motion import half_size, motion_fields

Span = tuple[int, int]  # (number of the picture before, number of pictures)

SHORTEST = {"fast": 8, "medium": 2, "slow": 2}  # Fewest pictures of a GOP, by effort.
BLOCK = 8  # side of a block at half size, in samples
SMOOTHNESS = 4  # weight of smoothness in the motion search
MOST_SEARCHED = 2**17  # largest number of samples of pictures in which motion is searched
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

    def forget(self) -> None:
        """Forget what was learned."""
        self.still_factor = STILL_FACTOR

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
        self._errors: dict[Span, np.ndarray] = {}

    def best(self, level: int) -> list[int]:
        """Return the best number of pictures of each GOP, in order, for coding down to a noise level."""
        count, water = len(self._pictures) - 1, self._water(level)
        parts = [(start, min(self._limit, count - start)) for start in range(0, count, self._limit)]
        self._measure(parts, water)
        return [length for part in parts for length in self._best(*part, water)[1]]

    def still_bits(self, lengths: list[int], level: int) -> list[float]:
        """Predict the bits of the last still of each GOP, without the learned ratio."""
        spans, water = zip(accumulate(lengths, initial=0), lengths, strict=False), self._water(level)
        return [_still_bits(self._span_errors(span) / water) for span in spans]

    def _water(self, level: int) -> float:
        return (self._lengths.sample_scale * level_sigma(level)) ** 2

    def _measure(self, spans: list[Span], water: float) -> None:
        """Measure in parallel the spans that `_best` compares."""
        while spans:
            new = [span for span in spans if span not in self._errors]
            self._errors.update(zip(new, each(self._middle_errors, new), strict=True))
            spans = [half for span in spans if self._divisible(span, water) for half in self._divided(span)]
        self._halves.clear()  # Further spans are few, and all pictures of a window would take much memory.

    def _best(self, start: int, count: int, water: float) -> tuple[float, list[int]]:
        """Return (cost, lengths) of the best division of a span by recursive halving."""
        span = start, count
        errors = self._span_errors(span) / water
        cost = _left(errors, count) + BIT_PRICE * self._lengths.still_factor * _still_bits(errors)
        if not self._divisible(span, water):
            return cost, [count]
        (a, before), (b, after) = (self._best(*half, water) for half in self._divided(span))
        return min((cost, [count]), (a + b, before + after))

    def _divisible(self, span: Span, water: float) -> bool:
        """Return whether a span is long enough to be divided, and its error large enough to pay for a still."""
        count = span[1]
        if count <= self._lengths.shortest:
            return False
        return _left(self._span_errors(span) / water, count) >= BIT_PRICE * STILL_BITS

    def _divided(self, span: Span) -> tuple[Span, Span]:
        (start, count), shortest = span, self._lengths.shortest
        middle = -(-count // (2 * shortest)) * shortest
        return (start, middle), (start + middle, count - middle)

    def _span_errors(self, span: Span) -> np.ndarray:
        """Return the squared error of each block of the interpolated middle picture of a span."""
        if span not in self._errors:
            self._errors[span] = self._middle_errors(span)
        return self._errors[span]

    def _middle_errors(self, span: Span) -> np.ndarray:
        start, count = span
        first, middle, last = (self._half(start + n) for n in (0, count // 2, count))
        return _block_errors(first, middle, last, count // 2, count)

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
    guess = motion_interpolate(first, last, *_motion(first, last), num, den)
    squares = (guess.astype(np.float32) - middle) ** 2
    squares = np.pad(squares, [(0, -n % BLOCK) for n in squares.shape])
    rows, columns = (n // BLOCK for n in squares.shape)
    return 4 * squares.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3))


def _motion(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the motion fields of two pictures, searched at a smaller size if they are large."""
    if first.size <= MOST_SEARCHED:
        return motion_fields(first, last, SMOOTHNESS)
    forth, back = _motion(half_size(first), half_size(last))
    return _doubled(forth, first.shape), _doubled(back, first.shape)


def _doubled(field: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a motion field for pictures of twice the size. shape: height and width of these pictures."""
    rows, columns = (-(-n // BLOCK) for n in shape)
    return np.ascontiguousarray(2 * field.repeat(2, 0).repeat(2, 1)[:rows, :columns])
