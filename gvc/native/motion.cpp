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
//   that the vector fits int16. A later candidate replaces the best one only if its cost is strictly lower.
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

#include <algorithm>
#include <cstdint>
#include <cstdlib>
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
constexpr int kBorder = 32;          ///< width in pixels of the border around a plane; windows need 20
constexpr int kReach = 16;           ///< largest distance in pixels by which a window may leave the picture
constexpr int kCoarsest = 64;        ///< upper bound (exclusive) of the coarsest level's sides
constexpr int kLengthWeight = 2;     ///< cost of each unit of a vector's length at the coarsest level
constexpr int kMostSmoothness = 256; ///< largest smoothness for which costs fit an int
constexpr int kSweeps = 3, kRounds = 4;

struct Vector {
    int x = 0, y = 0;
    bool operator==(const Vector &other) const {
        return x == other.x && y == other.y;
    }
};

int distance(Vector a, Vector b) {
    return std::abs(a.x - b.x) + std::abs(a.y - b.y);
}

/// Four vectors, between which nothing depends on the order.
using Four [[gnu::vector_size(16)]] = int32_t;
struct FourVectors {
    Four x, y;
};

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

} // namespace
} // namespace gvc

#define GVC_KERNELS "motion_kernels.h"
#include "each_instruction_set.h"

namespace gvc {
namespace {

/// What is known of the difference of a block at a vector.
struct Known {
    int16_t x, y;
    uint32_t exact : 1, difference : 31; ///< unless exact, a lower bound
};

/// Differences of a block that may be asked for again. Those at vectors with the same place replace each other.
class Memory {
  public:
    Known &at(Vector v) {
        return known_[unsigned(v.x + 11 * v.y) % kSize]; // steps of 1, 2 and 4 on both axes have different places
    }

  private:
    static constexpr int kSize = 32;
    Known known_[kSize] = {};
};

/// A vector and its cost, which is no higher than those of all that were offered.
struct Best {
    Vector vector;
    int cost;
};

/// A block of a level: what its window is compared with, and where vectors may lead.
class Block {
  public:
    Block(const Plane &a, const Plane &b, int row, int column, Memory &memory)
        : b_(b), x_(column * kBlock - (kWindow - kBlock) / 2), y_(row * kBlock - (kWindow - kBlock) / 2),
          memory_(memory) {
        for (int y = 0; y < kWindow; ++y)
            std::copy_n(a.row(y_ + y) + x_, kWindow, window_ + y * kWindow);
    }

    FourVectors clamped(const FourVectors &vectors) const {
        return {clamped(vectors.x, least_.x, most_.x), clamped(vectors.y, least_.y, most_.y)};
    }
    Vector clamped(Vector v) const {
        return {std::clamp(v.x, least_.x, most_.x), std::clamp(v.y, least_.y, most_.y)};
    }

    /// Replaces the best vector by a clamped one if that has a lower cost: its difference and `cost`.
    void offer(Best &best, Vector v, int cost) {
        if (cost >= best.cost)
            return;
        const int limit = best.cost - cost;
        Known &known = memory_.at(v);
        int difference = int(known.difference);
        if (known.x != v.x || known.y != v.y || !(known.exact || difference >= limit)) {
            // With two's complement, shifts and masks of negative vectors round down.
            difference = difference_(window_, b_.row(y_ + (v.y >> 3)) + x_ + (v.x >> 3), b_.stride, v.x & (kUnit - 1),
                                     v.y & (kUnit - 1), limit);
            known = {int16_t(v.x), int16_t(v.y), difference < limit, unsigned(difference)};
        }
        if (difference < limit)
            best = {v, cost + difference};
    }

  private:
    static Four clamped(Four values, int least, int most) {
        values = values < least ? Four{} + least : values;
        return values > most ? Four{} + most : values;
    }

    /// The vector component that displaces a window from one place to another.
    static int component(int from, int to) {
        return std::clamp((to - from) * kUnit, INT16_MIN, INT16_MAX);
    }

    decltype(&scalar::window_difference) const difference_ = GVC_IN_USE(window_difference);
    const Plane &b_;
    const int x_, y_; ///< place of the window in a
    const Vector least_{component(x_, -kReach), component(y_, -kReach)};
    const Vector most_{component(x_, b_.width), component(y_, b_.height)};
    Memory &memory_;
    alignas(64) uint8_t window_[kWindow * kWindow];
};

/// The vectors of up to four neighbours.
class Neighbours {
  public:
    void add(Vector v) {
        x_[count_] = Four{} + v.x;
        y_[count_++] = Four{} + v.y;
    }
    int count() const {
        return count_;
    }
    FourVectors vectors() const {
        return {Four{x_[0][0], x_[1][0], x_[2][0], x_[3][0]}, Four{y_[0][0], y_[1][0], y_[2][0], y_[3][0]}};
    }
    /// The sums of the distances to each of four vectors.
    Four distances(const FourVectors &vectors) const {
        Four sums{};
        for (int i = 0; i < count_; ++i)
            sums += magnitude(vectors.x - x_[i]) + magnitude(vectors.y - y_[i]);
        return sums;
    }

