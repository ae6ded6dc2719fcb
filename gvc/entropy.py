# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Entropy coding of the symbols in a GVC stream: sets of atoms, their sizes, and small signed integers.

The range coder itself is native (`native/range_coder.cpp`). Readers accept any bytes: they return a value or raise
`BitstreamError`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gvc._native import RangeDecoder, RangeEncoder
from gvc.errors import BitstreamError

__all__ = [
    "MAX_COUNT",
    "AdaptiveModel",
    "DeltaModel",
    "RangeDecoder",
    "RangeEncoder",
    "read_atoms",
    "read_count",
    "set_bits",
    "write_atoms",
    "write_count",
]

MAX_COUNT = 1 << 20
"""Largest number of atoms in a set."""

# Weight of a bit length by its distance from the bit length of the previous count; any larger distance has weight 1.
_LENGTH_WEIGHTS = (128, 40, 12, 4)


def set_bits(size: int, count: int) -> float:
    """Ideal cost in bits of `count` signed atoms out of `size`: log2 C(size, count) + count."""
    ways = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return ways / math.log(2) + count


def write_atoms(encoder: RangeEncoder, indices: np.ndarray, signs: np.ndarray, size: int) -> None:
    """Write ascending `indices` (uint32 [M]) below `size` and their `signs` (int8 [M], +1 or -1), but not M itself."""
    if len(indices) != len(signs):
        raise ValueError("every atom needs one sign")
    encoder.encode_subset(indices, size)
    encoder.encode_signs(signs)


def read_atoms(decoder: RangeDecoder, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read what `write_atoms` wrote: (indices uint32 [count], ascending; signs int8 [count])."""
    return decoder.decode_subset(count, size), decoder.decode_signs(count)


def write_count(encoder: RangeEncoder, count: int, previous: int) -> None:
    """Write the number of atoms, 0..MAX_COUNT, as its bit length and its lower bits.

    previous: the number in the set before; the closer the two bit lengths, the fewer bits are needed.
    """
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"the number of atoms must be 0..{MAX_COUNT}")
    weights, length = _length_weights(previous), count.bit_length()
    encoder.encode(sum(weights[:length]), weights[length], sum(weights))
    if length > 1:
        encoder.encode_bits(count - (1 << length - 1), length - 1)


def read_count(decoder: RangeDecoder, previous: int) -> int:
    """Read the number of atoms as `write_count` wrote it."""
    weights = _length_weights(previous)
    length = _find(decoder, weights)
    count = length if length < 2 else decoder.decode_bits(length - 1) + (1 << length - 1)
    if count > MAX_COUNT:
        raise BitstreamError("count", 0, f"{count} is more than {MAX_COUNT}")
    return count


def _length_weights(previous: int) -> list[int]:
    """Return the weights of the bit lengths 0..21, given the previous count."""
    distances = (abs(length - previous.bit_length()) for length in range(MAX_COUNT.bit_length() + 1))
    return [_LENGTH_WEIGHTS[d] if d < len(_LENGTH_WEIGHTS) else 1 for d in distances]


def _find(decoder: RangeDecoder, weights: list[int]) -> int:
    """Decode a symbol whose probabilities are proportional to `weights`."""
    total, start, symbol = sum(weights), 0, 0
    value = decoder.decode(total)
    while value >= start + weights[symbol]:
        start += weights[symbol]
        symbol += 1
    decoder.consume(start, weights[symbol], total)
    return symbol


class AdaptiveModel:
    """Frequencies of the symbols 0..size-1, updated with every symbol that is coded.

    odds: initial frequencies, default 1 for each symbol.
    """

    _STEP, _LIMIT = 32, 1 << 13

    def __init__(self, size: int, odds: Sequence[int] = ()):
        self.weights = list(odds) or [1] * size

    def write(self, encoder: RangeEncoder, symbol: int) -> None:
        """Write `symbol`, 0..size-1."""
        encoder.encode(sum(self.weights[:symbol]), self.weights[symbol], sum(self.weights))
        self._learn(symbol)

    def read(self, decoder: RangeDecoder) -> int:
        """Read a symbol as `write` wrote it."""
        symbol = _find(decoder, self.weights)
        self._learn(symbol)
        return symbol

    def _learn(self, symbol: int) -> None:
        self.weights[symbol] += self._STEP
        if sum(self.weights) > self._LIMIT:
            self.weights = [(weight + 1) // 2 for weight in self.weights]


class DeltaModel:
    """Adaptive code for signed integers near zero: a symbol for each of -reach..reach, and an escape for all others.

    The escape is followed by the excess e = |value| - reach, 0 < e < 2**31: its bit length minus one (5 bits), the
    bits below its leading one, and the sign bit (1 = negative).
    """

    def __init__(self, reach: int = 8):
        self.reach, self._symbols = reach, AdaptiveModel(2 * reach + 2)

    def write_delta(self, encoder: RangeEncoder, value: int) -> None:
        """Write `value`, |value| - reach < 2**31."""
        excess = abs(value) - self.reach
        if excess <= 0:
            self._symbols.write(encoder, value + self.reach)
            return
        length = excess.bit_length()
        if length > 31:
            raise ValueError(f"{value} is too large to code")
        self._symbols.write(encoder, 2 * self.reach + 1)
        encoder.encode_bits(length - 1, 5)
        encoder.encode_bits(excess - (1 << length - 1), length - 1)
        encoder.encode_bits(int(value < 0), 1)

    def read_delta(self, decoder: RangeDecoder) -> int:
        """Read a value as `write_delta` wrote it."""
        symbol = self._symbols.read(decoder)
        if symbol <= 2 * self.reach:
            return symbol - self.reach
        below = decoder.decode_bits(5)
        magnitude = self.reach + (1 << below) + decoder.decode_bits(below)
        return -magnitude if decoder.decode_bits(1) else magnitude
