// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// A model, for the encoder only, of how a correction of the motion would change the squared error of each block. A
// pixel's squared error with a correction d is modelled as (r - g.d)^2, with the residual r and the gradient g of three
// components; the model of a block is the sum of those of its pixels.
#include "bindings.h"

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kBlock = 8;   ///< side of a block in pixels
constexpr int kValues = 10; ///< sums for each block: error, three slopes, six curvatures

/// Four pictures of one size.
struct Pictures {
    const uint8_t *source, *made, *of_a, *of_b;
    int height, width;
};

} // namespace
} // namespace gvc

#define GVC_KERNELS "block_model_kernels.h"
#include "each_instruction_set.h"

namespace gvc {
namespace {

py::array_t<double> block_model(const Array<uint8_t> &source, const Array<uint8_t> &made, const Array<uint8_t> &of_a,
                                const Array<uint8_t> &of_b) {
    require_picture(source);
    for (const auto *picture : {&made, &of_a, &of_b})
        require_same_size(source, *picture);
    const int height = int(source.shape(0)), width = int(source.shape(1));
    const int rows = (height + kBlock - 1) / kBlock, columns = (width + kBlock - 1) / kBlock;
    py::array_t<double> result({rows, columns, kValues});
    double *const out = result.mutable_data();
    const Pictures pictures{source.data(), made.data(), of_a.data(), of_b.data(), height, width};
    const py::gil_scoped_release release;
    GVC_IN_USE(model_blocks)(out, pictures);
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
