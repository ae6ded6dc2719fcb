# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Corrections of motion and their code, written once more from docs/BITSTREAM.md (10.2, 10.5, 11.7)."""

import numpy as np

from gvc.entropy import RangeEncoder

MAX_STEPS = 4095  # largest change of a cell in steps
STEPS = np.array([16, 16, 64])  # size of a step in units of a field

Levels = list[np.ndarray]  # changes in cells, the coarsest level first: int64 [rows, columns, 3] in steps


def sides(height: int, width: int) -> list[int]:
    """Return the side of the cells of each level, the coarsest first."""
    result = [16]
    while result[0] < max(height, width):
        result.insert(0, 2 * result[0])
    return result


def cell_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (rows, columns) of the cells of each level, the coarsest first."""
    return [(-(-height // side), -(-width // side)) for side in sides(height, width)]


def field_of(levels: Levels, height: int, width: int) -> np.ndarray:
    """Return the field that cells make, int64 [rows, columns, 3]."""
    field = np.zeros((1, 1, 3), np.int64)
    for number, shape in enumerate([*cell_shapes(height, width), (-(-height // 8), -(-width // 8))]):
        field = field if number == 0 else _refined(field, *shape)
        if number < len(levels):
            field = field + STEPS * levels[number]
    return field


def _refined(field: np.ndarray, rows: int, columns: int) -> np.ndarray:
    fine = np.zeros((rows, columns, 3), np.int64)
    for r, c in np.ndindex(rows, columns):
        far_r, far_c = (
            min(max(i // 2 + (1 if i % 2 else -1), 0), size - 1)
            for i, size in zip((r, c), field.shape[:2], strict=True)
        )
        near_r, near_c = r // 2, c // 2
        total = 9 * field[near_r, near_c] + 3 * field[far_r, near_c] + 3 * field[near_r, far_c] + field[far_r, far_c]
        fine[r, c] = (total + 8) >> 4
    return fine


class Model:
    """An adaptive model of symbols."""

    def __init__(self, weights: list[int]):
        self.weights = weights

    def write(self, encoder: RangeEncoder, symbol: int) -> None:
        encoder.encode(sum(self.weights[:symbol]), self.weights[symbol], sum(self.weights))
        self.weights[symbol] += 32
        if sum(self.weights) > 8192:
            self.weights = [(weight + 1) // 2 for weight in self.weights]


class Deltas:
    """An adaptive model of signed integers."""

    def __init__(self, reach: int):
        self.reach, self.symbols = reach, Model([1] * (2 * reach + 2))

    def write(self, encoder: RangeEncoder, value: int) -> None:
        excess = abs(value) - self.reach
        if excess <= 0:
            self.symbols.write(encoder, value + self.reach)
            return
        self.symbols.write(encoder, 2 * self.reach + 1)
        length = excess.bit_length()
        encoder.encode_bits(length - 1, 5)
        encoder.encode_bits(excess - (1 << length - 1), length - 1)
        encoder.encode_bits(int(value < 0), 1)


def write_corrections(encoder: RangeEncoder, height: int, width: int, pictures: list[Levels]) -> None:
    """Write the changes in the cells of each picture."""
    depth = Model([1] * (len(sides(height, width)) + 1))
    used = Model([60, 3]), Model([8, 4])
    way, weight = Deltas(6), Deltas(3)
    for levels in pictures:
        depth.write(encoder, len(levels))
        for number, level in enumerate(levels):
            for r, c in np.ndindex(level.shape[:2]):
                around = number == 0 or levels[number - 1][r // 2, c // 2].any()
                used[int(around)].write(encoder, int(level[r, c].any()))
                if level[r, c].any():
                    for model, value in zip((way, way, weight), level[r, c], strict=True):
                        model.write(encoder, int(value))
