// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// The velocity of the prior gp, whose variances adapt to what is decoded already (docs/BITSTREAM.md, section 11.4).
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kReach = 4;                             ///< distance of the farthest coefficients in a window, each way
constexpr double kOne = 1 << 16;                      ///< 1 in fixed point, in which sums are exact in any order
constexpr int kTrust = 4 << 16;                       ///< weight of the band's own variance beside that of the window
constexpr double kLeast = 1.0 / 16, kMost = 64;       ///< bounds of the factor on a band's variance
constexpr double kLeastExcess = -1, kMostExcess = 64; ///< bounds of the excess of one coefficient
constexpr int kNumbers = 256;                         ///< count of band numbers; bands without coefficients keep 0

/// Values of each band at one time t. The squared state of a coefficient less the noise's variance t^2 estimates the
/// ratio of the local variance to the band's. An excess is this estimate times its weight.
struct Bands {
    double variance[kNumbers] = {};
    double slope[kNumbers] = {}; ///< excess for each unit of the squared state less t^2
    int weight[kNumbers] = {};   ///< weight of a coefficient's estimate, in units of 1 / kOne

    Bands(const double *variances, int count, double t) {
        for (int i = 0; i < count; ++i) {
            const double signal = (1 - t) * ((1 - t) * variances[i]), all = signal + t * t, share = signal / all;
            variance[i] = variances[i];
            slope[i] = share / all;
            weight[i] = int(std::nearbyint(kOne * (share * share)));
        }
    }
};

GVC_INLINE double clamped(double value, double least, double most) {
    value = value > least ? value : least;
    return value < most ? value : most;
}

/// Computes the excess of each of n coefficients and the weight of its estimate, both in units of 1 / kOne.
GVC_MULTIVERSION void look(const Bands &bands, const uint8_t *numbers, const float *x, size_t n, double t, int *excess,
                           int *weight) {
    for (size_t i = 0; i < n; ++i) {
        const double state = x[i], said = (state * state - t * t) * bands.slope[numbers[i]];
        excess[i] = int(std::nearbyint(kOne * clamped(said, kLeastExcess, kMostExcess)));
        weight[i] = bands.weight[numbers[i]];
    }
}

/// Computes the velocities of n coefficients from the sums of excesses and weights over their windows.
GVC_MULTIVERSION void velocities(const Bands &bands, const uint8_t *numbers, const float *x, size_t n, double t,
                                 const int *excess, const int *weight, float *out) {
    for (size_t i = 0; i < n; ++i) {
        const double factor = clamped(double(kTrust + excess[i]) / double(kTrust + weight[i]), kLeast, kMost);
        const double variance = bands.variance[numbers[i]] * factor;
        const float gain = float((1 - t) * variance / ((1 - t) * ((1 - t) * variance) + t * t));
        out[i] = (x[i] - gain * x[i]) / float(t);
    }
}

/// Sums over the window around each value, kReach values each way. Rows are computed in order from the top.
class WindowSums {
  public:
    WindowSums(const int *values, int height, int width)
        : values_(values), height_(height), width_(width), columns_(width) {
        for (int y = 0; y < std::min(kReach, height); ++y)
            add(y, 1);
    }

    void row(int y, int *sums) {
        if (y + kReach < height_)
            add(y + kReach, 1);
        if (y > kReach)
            add(y - kReach - 1, -1);
        int sum = 0;
        for (int x = 0; x < std::min(kReach, width_); ++x)
            sum += columns_[x];
        for (int x = 0; x < width_; ++x) {
            sum += x + kReach < width_ ? columns_[x + kReach] : 0;
            sum -= x > kReach ? columns_[x - kReach - 1] : 0;
            sums[x] = sum;
        }
    }

  private:
    void add(int y, int sign) {
        for (int x = 0; x < width_; ++x)
            columns_[x] += sign * values_[size_t(y) * width_ + x];
    }

    const int *values_;
    const int height_, width_;
    std::vector<int> columns_;
};

/// Computes the velocities of one temporal frequency of a plane, [height, width] coefficients.
void slab_velocity(const Bands &bands, const uint8_t *numbers, const float *x, int height, int width, double t,
                   float *out) {
    const size_t size = size_t(height) * width;
    std::vector<int> excess(size), weight(size), excess_sums(width), weight_sums(width);
    look(bands, numbers, x, size, t, excess.data(), weight.data());
    WindowSums excesses(excess.data(), height, width), weights(weight.data(), height, width);
    for (int y = 0; y < height; ++y) {
        const size_t at = size_t(y) * width;
        excesses.row(y, excess_sums.data());
        weights.row(y, weight_sums.data());
        velocities(bands, numbers + at, x + at, width, t, excess_sums.data(), weight_sums.data(), out + at);
    }
}

py::array_t<float> local_velocity(const Array<float> &x, const Array<uint8_t> &numbers, const Array<double> &variances,
                                  double t) {
    if (x.ndim() != 2 || numbers.ndim() != 2 || variances.ndim() != 1 || variances.size() >= kNumbers)
        throw std::invalid_argument("x, numbers and variances must have 2, 2 and 1 dimensions, with up to 255 bands");
    const uint8_t *const number = numbers.data();
    const int count = int(variances.size());
    const auto carried = [count](uint8_t n) { return n < count; };
    if (std::count_if(number, number + numbers.size(), carried) != x.shape(1))
        throw std::invalid_argument("each row of x must have one value for each coefficient that has a band");
    if (!(t > 0 && t <= 1))
        throw std::invalid_argument("t must be above 0 and at most 1");
    const py::ssize_t frequencies = x.shape(0);
    py::array_t<float> result({frequencies, x.shape(1)});
    float *out = result.mutable_data();
    const float *in = x.data();
    const Bands bands(variances.data(), count, t);
    const int height = int(numbers.shape(0)), width = int(numbers.shape(1));
    const size_t size = size_t(height) * width;
    const py::gil_scoped_release release;
    std::vector<float> state(size), velocity(size);
    for (py::ssize_t k = 0; k < frequencies; ++k) {
        for (size_t i = 0; i < size; ++i)
            state[i] = carried(number[i]) ? *in++ : 0.0f;
        slab_velocity(bands, number, state.data(), height, width, t, velocity.data());
        for (size_t i = 0; i < size; ++i)
            if (carried(number[i]))
                *out++ = velocity[i];
    }
    return result;
}

} // namespace

void bind_local_velocity(py::module_ &module) {
    module.def("local_velocity", &local_velocity, py::arg("x"), py::arg("numbers"), py::arg("variances"), py::arg("t"),
               "Returns the velocities, float32 [frequencies, size], of the coded coefficients `x` of some temporal "
               "frequencies of a plane, at time t in (0, 1]. numbers: band of each coefficient, uint8 [H, W]; 255 = "
               "not coded. "
               "variances: float64 [bands].");
}

} // namespace gvc
