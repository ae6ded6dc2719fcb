// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Declarations that the parts of gvc._native share: array types, checks and the functions that register each part.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <stdexcept>

namespace gvc {

/// A C-contiguous array argument. Arrays of another type or layout are converted.
template <class T> using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

inline void require_picture(const Array<uint8_t> &picture) {
    if (picture.ndim() != 2 || picture.size() == 0 || picture.shape(0) > 65535 || picture.shape(1) > 65535)
        throw std::invalid_argument("a picture must be uint8 [height, width] with sides of 1..65535");
}

/// Throws unless the second argument is a picture of the same size as the first.
inline void require_same_size(const Array<uint8_t> &a, const Array<uint8_t> &b) {
    if (b.ndim() != 2 || a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1))
        throw std::invalid_argument("both pictures must have the same size");
}

void bind_instruction_set(pybind11::module_ &module);
void bind_codebook(pybind11::module_ &module);
void bind_ranking(pybind11::module_ &module);
void bind_range_coder(pybind11::module_ &module);
void bind_motion(pybind11::module_ &module);
void bind_interpolation(pybind11::module_ &module);
void bind_block_model(pybind11::module_ &module);
void bind_activity(pybind11::module_ &module);
void bind_blur(pybind11::module_ &module);
void bind_local_velocity(pybind11::module_ &module);
void bind_corrections(pybind11::module_ &module);
void bind_correction_search(pybind11::module_ &module);
void bind_residual(pybind11::module_ &module);

} // namespace gvc
