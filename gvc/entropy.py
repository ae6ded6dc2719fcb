# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Entropy coding of the symbols in a GVC stream: sets of atoms, their sizes, and small signed integers.

The range coder and the adaptive models are native (`native/range_coder.h`, `native/adaptive_models.h`). Readers accept
any bytes: they return a value or raise `BitstreamError`.
"""

from __future__ import annotations

import math

import numpy as np

from gvc._native import AdaptiveModel, DeltaModel, RangeDecoder, RangeEncoder
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
