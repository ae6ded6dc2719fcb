// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// A separable filter for the realism of the bundled priors (gvc/priors/gp/texture.py). Not normative, but sums are in
// the order of the kernel's weights, so all machines show the same pictures.
#include "bindings.h"
#include "multiversion.h"

#include <algorithm>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

/// Adds the products of a weight and samples to sums.
GVC_INLINE void add_products(float *sums, const float *samples, float weight, int count) {
    for (int x = 0; x < count; ++x)
        sums[x] += samples[x] * weight;
}

GVC_MULTIVERSION void filter(float *out, const float *picture, int width, int height, const float *kernel, int reach) {
    std::vector<float> padded(width + 2 * reach);
    float *const row = padded.data() + reach;
    for (int y = 0; y < height; ++y, out += width) {
        std::fill_n(row, width, 0.0f);
        for (int i = -reach; i <= reach; ++i)
            add_products(row, picture + size_t(std::clamp(y + i, 0, height - 1)) * width, kernel[reach + i], width);
        std::fill_n(padded.data(), reach, row[0]);
        std::fill_n(row + width, reach, row[width - 1]);
        std::fill_n(out, width, 0.0f);
        for (int i = -reach; i <= reach; ++i)
            add_products(out, row + i, kernel[reach + i], width);
    }
}

py::array_t<float> blurred(const Array<float> &picture, const Array<float> &kernel) {
    if (picture.ndim() != 2 || picture.size() == 0 || picture.shape(0) > 65535 || picture.shape(1) > 65535)
        throw std::invalid_argument("a picture must be float32 [height, width] with sides of 1..65535");
    if (kernel.ndim() != 1 || kernel.size() % 2 == 0 || kernel.size() > 255)
        throw std::invalid_argument("a kernel must have an odd number of weights, at most 255");
    const int height = int(picture.shape(0)), width = int(picture.shape(1));
    py::array_t<float> result({height, width});
    float *const out = result.mutable_data();
    const py::gil_scoped_release release;
    filter(out, picture.data(), width, height, kernel.data(), int(kernel.size() / 2));
    return result;
}

} // namespace

void bind_blur(py::module_ &module) {
    module.def(
        "blurred", &blurred, py::arg("picture"), py::arg("kernel"),
        "Filters a picture, float32 [H, W], with a kernel float32 [odd] along both axes, vertically first; edges "
        "are repeated outside.");
}

} // namespace gvc
