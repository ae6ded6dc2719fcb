// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// A model, for the encoder only, of how a correction of the motion would change the squared error of each block.
#include "bindings.h"

#include <algorithm>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kBlock = 8;   ///< side of a block in pixels
constexpr int kValues = 10; ///< sums for each block: error, three slopes, six curvatures

/// Adds a pixel to the sums. Its squared error with a correction d is modelled as (r - g.d)^2, with the residual r and
/// the gradient g of three components.
void add(double *sums, float r, float gx, float gy, float gw) {
    const float values[kValues] = {r * r, r * gx, r * gy, r * gw, gx * gx, gx * gy, gx * gw, gy * gy, gy * gw, gw * gw};
    for (int i = 0; i < kValues; ++i)
        sums[i] += double(values[i]);
}

py::array_t<double> block_model(const Array<uint8_t> &source, const Array<uint8_t> &made, const Array<uint8_t> &of_a,
                                const Array<uint8_t> &of_b) {
    require_picture(source);
    for (const auto *picture : {&made, &of_a, &of_b})
        require_same_size(source, *picture);
    const int height = int(source.shape(0)), width = int(source.shape(1));
    const int rows = (height + kBlock - 1) / kBlock, columns = (width + kBlock - 1) / kBlock;
    py::array_t<double> result({rows, columns, kValues});
    double *const sums = result.mutable_data();
    const uint8_t *s = source.data(), *m = made.data(), *a = of_a.data(), *b = of_b.data();
    const py::gil_scoped_release release;
    std::fill_n(sums, size_t(rows) * columns * kValues, 0.0);
    for (int y = 0; y < height; ++y) {
        const uint8_t *above = m + size_t(std::max(y - 1, 0)) * width;
        const uint8_t *below = m + size_t(std::min(y + 1, height - 1)) * width;
        const size_t row = size_t(y) * width;
        for (int x = 0; x < width; ++x) {
            const int left = m[row + std::max(x - 1, 0)], right = m[row + std::min(x + 1, width - 1)];
            add(sums + (size_t(y / kBlock) * columns + x / kBlock) * kValues, float(s[row + x] - m[row + x]),
                float(right - left) / 2, float(below[x] - above[x]) / 2, float(b[row + x] - a[row + x]));
        }
    }
    return result;
}

} // namespace

void bind_block_model(py::module_ &module) {
    module.def(
        "block_model", &block_model, py::arg("source"), py::arg("made"), py::arg("of_a"), py::arg("of_b"),
        "Returns sums over the pixels of each block, float64 [ceil(H / 8), ceil(W / 8), 10]. With "
        "r = source - made and g = (horizontal slope of made, vertical slope of made, of_b - of_a) they are r r, "
        "r g (3 values) and g g' (6 values: xx xy xw yy yw ww).");
}

} // namespace gvc
