// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// How busy the pictures around a GOP are at each sample. Normative (docs/BITSTREAM.md 11.9): integers, and square roots
// and quotients of integers, which binary64 gives rightly rounded everywhere.
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

constexpr int kRadius = 6; ///< samples around the middle of the window
constexpr int kFloor = 20; ///< variance of a sample that is expected everywhere
constexpr int kUnit = 256; ///< of activity, before the root

using Row = std::vector<uint32_t>;

/// Sums over the square window around each sample, as far as it lies in the picture, for one row after another. Running
/// sums may wrap around, their differences are right: 169 squares of samples, and squares of 169 samples, fit.
class WindowSums {
  public:
    WindowSums(int width, int height)
        : width_(width), height_(height), columns_(width), upto_(width + 2 * kRadius + 1) {}

    /// Goes to the sums of row y, after those of y - 1. `value(row, x)` is what is summed.
    template <class Value> GVC_INLINE void move_to(int y, Row &sums, Value value) {
        for (int row = y ? y + kRadius : 0; row <= std::min(y + kRadius, height_ - 1); ++row)
            for (int x = 0; x < width_; ++x)
                columns_[x] += value(row, x);
        if (const int row = y - kRadius - 1; row >= 0)
            for (int x = 0; x < width_; ++x)
                columns_[x] -= value(row, x);
        uint32_t *const upto = upto_.data() + kRadius; // of the sums of columns; before it, zeros
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

/// Rounded down. Quotients of such small integers are at least 1 / b away from the next one, so binary64 does not reach
/// it.
GVC_INLINE int quotient(uint32_t a, uint32_t b) {
    return int(double(a) / double(b));
}

/// Variances of one picture, row by row.
class Variance {
  public:
    explicit Variance(const Plane &plane)
        : plane_(plane), values_(plane.width, plane.height), squares_(plane.width, plane.height), sum_(plane.width),
          square_sum_(plane.width) {}

    /// Adds the variances around the samples of row y. counts: samples of their windows.
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
               "Square roots, times 16 and rounded down, of the activity at each sample, int32 [H, W]: of the variance "
               "around it in pictures uint8 [H, W], and with two of how they differ there.");
}

} // namespace gvc
