// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// The codebook of a block: atom j is row j of H D2 H D1, cut to its first D values. H is the N x N Walsh-Hadamard
// matrix (+-1, Sylvester order), D1 and D2 are the sign diagonals of philox.h. An atom's values have variance N.
// Synthesis is normative and exact: sums of integers, then one IEEE division. Correlation, which only the encoder uses,
// is not normative.
#include "bindings.h"
#include "hadamard.h"
#include "philox.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr int kMaxLog2Size = 24;

/// Uninitialised memory that starts at a cache line.
template <class T> class Buffer {
  public:
    explicit Buffer(size_t size) : data_(static_cast<T *>(::operator new(size * sizeof(T), kAlignment))) {}
    T *get() const {
        return data_.get();
    }

  private:
    static constexpr std::align_val_t kAlignment{64};
    struct Free {
        void operator()(T *pointer) const {
            ::operator delete(pointer, kAlignment);
        }
    };
    std::unique_ptr<T[], Free> data_;
};

size_t atom_count(size_t dimension, int log2_size) {
    if (log2_size < 0 || log2_size > kMaxLog2Size)
        throw std::invalid_argument("log2_size must be 0.." + std::to_string(kMaxLog2Size));
    const size_t count = size_t{1} << log2_size;
    if (dimension == 0 || dimension > count)
        throw std::invalid_argument("the block must have 1.." + std::to_string(count) +
                                    " values for this log2_size, not " + std::to_string(dimension));
    return count;
}

BlockKey block_key(uint32_t seed, uint32_t gop, uint32_t step, uint32_t block) {
    if (gop >= 1u << 30)
        throw std::invalid_argument("gop must be below 2^30");
    return {seed, gop, step, block};
}

/// Length of a row: the smallest power of two, at least kShortestRow, that holds a block. A codebook with more atoms
/// than its block has values consists of several rows.
size_t row_size(size_t dimension, size_t count) {
    size_t row = std::min(kShortestRow, count);
    while (row < dimension)
        row *= 2;
    return row;
}

/// Computes z = (D1 H D2 H s)[:dimension] / divisor.
///
/// fill: function that writes s. occupied: for each row, whether s has values other than zero there. With several rows
/// most of the work can be skipped: rows of zeros stay zeros in the first transform, and only the first row of the
/// second one is needed, which is the transform of the sum of all rows.
template <class T, class Fill>
void synthesize_into(float *z, size_t dimension, size_t count, const BlockKey &key, float divisor, Fill fill,
                     const std::vector<bool> &occupied) {
    const Buffer<T> buffer(count);
    T *values = buffer.get();
    const size_t row = count / occupied.size();
    fill(values);
    for (size_t i = 0; i < occupied.size(); ++i)
        if (occupied[i])
            hadamard(values + i * row, row);
    hadamard_rows(values, count, row);
    apply_signs(values, sign_words(key, kSecond, count).data(), count);
    for (size_t start = row; start < count; start += row)
        add(values, values + start, row);
    hadamard(values, row);
    apply_signs(values, sign_words(key, kFirst, dimension).data(), dimension);
    for (size_t i = 0; i < dimension; ++i)
        z[i] = float(values[i]) / divisor;
}

void correlate(const Array<float> &residual, py::array_t<float, py::array::c_style> out, int log2_size, uint32_t seed,
               uint32_t gop, uint32_t step, uint32_t block) {
    const size_t dimension = residual.size(), count = atom_count(dimension, log2_size);
    const BlockKey key = block_key(seed, gop, step, block);
    if (size_t(out.size()) != count)
        throw std::invalid_argument("out must have " + std::to_string(count) + " values");
    float *values = out.mutable_data();
    const float *input = residual.data();
    const py::gil_scoped_release release;
    const size_t row = row_size(dimension, count);
    std::copy_n(input, dimension, values);
    std::fill(values + dimension, values + row, 0.0f);
    apply_signs(values, sign_words(key, kFirst, dimension).data(), dimension);
    hadamard(values, row);
    // All other rows are zero, so the transform across rows copies the first one.
    for (size_t start = row; start < count; start += row)
        std::copy_n(values, row, values + start);
    apply_signs(values, sign_words(key, kSecond, count).data(), count);
    hadamard(values, count);
    const float scale = float(1.0 / std::sqrt(double(count)));
    for (size_t i = 0; i < count; ++i)
        values[i] *= scale;
}

