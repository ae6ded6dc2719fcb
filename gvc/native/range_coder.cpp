// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Python's view of the range coder (range_coder.h) and of the adaptive models on top of it (adaptive_models.h).
#include "adaptive_models.h"

#include <pybind11/stl.h>

namespace gvc {
namespace {

void raise_bitstream_error(std::exception_ptr pending) {
    try {
        if (pending)
            std::rethrow_exception(pending);
    } catch (const CorruptData &error) {
        const py::object type = py::module_::import("gvc.errors").attr("BitstreamError");
        PyErr_SetObject(type.ptr(), type(error.element, error.offset, error.what()).ptr());
    }
}

} // namespace

void bind_range_coder(py::module_ &module) {
    py::register_local_exception_translator(&raise_bitstream_error);
    const auto start = py::arg("start"), frequency = py::arg("frequency"), total = py::arg("total");
    const auto count = py::arg("count"), places = py::arg("places");
    py::class_<RangeEncoder>(module, "RangeEncoder", "Range encoder; finish() returns the bytes.")
        .def(py::init<>())
        .def("encode", &RangeEncoder::encode, start, frequency, total,
             "Writes a symbol with the probability frequency / total; total <= 2^32.")
        .def("encode_uniform", &RangeEncoder::encode_uniform, py::arg("value"), total, "Writes a value in 0..total-1.")
        .def("encode_bits", &RangeEncoder::encode_bits, py::arg("value"), count, "Writes a value of count <= 64 bits.")
        .def("encode_subset", &RangeEncoder::encode_subset, py::arg("indices"), places,
             "Writes a set of rising indices (uint32) below places <= 2^26, in about log2 C(places, size) bits.")
        .def("encode_signs", &RangeEncoder::encode_signs, py::arg("signs"),
             "Writes signs +1 or -1 (int8), one bit each.")
        .def_property_readonly("bit_count", &RangeEncoder::bit_count, "Number of bits written so far, to within 8.")
        .def("finish", &RangeEncoder::finish, "Ends the stream and returns its bytes.");
    py::class_<RangeDecoder>(module, "RangeDecoder",
                             "Range decoder; corrupt bytes raise gvc.errors.BitstreamError, which names `element`.")
        .def(py::init<const py::bytes &, std::string>(), py::arg("data"), py::arg("element") = "range-coded string")
        .def("decode", &RangeDecoder::decode, total,
             "Returns a cumulative frequency within the next symbol; call consume() next.")
        .def("consume", &RangeDecoder::consume, start, frequency, total,
             "Skips the symbol that holds the result of decode().")
        .def("decode_uniform", &RangeDecoder::decode_uniform, total)
        .def("decode_bits", &RangeDecoder::decode_bits, count)
        .def("decode_subset", &RangeDecoder::decode_subset, count, places)
        .def("decode_signs", &RangeDecoder::decode_signs, count)
        .def_property_readonly("is_past_end", &RangeDecoder::is_past_end,
                               "Whether zeros were read beyond the end of the bytes.")
        .def("finish", &RangeDecoder::finish, "Raises if bytes follow the coded values.");
    py::class_<AdaptiveModel>(module, "AdaptiveModel",
                              "Frequencies of the symbols 0..size-1, updated with every symbol that is coded.")
        .def(py::init<int, const std::vector<uint32_t> &>(), py::arg("size"), py::arg("odds") = std::vector<uint32_t>(),
             "odds: initial frequencies, default 1 for each symbol.")
        .def("write", &AdaptiveModel::write, py::arg("encoder"), py::arg("symbol"), "Writes a symbol.")
        .def("read", &AdaptiveModel::read, py::arg("decoder"), "Reads a symbol as `write` wrote it.");
    py::class_<DeltaModel>(module, "DeltaModel",
                           "Adaptive code for signed integers near zero: a symbol for each of -reach..reach, and an "
                           "escape for all others.")
        .def(py::init<int>(), py::arg("reach") = 8, "reach: 0..255, default 8.")
        .def("write_delta", &DeltaModel::write_delta, py::arg("encoder"), py::arg("value"),
             "Writes a value, |value| - reach < 2^31.")
        .def("read_delta", &DeltaModel::read_delta, py::arg("decoder"), "Reads a value as `write_delta` wrote it.");
}

} // namespace gvc
