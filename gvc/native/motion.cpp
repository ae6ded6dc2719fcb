// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Motion between two pictures. The decoder searches for it too, so the search is normative: it uses only integers, in a
// fixed order.
//
// A field has one vector v for each 8x8 block, in 1/8 pixel, such that a(p) resembles b(p + v). The search goes from
// coarse to fine.
// - Pyramid: each level is the 2x2 mean (sum + 2) >> 2 of the finer one, sides rounded up. Levels are added while the
//   longer side is 64 or more. Positions outside a level have the value of the nearest edge pixel.
// - Difference of block (row, column) at vector v: the sum of absolute differences over the 16x16 window centred on the
//   block. b is sampled bilinearly in 1/8 pixel: (sum of 4 pixels x weights of 64 in all, + 32) >> 6.
// - Vectors are clamped such that the window's upper left pixel, rounded down, lies in [-16, size] on both axes and
// that
//   the vector fits int16. A later candidate replaces the best one only if its cost is strictly lower.
// - Coarsest level: first the zero vector, then all whole-pixel vectors up to +-max(1, size / 4) on each axis, row by
//   row; the cost is difference + 2 (|x| + |y|).
// - Each finer level starts every block with the best (difference only) of the doubled vectors of four coarse blocks:
//   its parent (row / 2, column / 2), then the parent's neighbours in x, in y and in both, on the side where the block
//   lies (before the parent for even, after it for odd rows or columns); indices are clamped to the coarse field.
// - Every level is then refined by three sweeps over the blocks, in raster order, backwards, and in raster order,
//   with the cost difference + smoothness x (sum of |dx| + |dy| to the current vectors of the up to four neighbours).
//   Each prior sets its own smoothness. Candidates in order: the current vector; those of the upper, lower, left and
//   right neighbour; then for s = 8, 4, 2, 1 (the second sweep begins at 4, the third at 2) up to four rounds of
//   (-s, 0), (s, 0), (0, -s), (0, s) around the best vector at the start of the round. The rounds for an s end after
//   one that finds no lower cost.
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kBlock = 8;            ///< side of a block in pixels
constexpr int kWindow = 16;          ///< side in pixels of the window that is compared
constexpr int kPart = 4;             ///< rows of a window that are compared between two checks of the limit
constexpr int kUnit = 8;             ///< vector units in a pixel
constexpr int kBorder = 32;          ///< width in pixels of the border around a plane; windows need 17
constexpr int kReach = 16;           ///< largest distance in pixels by which a window may leave the picture
constexpr int kCoarsest = 64;        ///< upper bound (exclusive) of the coarsest level's sides
constexpr int kLengthWeight = 2;     ///< cost of each unit of a vector's length at the coarsest level
constexpr int kMostSmoothness = 256; ///< largest smoothness for which costs fit an int
constexpr int kSweeps = 3, kRounds = 4;
constexpr int kMostTried =
    1 + 4 + 4 * kRounds * 4; ///< the current vector, four neighbours, and the rounds of four steps

struct Vector {
    int x = 0, y = 0;
    bool operator==(const Vector &other) const {
        return x == other.x && y == other.y;
    }
};

int distance(Vector a, Vector b) {
    return std::abs(a.x - b.x) + std::abs(a.y - b.y);
}

/// A picture with a border that repeats its edge pixels.
class Plane {
  public:
    Plane(int width, int height)
        : width(width), height(height), stride(width + 2 * kBorder), data_(size_t(stride) * (height + 2 * kBorder)) {}
    uint8_t *row(int y) {
        return data_.data() + size_t(y + kBorder) * stride + kBorder;
    }
    const uint8_t *row(int y) const {
        return data_.data() + size_t(y + kBorder) * stride + kBorder;
    }
    void extend() {
        for (int y = 0; y < height; ++y) {
            std::fill_n(row(y) - kBorder, kBorder, row(y)[0]);
            std::fill_n(row(y) + width, kBorder, row(y)[width - 1]);
        }
        for (int y = 0; y < kBorder; ++y) {
            std::copy_n(row(0) - kBorder, stride, row(-1 - y) - kBorder);
            std::copy_n(row(height - 1) - kBorder, stride, row(height + y) - kBorder);
        }
    }
    const int width, height, stride;

  private:
    std::vector<uint8_t> data_;
};