py::array_t<float> synthesize(const Array<uint32_t> &indices, const Array<int8_t> &signs, size_t dimension,
                              int log2_size, uint32_t seed, uint32_t gop, uint32_t step, uint32_t block) {
    const size_t count = atom_count(dimension, log2_size), chosen = indices.size();
    const BlockKey key = block_key(seed, gop, step, block);
    if (chosen == 0 || chosen > count || size_t(signs.size()) != chosen)
        throw std::invalid_argument("synthesis needs 1.." + std::to_string(count) + " atoms and as many signs");
    const uint32_t *index = indices.data();
    const int8_t *sign = signs.data();
    for (size_t i = 0; i < chosen; ++i)
        if (index[i] >= count || (sign[i] != 1 && sign[i] != -1))
            throw std::invalid_argument("atom indices must be below " + std::to_string(count) + " and signs +1 or -1");

    py::array_t<float> result(dimension);
    float *z = result.mutable_data();
    const py::gil_scoped_release release;
    const size_t row = row_size(dimension, count);
    std::vector<bool> occupied(count / row);
    for (size_t i = 0; i < chosen; ++i)
        occupied[index[i] / row] = true;
    const auto fill = [&](auto *values) {
        std::fill_n(values, count, 0);
        for (size_t i = 0; i < chosen; ++i)
            values[index[i]] = sign[i];
    };
    const float divisor = float(std::sqrt(double(count) * double(chosen)));
    // By Parseval and Cauchy-Schwarz |z| <= N sqrt(M) before the division, so it fits 32 bits if N^2 M < 2^62.
    if (double(count) * double(count) * double(chosen) < 0x1p62)
        synthesize_into<int32_t>(z, dimension, count, key, divisor, fill, occupied);
    else
        synthesize_into<int64_t>(z, dimension, count, key, divisor, fill, occupied);
    return result;
}

py::array_t<float> dense_noise(size_t dimension, int log2_size, uint32_t seed, uint32_t gop, uint32_t step,
                               uint32_t block) {
    const size_t count = atom_count(dimension, log2_size);
    const BlockKey key = block_key(seed, gop, step, block);
    py::array_t<float> result(dimension);
    float *z = result.mutable_data();
    const py::gil_scoped_release release;
    const std::vector<bool> occupied(count / row_size(dimension, count), true);
    const auto fill = [&](auto *values) {
        std::fill_n(values, count, 1);
        apply_signs(values, sign_words(key, kDense, count).data(), count);
    };
    if (log2_size <= 20) // then N^2 M, with M = N here, is below 2^62
        synthesize_into<int32_t>(z, dimension, count, key, float(count), fill, occupied);
    else
        synthesize_into<int64_t>(z, dimension, count, key, float(count), fill, occupied);
    return result;
}

} // namespace

void bind_codebook(py::module_ &module) {
    const auto seed = py::arg("seed"), gop = py::arg("gop"), step = py::arg("step"), block = py::arg("block");
    module.def("correlate", &correlate, py::arg("residual"), py::arg("out").noconvert(), py::arg("log2_size"), seed,
               gop, step, block,
               "Writes the inner product of each atom, scaled to unit variance, with a residual float32 [D] to `out`, "
               "float32 [N].");
    module.def("synthesize", &synthesize, py::arg("indices"), py::arg("signs"), py::arg("dimension"),
               py::arg("log2_size"), seed, gop, step, block,
               "Returns the exact sum of the signed atoms, scaled to unit variance, float32 [D].");
    module.def("dense_noise", &dense_noise, py::arg("dimension"), py::arg("log2_size"), seed, gop, step, block,
               "Returns white noise of unit variance, float32 [D], made exactly from a dense +-1 vector.");
}

} // namespace gvc
