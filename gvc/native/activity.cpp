// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Activity (local variance and change) of the pictures around a GOP at each sample. Normative (docs/BITSTREAM.md,
// section 11.9): it uses integers, and square roots and quotients of integers, which binary64 rounds alike on all
// machines.
#include "bindings.h"

#include <optional>
#include <utility>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kRadius = 6; ///< number of samples from the middle of a window to each side
constexpr int kFloor = 20; ///< variance that is added everywhere
constexpr int kUnit = 256; ///< fixed-point unit of activity before the square root

struct Plane {
    const uint8_t *data;
    int width, height;

    int at(int row, int x) const {
        return data[size_t(row) * width + x];
    }
};

} // namespace
} // namespace gvc

#define GVC_KERNELS "activity_kernels.h"
#include "each_instruction_set.h"

namespace gvc {
namespace {

py::array_t<float> activity_map(const Array<uint8_t> &first, const std::optional<Array<uint8_t>> &last) {
    require_picture(first);
    if (last)
        require_same_size(first, *last);
    const int height = int(first.shape(0)), width = int(first.shape(1));
    py::array_t<float> result({height, width});
    float *const out = result.mutable_data();
    const Plane a{first.data(), width, height}, b{last ? last->data() : nullptr, width, height};
    const py::gil_scoped_release release;
    GVC_IN_USE(write_map)(out, a, last ? &b : nullptr);
    return result;
}

} // namespace

void bind_activity(py::module_ &module) {
    module.def("activity_map", &activity_map, py::arg("first"), py::arg("last") = py::none(),
               "Returns the fourth root of the activity at each sample, float32 [H, W], scaled to a mean square of 1. "
               "Activity is the local variance of one or two pictures uint8 [H, W], and with two also their local "
               "difference.");
}

} // namespace gvc
