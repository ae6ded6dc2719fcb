# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What native kernels compute, written down again in NumPy after docs/BITSTREAM.md, one formula at a time."""

import numpy as np

HALF_OF_TAPS = [
    (0, 64, 0, 0), (-2, 64, 2, 0), (-3, 61, 6, 0), (-4, 59, 10, -1), (-4, 56, 14, -2), (-5, 51, 20, -2),
    (-5, 47, 25, -3), (-4, 41, 30, -3), (-4, 36, 36, -4),
]  # fmt: skip
TAPS = np.array(HALF_OF_TAPS + [taps[::-1] for taps in HALF_OF_TAPS[7:0:-1]])  # section 11.6
BILINEAR_TAPS = np.array([(0, 16 - i, i, 0) for i in range(16)])  # Annex A: gp/1


def block_ways(motion, time, weight, most, change):
    """Return p, q (each [R, C, (x, y)]) and w [R, C] of section 11.6, "Ways of a block".

    motion: fields F and G. time: (num, den). weight: that of b, without corrections; most: its largest value.
    change: field of corrections [R, C, 3].
    """
    (F, G), (num, den), change = (field.astype(np.int64) for field in motion), time, change.astype(np.int64)
    rows, columns = F.shape[:2]
    r, c = np.mgrid[:rows, :columns]

    def part(v, m):
        return (2 * v * m + den) // (2 * den)

    def at(V, m):
        x = np.clip(64 * c - part(V[..., 0], m), 0, 64 * (columns - 1))
        y = np.clip(64 * r - part(V[..., 1], m), 0, 64 * (rows - 1))
        (row, fy), (column, fx) = divmod(y, 64), divmod(x, 64)
        below, right = np.minimum(row + 1, rows - 1), np.minimum(column + 1, columns - 1)
        fx, fy = fx[..., None], fy[..., None]
        upper = V[row, column] * (64 - fx) + V[row, right] * fx
        return upper * (64 - fy) + (V[below, column] * (64 - fx) + V[below, right] * fx) * fy

    m = (at(F, num) - at(G, den - num) + 512) >> 10
    p = part(m, num)
    return p - change[..., :2], m - p + change[..., :2], np.clip(weight + change[..., 2], 0, most)


def of_samples(values, height, width, B):
    """Return the weighted sums of the values [R, C] of the four blocks around each sample ("Ways of a sample")."""
    for axis, size in enumerate((height, width)):
        e = 2 * np.arange(size) + 1 - B
        j, weight = divmod(e, 2 * B)
        first, second = (np.clip(k, 0, values.shape[axis] - 1) for k in (j, j + 1))
        weight = weight[:, None] if axis == 0 else weight
        values = values.take(first, axis) * (2 * B - weight) + values.take(second, axis) * weight
    return values


def sampled(plane, X, Y, taps):
    """Return S of section 11.6 at X, Y in 1/16 sample."""
    total = 0
    for i in range(4):
        for j in range(4):
            row = np.clip((Y >> 4) - 1 + j, 0, plane.shape[0] - 1)
            column = np.clip((X >> 4) - 1 + i, 0, plane.shape[1] - 1)
            total = total + taps[Y % 16, j] * taps[X % 16, i] * plane[row, column].astype(np.int64)
    return total


def interpolated(pair, motion, time, *, shift=0, sharp=True, share=-1.0, correction=None):
    """Return (mix, a alone, b alone), what motion_interpolate and motion_parts compute (section 11.6)."""
    (a, b), (num, den), (height, width) = pair, time, pair[0].shape
    B, d, h = 8 >> shift, 10 - shift, 8 - 2 * shift
    unit, scale, taps = (256, 20, TAPS) if sharp else (16384, 22, BILINEAR_TAPS)
    weight = (unit * num + den // 2) // den if share < 0 else int(unit * share + 0.5)
    change = np.zeros((*motion[0].shape[:2], 3)) if correction is None else correction * (1, 1, share < 0)
    p, q, w = block_ways(motion, time, weight, unit, change)
    P, Q = ([of_samples(way[..., i], height, width, B) + 2 ** (d - 1) >> d for i in (0, 1)] for way in (p, q))
    W = of_samples(w, height, width, B) + 2 ** (h - 1) >> h
    y, x = np.mgrid[:height, :width]
    from_a, from_b = sampled(a, 16 * x - P[0], 16 * y - P[1], taps), sampled(b, 16 * x + Q[0], 16 * y + Q[1], taps)

    def mixed(weights):
        mix = from_a * (unit - weights) + from_b * weights
        return np.clip((mix + 2 ** (scale - 1)) >> scale, 0, 255).astype(np.uint8)

    return mixed(W), mixed(0), mixed(unit)
