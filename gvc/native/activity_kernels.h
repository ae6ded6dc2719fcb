// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Activity, several samples at a time; included by each_instruction_set.h. activity.cpp says what is computed.

/// Sums over the square window around each sample of a row, for one row after another; samples outside of the picture
/// count 0. Sum must hold the sum of a window.
template <class Sum> class WindowSums {
  public:
    WindowSums(int width, int height)
        : width_(width), height_(height), columns_(width + 2 * kRadius), fours_(columns_.size()), sums_(width) {}

    /// Returns the sums of row y; the previous call must have been for row y - 1. `value(row, x)` gives the summands.
    template <class Value> GVC_TARGET const Sum *row(int y, Value value) {
        Sum *const columns = columns_.data() + kRadius;
        const int width = width_; // copies of members stay in registers, since no store changes them
        for (int row = y ? y + kRadius : 0; row <= std::min(y + kRadius, height_ - 1); ++row)
            for (int x = 0; x < width; ++x)
                columns[x] = Sum(columns[x] + value(row, x));
        if (const int row = y - kRadius - 1; row >= 0)
            for (int x = 0; x < width; ++x)
                columns[x] = Sum(columns[x] - value(row, x));
        add_up(columns_.data(), fours_.data(), sums_.data(), width);
        return sums_.data();
    }

  private:
    /// Adds up the 13 columns around each sample. With size_t, compilers see that x + 1 is beside x.
    GVC_TARGET static void add_up(const Sum *__restrict columns, Sum *__restrict fours, Sum *__restrict sums,
                                  size_t width) {
        static_assert(kRadius == 6);
        for (size_t x = 0; x < width + 2 * kRadius - 3; ++x)
            fours[x] = Sum(columns[x] + columns[x + 1] + columns[x + 2] + columns[x + 3]);
        for (size_t x = 0; x < width; ++x)
            sums[x] = Sum(fours[x] + fours[x + 4] + fours[x + 8] + columns[x + 12]);
    }

    const int width_, height_;
    std::vector<Sum> columns_; ///< sums of columns, with kRadius zeros on each side
    std::vector<Sum> fours_, sums_;
};

/// Divides a number of at most 2^31 by n of at most 169^2, rounded down, given 1 / n. Half a unit more keeps the
/// product at least 1 / 2n away from integers, which is more than the error of rounding.
GVC_TARGET GVC_INLINE int quotient(int a, double inverse) {
    return int((a + 0.5) * inverse);
}

/// The number n of samples in the window around each sample of a row.
class Areas {
  public:
    Areas(int width, int height) : height_(height), across_(width), counts_(width), inverse_(width), squared_(width) {
        for (int x = 0; x < width; ++x)
            across_[x] = covered(x, width);
    }

    GVC_TARGET void move_to(int y) {
        const int down = covered(y, height_);
        if (down == std::exchange(down_, down))
            return;
        for (size_t x = 0; x < across_.size(); ++x) {
            counts_[x] = down * across_[x];
            inverse_[x] = 1.0 / counts_[x];
            squared_[x] = 1.0 / (counts_[x] * counts_[x]);
        }
    }

    const int *n() const {
        return counts_.data();
    }
    const double *inverse() const { ///< 1 / n
        return inverse_.data();
    }
    const double *inverse_squared() const { ///< 1 / n^2
        return squared_.data();
    }

  private:
    static int covered(int at, int size) {
        return std::min(at + kRadius, size - 1) - std::max(at - kRadius, 0) + 1;
    }

    const int height_;
    int down_ = 0; ///< number of rows in the windows
    std::vector<int> across_, counts_;
    std::vector<double> inverse_, squared_;
};

/// Local variances of one picture, row by row.
class Variance {
  public:
    explicit Variance(const Plane &plane)
        : plane_(plane), values_(plane.width, plane.height), squares_(plane.width, plane.height) {}

    /// Adds the variance around each sample of row y to `total`.
    GVC_TARGET void add_to(int *total, int y, const Areas &areas) {
        const Plane plane = plane_;
        const uint16_t *const sums = values_.row(y, [=](int row, int x) { return plane.at(row, x); });
        const uint32_t *const squares =
            squares_.row(y, [=](int row, int x) { return plane.at(row, x) * plane.at(row, x); });
        const int *const n = areas.n();
        const double *const inverse = areas.inverse_squared();
        for (int x = 0; x < plane.width; ++x)
            total[x] += quotient(n[x] * int(squares[x]) - int(sums[x]) * int(sums[x]), inverse[x]);
    }

  private:
    const Plane plane_;
    WindowSums<uint16_t> values_;
    WindowSums<uint32_t> squares_;
};

/// The activity around each sample of one or two pictures, row by row.
class Activity {
  public:
    Activity(const Plane &first, const Plane *last)
        : first_(first), last_(last), areas_(first.width, first.height), differences_(first.width, first.height),
          of_first_(first), of_last_(last ? *last : first) {}

    GVC_TARGET void row(int y, int *activity) {
        const Plane first = first_, last = last_ ? *last_ : first_;
        std::fill_n(activity, first.width, 0);
        areas_.move_to(y);
        of_first_.add_to(activity, y, areas_);
        if (last_) {
            of_last_.add_to(activity, y, areas_);
            const uint32_t *const apart = differences_.row(y, [=](int row, int x) {
                const int difference = first.at(row, x) - last.at(row, x);
                return difference * difference;
            });
            const double *const inverse = areas_.inverse();
            for (int x = 0; x < first.width; ++x)
                activity[x] = activity[x] / 2 + quotient(int(apart[x]), inverse[x]);
        }
        for (int x = 0; x < first.width; ++x)
            activity[x] += kFloor;
    }

  private:
    const Plane first_, *const last_;
    Areas areas_;
    WindowSums<uint32_t> differences_;
    Variance of_first_, of_last_;
};

/// Writes the map of one or two pictures.
GVC_TARGET void write_map(float *out, const Plane &first, const Plane *last) {
    const int width = first.width;
    const size_t size = size_t(width) * first.height;
    Activity activity(first, last);
    std::vector<int> values(padded(width)); // activity, then its roots
    int64_t sum = 0;
    int most = 0;
    for (int y = 0; y < first.height; ++y) {
        activity.row(y, values.data());
        for (int x = 0; x < width; x += kLanes) {
            const Ints squares = kUnit * load(&values[x]), root = roots(squares);
            store(&values[x], root + (root * root > squares)); // binary32 may have rounded up; true is -1
        }
        std::memcpy(out + size_t(y) * width, values.data(), width * sizeof(float)); // for the time being
        for (int x = 0; x < width; ++x) {
            sum += values[x];
            most = std::max(most, values[x]);
        }
    }
    std::vector<float> of_root(most + 1);
    for (int root = 0; root <= most; ++root)
        of_root[root] = float(std::sqrt(double(root) * double(size) / double(sum)));
    for (size_t i = 0; i < size; ++i) {
        int32_t root;
        std::memcpy(&root, out + i, sizeof root);
        out[i] = of_root[root];
    }
}