Plane halve(const Plane &fine) {
    Plane coarse((fine.width + 1) / 2, (fine.height + 1) / 2);
    for (int y = 0; y < coarse.height; ++y) {
        const uint8_t *upper = fine.row(2 * y), *lower = fine.row(2 * y + 1);
        for (int x = 0; x < coarse.width; ++x)
            coarse.row(y)[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2;
    }
    coarse.extend();
    return coarse;
}

std::vector<Plane> pyramid(Plane picture) {
    std::vector<Plane> levels{std::move(picture)};
    while (std::max(levels.back().width, levels.back().height) >= kCoarsest)
        levels.push_back(halve(levels.back()));
    return levels;
}

/// Vector types for a row of a window. Compilers keep them in registers; loops over arrays take seven times as long.
using Samples [[gnu::vector_size(kWindow)]] = uint8_t;
using Row [[gnu::vector_size(2 * kWindow)]] = uint16_t;
using SignedRow [[gnu::vector_size(2 * kWindow)]] = int16_t;

GVC_INLINE void load(Row &row, const uint8_t *from) {
    Samples samples;
    std::memcpy(&samples, from, kWindow);
    row = __builtin_convertvector(samples, Row);
}

/// Loads a row interpolated between neighbouring pixels, times left + right.
GVC_INLINE void load(Row &row, const uint8_t *from, uint16_t left, uint16_t right) {
    Row next;
    load(row, from);
    load(next, from + 1);
    row = row * left + next * right;
}

/// Sum of absolute differences between a window of a and a window of b, which is shifted by a fraction of a pixel in
/// units of 1 / kUnit. Once the sum has reached `limit`, the rest of the window is skipped.
GVC_MULTIVERSION int window_difference(const uint8_t *a, int stride_a, const uint8_t *b, int stride_b, int fraction_x,
                                       int fraction_y, int limit) {
    const uint16_t left = kUnit - fraction_x, right = fraction_x, above = kUnit - fraction_y, below = fraction_y;
    Row upper, lower, expected;
    load(upper, b, left, right);
    int difference = 0;
    for (int part = 0; part < kWindow && difference < limit; part += kPart) {
        Row sums{};
        for (int y = 0; y < kPart; ++y, a += stride_a, upper = lower) {
            b += stride_b;
            load(lower, b, left, right);
            load(expected, a);
            const Row samples = (upper * above + lower * below + uint16_t(kUnit * kUnit / 2)) / uint16_t(kUnit * kUnit);
            const auto error = SignedRow(samples - expected);
            sums += Row(error < 0 ? -error : error);
        }
        for (int x = 0; x < kWindow; ++x)
            difference += sums[x];
    }
    return difference;
}

/// The field of one pyramid level.
class Level {
  public:
    Level(const Plane &a, const Plane &b, int smoothness)
        : rows((a.height + kBlock - 1) / kBlock), columns((a.width + kBlock - 1) / kBlock), a_(a), b_(b),
          smoothness_(smoothness), field_(size_t(rows) * columns) {}

    const int rows, columns;

    Vector at(int row, int column) const {
        return field_[size_t(row) * columns + column];
    }

    void search_all() {
        for_each_block([this](int row, int column) {
            Best best{{}, difference(row, column, {}, INT32_MAX)};
            const int reach_x = std::max(1, a_.width / 4), reach_y = std::max(1, a_.height / 4);
            for (int y = -reach_y; y <= reach_y; ++y)
                for (int x = -reach_x; x <= reach_x; ++x) {
                    const Vector vector = clamped(row, column, {x * kUnit, y * kUnit});
                    const int cost = kLengthWeight * distance(vector, {});
                    best.offer(vector, cost + difference(row, column, vector, best.cost - cost));
                }
            return best.vector;
        });
    }

    void inherit(const Level &coarse) {
        for_each_block([&](int row, int column) {
            const int near_row = std::clamp(row / 2 + (row & 1 ? 1 : -1), 0, coarse.rows - 1);
            const int near_column = std::clamp(column / 2 + (column & 1 ? 1 : -1), 0, coarse.columns - 1);
            Best best{{}, INT32_MAX};
            for (const int parent_row : {row / 2, near_row})
                for (const int parent_column : {column / 2, near_column}) {
                    const Vector parent = coarse.at(parent_row, parent_column);
                    const Vector vector = clamped(row, column, {2 * parent.x, 2 * parent.y});
                    best.offer(vector, difference(row, column, vector, best.cost));
                }
            return best.vector;
        });
    }

    void refine() {
        for (int sweep = 0; sweep < kSweeps; ++sweep)
            for_each_block([&](int row, int column) { return improved(row, column, kUnit >> sweep); }, sweep & 1);
    }

  private:
    struct Best {
        Vector vector;
        int cost;
        void offer(Vector candidate, int candidate_cost) {
            if (candidate_cost >= cost)
                return;
            vector = candidate;
            cost = candidate_cost;
        }
    };

    template <class Choose> void for_each_block(Choose choose, bool backwards = false) {
        const int count = rows * columns;
        for (int i = 0; i < count; ++i) {
            const int block = backwards ? count - 1 - i : i;
            field_[block] = choose(block / columns, block % columns);
        }
    }

    static int window_start(int block) {
        return block * kBlock - (kWindow - kBlock) / 2;
    }

    Vector clamped(int row, int column, Vector v) const {
        return {clamped(v.x, window_start(column), a_.width), clamped(v.y, window_start(row), a_.height)};
    }

    static int clamped(int value, int start, int size) {
        return std::clamp(value, std::max((-kReach - start) * kUnit, INT16_MIN),
                          std::min((size - start) * kUnit, INT16_MAX));
    }

    int difference(int row, int column, Vector v, int limit) const {
        const int x = window_start(column), y = window_start(row);
        // With two's complement, shifts and masks of negative vectors round down.
        return window_difference(a_.row(y) + x, a_.stride, b_.row(y + (v.y >> 3)) + x + (v.x >> 3), b_.stride,
                                 v.x & (kUnit - 1), v.y & (kUnit - 1), limit);
    }

    Vector improved(int row, int column, int first_step) const {
        Vector neighbours[4];
        int count = 0;
        if (row > 0)
            neighbours[count++] = at(row - 1, column);
        if (row + 1 < rows)
            neighbours[count++] = at(row + 1, column);
        if (column > 0)
            neighbours[count++] = at(row, column - 1);
        if (column + 1 < columns)
            neighbours[count++] = at(row, column + 1);

        Best best{at(row, column), INT32_MAX};
        Vector tried[kMostTried];
        int tries = 0;
        const auto offer = [&](Vector vector) {
            vector = clamped(row, column, vector);
            if (std::find(tried, tried + tries, vector) != tried + tries)
                return; // its cost is known to be no lower
            tried[tries++] = vector;
            int cost = 0;
            for (int i = 0; i < count; ++i)
                cost += smoothness_ * distance(vector, neighbours[i]);
            if (cost < best.cost)
                best.offer(vector, cost + difference(row, column, vector, best.cost - cost));
        };
        offer(best.vector);
        for (int i = 0; i < count; ++i)
            offer(neighbours[i]);
        for (int step = first_step; step >= 1; step /= 2)
            for (int round = 0; round < kRounds; ++round) {
                const Vector centre = best.vector;
                offer({centre.x - step, centre.y});
                offer({centre.x + step, centre.y});
                offer({centre.x, centre.y - step});
                offer({centre.x, centre.y + step});
                if (best.vector == centre)
                    break;
            }
        return best.vector;
    }

    const Plane &a_, &b_;
    const int smoothness_; ///< cost of each unit of distance between neighbouring vectors
    std::vector<Vector> field_;
};

Level estimate(const std::vector<Plane> &a, const std::vector<Plane> &b, int smoothness, size_t i = 0) {
    Level level(a[i], b[i], smoothness);
    if (i + 1 < a.size())
        level.inherit(estimate(a, b, smoothness, i + 1));
    else
        level.search_all();
    level.refine();
    return level;
}

Plane plane_of(const Array<uint8_t> &picture) {
    Plane plane(int(picture.shape(1)), int(picture.shape(0)));
    for (int y = 0; y < plane.height; ++y)
        std::copy_n(picture.data(y, 0), plane.width, plane.row(y));
    plane.extend();
    return plane;
}

py::array_t<int16_t> motion_field(const Array<uint8_t> &a, const Array<uint8_t> &b, int smoothness) {
    if (smoothness < 0 || smoothness > kMostSmoothness)
        throw std::invalid_argument("smoothness must be 0.." + std::to_string(kMostSmoothness));
    require_picture(a);
    require_same_size(a, b);
    Plane plane_a = plane_of(a), plane_b = plane_of(b);
    py::array_t<int16_t> result({(plane_a.height + kBlock - 1) / kBlock, (plane_a.width + kBlock - 1) / kBlock, 2});
    int16_t *out = result.mutable_data();
    const py::gil_scoped_release release;
    const std::vector<Plane> levels_a = pyramid(std::move(plane_a)), levels_b = pyramid(std::move(plane_b));
    const Level level = estimate(levels_a, levels_b, smoothness);
    for (int row = 0; row < level.rows; ++row)
        for (int column = 0; column < level.columns; ++column) {
            *out++ = int16_t(level.at(row, column).x);
            *out++ = int16_t(level.at(row, column).y);
        }
    return result;
}

} // namespace

void bind_motion(py::module_ &module) {
    module.def(
        "motion_field", &motion_field, py::arg("a"), py::arg("b"), py::arg("smoothness"),
        "Returns the motion between two pictures uint8 [H, W]: vectors int16 [ceil(H / 8), ceil(W / 8), (x, y)] in 1/8 "
        "pixel such that a(p) resembles b(p + v). smoothness: cost of 1/8 pixel between neighbouring vectors, 0..256.");
}

} // namespace gvc
