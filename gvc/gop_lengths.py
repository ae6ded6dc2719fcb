"""How far apart boundary stills should lie: near where motion cannot be guessed from them, far where it can.

Each further still costs bits and leaves less between stills to be guessed. Both are predicted from one picture in the
middle, of half the size, which is interpolated from the sources of the stills; the figures below are fits to what GOPs
of 4 to 32 pictures of ordinary clips at qualities of 10 to 50 took.
"""

from dataclasses import dataclass

import numpy as np

from ._native import motion_interpolate
from .media import Picture
from .motion import motion_fields
from .schedule import level_sigma

SHORTEST = {"fast": 8, "medium": 2, "slow": 2}  # pictures, by preset
SHORTEST_ON_BUDGET = 4  # a chain keeps its quantiser, and where stills are many they would take what a budget has
BLOCK = 8  # samples a side, at half the size
ERROR_SHARE = 0.5  # mean error between stills, beside the middle's
SATURATION = 16  # water levels, beyond which atoms bound a block's error
STILL_BITS, STILL_SLOPE, STILL_LEVEL = 350, 3.1, 0.5  # bits of a still; of a block's error in such water levels
BIT_PRICE = 1.3863  # squared error that a bit is worth, in water levels: 2 ln 2


@dataclass
class GopLengths:
    """Chooses lengths.

    level: the noise level where coding stops.
    sample_scale: of the prior.
    shortest: pictures; all lengths but the last are multiples of it.
    """

    level: int
    sample_scale: float
    shortest: int

    def choose(self, before: Picture, pictures: list[Picture]) -> list[int]:
        """Return how many of the pictures each GOP should have, in order, given the one before them."""
        halves = {0: _half(before)}
        water = (self.sample_scale * level_sigma(self.level)) ** 2

        def cost(start: int, count: int) -> tuple[float, float]:
            """Return (what is left between stills, the price of a still)."""
            for index in (start, start + count // 2, start + count):
                if index not in halves:
                    halves[index] = _half(pictures[index - 1])
            first, middle, last = (halves[i] for i in (start, start + count // 2, start + count))
            errors = _block_errors(first, middle, last, count // 2, count) / water
            left = np.where(errors < SATURATION, errors, SATURATION * (1 + np.log(errors / SATURATION + 1e-9)))
            bits = STILL_BITS + STILL_SLOPE * float(np.log2(1 + errors / STILL_LEVEL).sum())
            return ERROR_SHARE * (count - 1) * float(left.sum()), BIT_PRICE * bits

        def best(start: int, count: int) -> tuple[float, list[int]]:
            """Return (cost, lengths) of the best cut of a span."""
            left, still = cost(start, count)
            if count <= self.shortest or left < BIT_PRICE * STILL_BITS:
                return left + still, [count]
            middle = -(-count // (2 * self.shortest)) * self.shortest
            (a, before_it), (b, after_it) = best(start, middle), best(start + middle, count - middle)
            return min((left + still, [count]), (a + b, before_it + after_it))

        return best(0, len(pictures))[1]


def _half(picture: Picture) -> np.ndarray:
    """Return the luma at half the size, uint8."""
    luma = picture.planes[0]
    luma = np.pad(luma, [(0, n % 2) for n in luma.shape], "edge").astype(np.uint16)
    sums = luma[::2, ::2] + luma[1::2, ::2] + luma[::2, 1::2] + luma[1::2, 1::2]
    return ((sums + 2) >> 2).astype(np.uint8)


def _block_errors(first: np.ndarray, middle: np.ndarray, last: np.ndarray, num: int, den: int) -> np.ndarray:
    """Return the squared error of each block of the middle, at full size, interpolated from its neighbours."""
    guess = motion_interpolate(first, last, *motion_fields(first, last), num, den)
    squares = (guess.astype(np.float32) - middle) ** 2
    squares = np.pad(squares, [(0, -n % BLOCK) for n in squares.shape])
    rows, columns = (n // BLOCK for n in squares.shape)
    return 4 * squares.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3))
