// What the parts of gvc._native share: array types and the order of registration.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace gvc {

/// A C-contiguous array argument; arrays of another type or layout are converted.
template <class T> using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

void bind_codebook(pybind11::module_ &module);
void bind_ranking(pybind11::module_ &module);
void bind_range_coder(pybind11::module_ &module);
void bind_motion(pybind11::module_ &module);
void bind_interpolation(pybind11::module_ &module);
void bind_block_model(pybind11::module_ &module);
void bind_activity(pybind11::module_ &module);

} // namespace gvc
