# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What native kernels compute, written down again in NumPy after docs/BITSTREAM.md, one formula at a time."""

import math

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


def pyramid(luma):
    """Return the levels of section 11.6 from level 0 on, int [h, w] each."""
    levels = [luma.astype(np.int64)]
    while max(levels[-1].shape) >= 64:
        level = np.pad(levels[-1], [(0, side % 2) for side in levels[-1].shape], "edge")
        levels.append((level[::2, ::2] + level[1::2, ::2] + level[::2, 1::2] + level[1::2, 1::2] + 2) >> 2)
    return levels


class MotionLevel:
    """The search of section 11.6 on one level. field: vector (x, y) of each block by (row, column)."""

    def __init__(self, first, second, smoothness):
        self.first, self.second, self.smoothness = first, second, smoothness
        self.height, self.width = first.shape
        self.rows, self.columns = -(-self.height // 8), -(-self.width // 8)
        self.blocks = [(row, column) for row in range(self.rows) for column in range(self.columns)]
        self.field, self._differences = {}, {}

    def difference(self, block, v):
        """Return the difference of a block at a vector."""
        if (block, v) not in self._differences:
            y, x = np.mgrid[:16, :16] + np.array([8 * i - 4 for i in block])[:, None, None]
            (X, fx), (Y, fy) = divmod(v[0], 8), divmod(v[1], 8)

            def read(plane, y, x):
                return plane[np.clip(y, 0, self.height - 1), np.clip(x, 0, self.width - 1)]

            q = [[read(self.second, y + Y + j, x + X + i) for i in (0, 1)] for j in (0, 1)]
            upper, lower = (row[0] * (8 - fx) + row[1] * fx for row in q)
            samples = (upper * (8 - fy) + lower * fy + 32) >> 6
            self._differences[block, v] = int(np.abs(read(self.first, y, x) - samples).sum())
        return self._differences[block, v]

    def clamped(self, block, v):
        """Return a vector, clamped for a block."""
        sides, corner = (self.width, self.height), (8 * block[1] - 4, 8 * block[0] - 4)
        bounds = (
            (max(8 * (-16 - c), -32768), min(8 * (side - c), 32767)) for side, c in zip(sides, corner, strict=True)
        )
        return tuple(min(max(value, least), most) for value, (least, most) in zip(v, bounds, strict=True))

    def better(self, block, best, v, cost_of):
        """Return the better of `best` (vector, cost), which may be None, and a vector beside its difference."""
        v = self.clamped(block, v)
        cost = self.difference(block, v) + cost_of(v)
        return (v, cost) if best is None or cost < best[1] else best

    def search_all(self):
        """Step 1, for the coarsest level."""
        most_i, most_j = (max(1, side // 4) for side in (self.width, self.height))
        everywhere = [(8 * i, 8 * j) for j in range(-most_j, most_j + 1) for i in range(-most_i, most_i + 1)]
        for block in self.blocks:
            best = None
            for v in [(0, 0), *everywhere]:
                best = self.better(block, best, v, lambda v: 2 * (abs(v[0]) + abs(v[1])))
            self.field[block] = best[0]

    def inherit(self, coarser):
        """Step 2, for all others."""
        for r, c in self.blocks:
            r2 = min(max(r // 2 + (1 if r % 2 else -1), 0), coarser.rows - 1)
            c2 = min(max(c // 2 + (1 if c % 2 else -1), 0), coarser.columns - 1)
            best = None
            for parent in ((r // 2, c // 2), (r // 2, c2), (r2, c // 2), (r2, c2)):
                doubled = tuple(2 * value for value in coarser.field[parent])
                best = self.better((r, c), best, doubled, lambda v: 0)
            self.field[r, c] = best[0]

    def refine(self):
        """Step 3."""
        for blocks, steps in ((self.blocks, (8, 4, 2, 1)), (self.blocks[::-1], (4, 2, 1)), (self.blocks, (2, 1))):
            for r, c in blocks:
                self.field[r, c] = self._refined((r, c), steps)

    def _refined(self, block, steps):
        r, c = block
        around = [self.field[n] for n in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)) if n in self.field]

        def cost_of(v):
            return self.smoothness * sum(abs(v[0] - u[0]) + abs(v[1] - u[1]) for u in around)

        best = None
        for v in [self.field[block], *around]:
            best = self.better(block, best, v, cost_of)
        for s in steps:
            for _ in range(4):
                (x, y), _ = start = best
                for v in ((x - s, y), (x + s, y), (x, y - s), (x, y + s)):
                    best = self.better(block, best, v, cost_of)
                if best == start:
                    break
        return best[0]


def motion_field(first, second, smoothness):
    """Return the motion field from one picture to another, int [R, C, (x, y)] (section 11.6)."""
    coarser = None
    for planes in reversed(list(zip(pyramid(first), pyramid(second), strict=True))):
        level = MotionLevel(*planes, smoothness)
        if coarser is None:
            level.search_all()
        else:
            level.inherit(coarser)
        level.refine()
        coarser = level
    return np.array([coarser.field[block] for block in coarser.blocks]).reshape(coarser.rows, coarser.columns, 2)


def activity(first, last=None):
    """Return the activity map w, float32 [H, W] (section 11.9)."""
    a, b = first.astype(np.int64), None if last is None else last.astype(np.int64)

    def box(v):
        sums = np.array([v[max(y - 6, 0) : y + 7].sum(0) for y in range(v.shape[0])])
        return np.array([sums[:, max(x - 6, 0) : x + 7].sum(1) for x in range(v.shape[1])]).T

    n = box(np.ones_like(a))
    variances = [(n * box(p * p) - box(p) ** 2) // n**2 for p in (a, b) if p is not None]
    A = variances[0] + 20 if b is None else sum(variances) // 2 + 20 + box((a - b) ** 2) // n
    q = np.array([[math.isqrt(256 * int(value)) for value in row] for row in A])
    return np.sqrt((q * float(q.size)) / float(q.sum())).astype(np.float32)


def block_model(source, made, of_a, of_b):
    """Return the sums that the kernel block_model describes, float64 [R, C, 10]."""
    source, made, of_a, of_b = (picture.astype(float) for picture in (source, made, of_a, of_b))
    wide = np.pad(made, 1, "edge")
    r, gw = source - made, of_b - of_a
    gx, gy = (wide[1:-1, 2:] - wide[1:-1, :-2]) / 2, (wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2
    products = [r * r, r * gx, r * gy, r * gw, gx * gx, gx * gy, gx * gw, gy * gy, gy * gw, gw * gw]
    values = np.stack(products, 2)
    for axis in (0, 1):
        values = np.add.reduceat(values, range(0, values.shape[axis], 8), axis)
    return values