  private:
    static Four magnitude(Four values) {
        const Four sign = values >> 31;
        return (values ^ sign) - sign;
    }

    Four x_[4]{}, y_[4]{}; ///< each component of a neighbour, four times
    int count_ = 0;
};

/// The field of one pyramid level.
class Level {
  public:
    Level(const Plane &a, const Plane &b, int smoothness)
        : rows((a.height + kBlock - 1) / kBlock), columns((a.width + kBlock - 1) / kBlock), a_(a), b_(b),
          smoothness_(smoothness), field_(size_t(rows) * columns), memories_(field_.size()) {}

    const int rows, columns;

    Vector at(int row, int column) const {
        return field_[size_t(row) * columns + column];
    }

    void search_all() {
        for_each_block([this](int, int, Block &block) {
            Best best{{}, INT32_MAX};
            block.offer(best, {}, 0);
            const int reach_x = std::max(1, a_.width / 4), reach_y = std::max(1, a_.height / 4);
            for (int y = -reach_y; y <= reach_y; ++y)
                for (int x = -reach_x; x <= reach_x; ++x) {
                    const Vector vector = block.clamped(Vector{x * kUnit, y * kUnit});
                    block.offer(best, vector, kLengthWeight * distance(vector, {}));
                }
            return best.vector;
        });
    }

    void inherit(const Level &coarse) {
        for_each_block([&](int row, int column, Block &block) {
            const int near_row = std::clamp(row / 2 + (row & 1 ? 1 : -1), 0, coarse.rows - 1);
            const int near_column = std::clamp(column / 2 + (column & 1 ? 1 : -1), 0, coarse.columns - 1);
            Best best{{}, INT32_MAX};
            for (const int parent_row : {row / 2, near_row})
                for (const int parent_column : {column / 2, near_column}) {
                    const Vector parent = coarse.at(parent_row, parent_column);
                    block.offer(best, block.clamped(Vector{2 * parent.x, 2 * parent.y}), 0);
                }
            return best.vector;
        });
    }

    void refine() {
        for (int sweep = 0; sweep < kSweeps; ++sweep)
            for_each_block(
                [&](int row, int column, Block &block) { return improved(row, column, block, kUnit >> sweep); },
                sweep & 1);
    }

  private:
    template <class Choose> void for_each_block(Choose choose, bool backwards = false) {
        const int count = rows * columns;
        for (int i = 0; i < count; ++i) {
            const int index = backwards ? count - 1 - i : i, row = index / columns, column = index % columns;
            Block block(a_, b_, row, column, memories_[index]);
            field_[index] = choose(row, column, block);
        }
    }

    Vector improved(int row, int column, Block &block, int first_step) const {
        Neighbours neighbours;
        if (row > 0)
            neighbours.add(at(row - 1, column));
        if (row + 1 < rows)
            neighbours.add(at(row + 1, column));
        if (column > 0)
            neighbours.add(at(row, column - 1));
        if (column + 1 < columns)
            neighbours.add(at(row, column + 1));

        Best best{at(row, column), INT32_MAX};
        const auto offer = [&](FourVectors vectors, int count) {
            vectors = block.clamped(vectors);
            const Four distances = neighbours.distances(vectors);
            for (int i = 0; i < count; ++i)
                block.offer(best, {vectors.x[i], vectors.y[i]}, smoothness_ * distances[i]);
        };
        offer({Four{} + best.vector.x, Four{} + best.vector.y}, 1);
        offer(neighbours.vectors(), neighbours.count());
        for (int step = first_step; step >= 1; step /= 2)
            for (int round = 0; round < kRounds; ++round) {
                const Vector centre = best.vector;
                offer({centre.x + Four{-step, step, 0, 0}, centre.y + Four{0, 0, -step, step}}, 4);
                if (best.vector == centre)
                    break;
            }
        return best.vector;
    }

    const Plane &a_, &b_;
    const int smoothness_; ///< cost of each unit of distance between neighbouring vectors
    std::vector<Vector> field_;
    std::vector<Memory> memories_;
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
    const py::ssize_t rows = (a.shape(0) + kBlock - 1) / kBlock, columns = (a.shape(1) + kBlock - 1) / kBlock;
    py::array_t<int16_t> result({rows, columns, py::ssize_t{2}});
    int16_t *out = result.mutable_data();
    const py::gil_scoped_release release;
    const std::vector<Plane> levels_a = pyramid(plane_of(a)), levels_b = pyramid(plane_of(b));
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
