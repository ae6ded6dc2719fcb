// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Activity (local variance and change) of the pictures around a GOP at each sample. Normative (docs/BITSTREAM.md,
// section 11.9): it uses integers, and square roots and quotients of integers, which binary64 rounds alike on all
// machines.
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kRadius = 6; ///< number of samples from the middle of a window to each side
constexpr int kFloor = 20; ///< variance that is added everywhere
constexpr int kUnit = 256; ///< fixed-point unit of activity before the square root

using Row = std::vector<uint32_t>;

/// Sums over the part of the square window around each sample that lies in the picture, for one row after another.
/// Running sums may wrap around, but their differences are right, because a window's sum of 169 squares fits 32 bits.
class WindowSums {
  public:
    WindowSums(int width, int height)
        : width_(width), height_(height), columns_(width), upto_(width + 2 * kRadius + 1) {}

    /// Computes the sums of row y; the previous call must have been for row y - 1. `value(row, x)` gives the summands.
    template <class Value> GVC_INLINE void move_to(int y, Row &sums, Value value) {
        for (int row = y ? y + kRadius : 0; row <= std::min(y + kRadius, height_ - 1); ++row)
            for (int x = 0; x < width_; ++x)
                columns_[x] += value(row, x);
        if (const int row = y - kRadius - 1; row >= 0)
            for (int x = 0; x < width_; ++x)
                columns_[x] -= value(row, x);
        uint32_t *const upto = upto_.data() + kRadius; // running sums of columns_, after kRadius zeros
        for (int x = 0; x < width_; ++x)
            upto[x + 1] = upto[x] + columns_[x];
        std::fill_n(upto + width_ + 1, kRadius, upto[width_]);
        for (int x = 0; x < width_; ++x)
            sums[x] = upto[x + kRadius + 1] - upto[x - kRadius];
    }

  private:
    const int width_, height_;
    Row columns_, upto_;
};

struct Plane {
    const uint8_t *data;
    int width, height;

    GVC_INLINE int at(int row, int x) const {
        return data[size_t(row) * width + x];
    }
};

/// a / b, rounded down. A quotient of such small integers that is no integer lies at least 1 / b below the next one, so
/// rounding to binary64 does not reach that.
GVC_INLINE int quotient(uint32_t a, uint32_t b) {
    return int(double(a) / double(b));
}

/// Local variances of one picture, row by row.
class Variance {
  public:
    explicit Variance(const Plane &plane)
        : plane_(plane), values_(plane.width, plane.height), squares_(plane.width, plane.height), sum_(plane.width),
          square_sum_(plane.width) {}

    /// Adds the variance around each sample of row y to `total`. counts: number of samples in each window.
    GVC_INLINE void add_to(std::vector<int> &total, int y, const Row &counts) {
        const Plane plane = plane_;
        values_.move_to(y, sum_, [=](int row, int x) { return uint32_t(plane.at(row, x)); });
        squares_.move_to(y, square_sum_, [=](int row, int x) { return uint32_t(plane.at(row, x) * plane.at(row, x)); });
        for (int x = 0; x < plane.width; ++x)
            total[x] += quotient(counts[x] * square_sum_[x] - sum_[x] * sum_[x], counts[x] * counts[x]);
    }

  private:
    Plane plane_;
    WindowSums values_, squares_;
    Row sum_, square_sum_;
};

GVC_MULTIVERSION void write_roots(int32_t *out, const Plane &first, const Plane *last) {
    const int width = first.width, height = first.height;
    WindowSums ones(width, height), differences(width, height);
    Variance of_first(first), of_last(last ? *last : first);
    std::vector<int> activity(width);
    Row counts(width), apart(width);
    for (int y = 0; y < height; ++y) {
        ones.move_to(y, counts, [](int, int) { return 1u; });
        std::fill(activity.begin(), activity.end(), 0);
        of_first.add_to(activity, y, counts);
        if (last) {
            of_last.add_to(activity, y, counts);
            differences.move_to(y, apart, [&](int row, int x) {
                const int difference = first.at(row, x) - last->at(row, x);
                return uint32_t(difference * difference);
            });
            for (int x = 0; x < width; ++x)
                activity[x] = activity[x] / 2 + quotient(apart[x], counts[x]);
        }
        for (int x = 0; x < width; ++x)
            *out++ = int32_t(std::sqrt(double(kUnit) * (activity[x] + kFloor)));
    }
}

py::array_t<int32_t> activity_roots(const Array<uint8_t> &first, const std::optional<Array<uint8_t>> &last) {
    require_picture(first);
    if (last)
        require_same_size(first, *last);
    const int height = int(first.shape(0)), width = int(first.shape(1));
    py::array_t<int32_t> result({height, width});
    int32_t *const out = result.mutable_data();
    const Plane a{first.data(), width, height}, b{last ? last->data() : nullptr, width, height};
    const py::gil_scoped_release release;
    write_roots(out, a, last ? &b : nullptr);
    return result;
}

} // namespace

void bind_activity(py::module_ &module) {
    module.def("activity_roots", &activity_roots, py::arg("first"), py::arg("last") = py::none(),
               "Returns 16 times the square root of the activity at each sample, rounded down, int32 [H, W]. Activity "
               "is the local variance of one or two pictures uint8 [H, W], and with two also their local difference.");
}

} // namespace gvc
