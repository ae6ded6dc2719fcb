// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Passes over pictures and what they differ by from their prediction.
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr float kRounder = 12582912.0f; ///< 1.5 * 2^23: adding it to a small number rounds that to an integer
constexpr size_t kAtOnce = 1 << 14;     ///< samples whose squared error fits 32 bits

using OptionalMap = std::optional<Array<float>>;

GVC_MULTIVERSION uint32_t sum_of_squares(const uint8_t *a, const uint8_t *b, size_t count) {
    uint32_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
        const int difference = a[i] - b[i];
        sum += uint32_t(difference * difference);
    }
    return sum;
}

GVC_MULTIVERSION void subtract(const uint8_t *source, const uint8_t *made, const float *activity, float weight,
                               size_t count, float *out) {
    for (size_t i = 0; i < count; ++i)
        out[i] = float(source[i] - made[i]) * weight;
    if (activity)
        for (size_t i = 0; i < count; ++i)
            out[i] /= activity[i];
}

GVC_MULTIVERSION void add(const uint8_t *made, const float *residual, const float *activity, float scale, size_t count,
                          uint8_t *out) {
    const auto sample = [](float value) {
        value = value > 0 ? value : 0; // also for what is no number
        value = value < 255 ? value : 255;
        return uint8_t(int32_t((value + kRounder) - kRounder));
    };
    if (activity)
        for (size_t i = 0; i < count; ++i)
            out[i] = sample(residual[i] * activity[i] * scale + float(made[i]));
    else
        for (size_t i = 0; i < count; ++i)
            out[i] = sample(residual[i] * scale + float(made[i]));
}

template <class A, class B> void require_same_shape(const A &a, const B &b) {
    if (a.ndim() != b.ndim() || !std::equal(a.shape(), a.shape() + a.ndim(), b.shape()))
        throw std::invalid_argument("all arrays must have the same shape");
}

template <class A> const float *data_of(const OptionalMap &activity, const A &picture) {
    if (activity)
        require_same_shape(*activity, picture);
    return activity ? activity->data() : nullptr;
}

template <class T, class A> py::array_t<T> like(const A &array) {
    return py::array_t<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

uint64_t squared_error(const Array<uint8_t> &a, const Array<uint8_t> &b) {
    require_same_shape(a, b);
    const uint8_t *const first = a.data(), *const second = b.data();
    const size_t size = a.size();
    const py::gil_scoped_release release;
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i += kAtOnce)
        sum += sum_of_squares(first + i, second + i, std::min(kAtOnce, size - i));
    return sum;
}

py::array_t<float> residual_of(const Array<uint8_t> &source, const Array<uint8_t> &made, const OptionalMap &activity,
                               float weight) {
    require_same_shape(source, made);
    auto result = like<float>(source);
    const uint8_t *const s = source.data(), *const m = made.data();
    const float *const map = data_of(activity, source);
    float *const out = result.mutable_data();
    const size_t size = source.size();
    const py::gil_scoped_release release;
    subtract(s, m, map, weight, size, out);
    return result;
}

py::array_t<uint8_t> with_residual(const Array<uint8_t> &made, const Array<float> &residual,
                                   const OptionalMap &activity, float scale) {
    require_same_shape(made, residual);
    auto result = like<uint8_t>(made);
    const uint8_t *const m = made.data();
    const float *const r = residual.data(), *const map = data_of(activity, made);
    uint8_t *const out = result.mutable_data();
    const size_t size = made.size();
    const py::gil_scoped_release release;
    add(m, r, map, scale, size, out);
    return result;
}

} // namespace

void bind_residual(py::module_ &module) {
    const auto activity = py::arg("activity");
    module.def("squared_error", &squared_error, py::arg("a"), py::arg("b"),
               "Returns the sum of squared differences of two uint8 arrays of the same shape.");
    module.def(
        "residual_of", &residual_of, py::arg("source"), py::arg("made"), activity, py::arg("weight"),
        "Returns weight * (source - made) / activity, float32. source, made: uint8 arrays. activity: float32, or "
        "None for 1 everywhere. All have the same shape.");
    module.def("with_residual", &with_residual, py::arg("made"), py::arg("residual"), activity, py::arg("scale"),
               "Returns made + scale * activity * residual, rounded to the nearest (even) integer and clamped to "
               "0..255, uint8. made: uint8. residual: float32. activity: float32, or None for 1 everywhere. All have "
               "the same shape.");
}

} // namespace gvc
