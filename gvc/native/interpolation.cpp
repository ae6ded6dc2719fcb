// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Interpolation of pictures between two others along their motion. Normative: it uses only integers, and divisions and
// shifts round down.
//
// At time num / den between a and b, with the fields f (a to b) and g (b to a) of motion.cpp:
// - Motion of block (row, column): F is f at the block's centre minus its displacement, that is at block coordinates
//   (in 1/64 block) 64 column - part(f.x), 64 row - part(f.y), clamped to the field, with
//   part(v) = (2 v num + den) / (2 den). The field is interpolated bilinearly with weights whose sum is 4096. G is the
//   same of g with den - num in the place of num. The motion is m = (F - G + 512) >> 10 in 1/64 pixel. The displacement
//   from a is p = (2 m num + den) / (2 den), the one to b is q = m - p.
// - p and q are interpolated bilinearly from block centres to pixels. With blocks of B = 8 >> shift pixels of this
//   plane, pixel x lies at n = 2 x + 1 - B half pixels: between blocks n / 2B and the next one, with the weights
//   2B - (n mod 2B) and n mod 2B; block indices are clamped. The weights of both axes multiply to a sum of (2B)^2. The
//   displacement in 1/16 pixel of this plane is (sum + (1 << (9 - shift))) >> (10 - shift).
// - A is a at (position - p) and B is b at (position + q), with pixel coordinates clamped to the picture. Both are
//   interpolated across and down, without rounding, with the taps of the position in 1/16 pixel: kSharpTaps (sum of
//   weights 64^2), or bilinear for old streams (16^2). The pixel is (A (256 - w) + B w + 2^19) >> 20 with
//   w = (256 num + den / 2) / den, clamped to 0..255; for old streams (A (16384 - w) + B w + 2^21) >> 22 with
//   w = (16384 num + den / 2) / den.
#include "bindings.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

/// Time num / den between the pictures, 0 <= num <= den <= 65535.
struct Time {
    int num, den;
};

struct Field {
    const int16_t *data;
    int rows, columns;
};

/// The weights of four neighbouring samples, for a row of them and for two rows above each other, at each 1/16 sample.
struct Taps {
    int32_t across[16] = {}; ///< four signed bytes each
    int32_t above[16] = {};  ///< those of the first two rows, as 16-bit numbers
    int32_t below[16] = {};  ///< those of the last two rows
    int unit = 0;            ///< weights of the two pictures sum to this
    int shift = 0;           ///< binary logarithm of what all weights together sum to

    constexpr Taps(const int (&taps)[16][4], int unit, int shift) : unit(unit), shift(shift) {
        for (int place = 0; place < 16; ++place) {
            const auto tap = [&](int i) { return uint32_t(taps[place][i]); };
            for (int i = 0; i < 4; ++i)
                across[place] = int32_t(uint32_t(across[place]) | (tap(i) & 0xff) << (8 * i));
            above[place] = int32_t((tap(0) & 0xffff) | tap(1) << 16);
            below[place] = int32_t((tap(2) & 0xffff) | tap(3) << 16);
        }
    }
};

/// Taps of the Catmull-Rom cubic at each 1/16 pixel, rounded such that their sum is 64.
constexpr int kSharpTaps[16][4] = {
    {0, 64, 0, 0},    {-2, 64, 2, 0},   {-3, 61, 6, 0},   {-4, 59, 10, -1}, {-4, 56, 14, -2}, {-5, 51, 20, -2},
    {-5, 47, 25, -3}, {-4, 41, 30, -3}, {-4, 36, 36, -4}, {-3, 30, 41, -4}, {-3, 25, 47, -5}, {-2, 20, 51, -5},
    {-2, 14, 56, -4}, {-1, 10, 59, -4}, {0, 6, 61, -3},   {0, 2, 64, -2},
};
constexpr int kBilinearTaps[16][4] = {
    {0, 16, 0, 0}, {0, 15, 1, 0}, {0, 14, 2, 0}, {0, 13, 3, 0}, {0, 12, 4, 0}, {0, 11, 5, 0},
    {0, 10, 6, 0}, {0, 9, 7, 0},  {0, 8, 8, 0},  {0, 7, 9, 0},  {0, 6, 10, 0}, {0, 5, 11, 0},
    {0, 4, 12, 0}, {0, 3, 13, 0}, {0, 2, 14, 0}, {0, 1, 15, 0},
};
constexpr Taps kSharp(kSharpTaps, 256, 20), kBilinear(kBilinearTaps, 16384, 22);

constexpr int kBorder = 4; ///< samples around a picture; a square of 4x4 farther out has the same values

constexpr int kReadAhead = 32; ///< bytes that may be read after a picture

/// Samples from the upper left corner of a border on.
struct View {
    const uint8_t *data;
    int stride, width, height;
};

/// A picture with a border that repeats its edge pixels.
class Picture {
  public:
    explicit Picture(const Array<uint8_t> &picture)
        : width(int(picture.shape(1))), height(int(picture.shape(0))), stride(width + 2 * kBorder) {
        const size_t size = size_t(stride) * (height + 2 * kBorder);
        if (size > INT32_MAX)
            throw std::invalid_argument("a picture must have fewer than 2^31 samples, with a border of 4");
        data_.reserve(size + kReadAhead);
        for (int y = -kBorder; y < height + kBorder; ++y) {
            const uint8_t *row = picture.data(std::clamp(y, 0, height - 1), 0);
            data_.insert(data_.end(), kBorder, row[0]);
            data_.insert(data_.end(), row, row + width);
            data_.insert(data_.end(), kBorder, row[width - 1]);
        }
        data_.resize(size + kReadAhead);
    }

    View view() const {
        return {data_.data(), stride, width, height};
    }

    const int width, height, stride;

  private:
    std::vector<uint8_t> data_;
};

/// All inputs of an interpolation: two pictures, their motion, and the time between them.
struct Setting {
    Picture a, b;
    Field forward, backward;
    Time time;
    const int16_t *correction; ///< x, y and weight of each block, or null
    int shift;
    const Taps &taps;
    double share;

    int weight() const {
        return share < 0 ? (taps.unit * time.num + time.den / 2) / time.den : int(taps.unit * share + 0.5);
    }
};

/// Where an interpolation goes: the mixed picture and, unless null, a alone and b alone.
struct Output {
    uint8_t *mixed, *of_a, *of_b;
};

} // namespace
} // namespace gvc

#define GVC_KERNELS "interpolation_kernels.h"
#include "each_instruction_set.h"

namespace gvc {
namespace {

using OptionalCorrection = std::optional<Array<int16_t>>;
using Pixels = py::array_t<uint8_t, py::array::c_style>;

/// Makes a Setting of arguments from Python, which must outlive it.
Setting setting_of(const Array<uint8_t> &a, const Array<uint8_t> &b, const Array<int16_t> &field_ab,
                   const Array<int16_t> &field_ba, int num, int den, int shift, bool sharp, double share,
                   const OptionalCorrection &correction) {
    require_picture(a);
    require_same_size(a, b);
    if (den < 1 || den > 65535 || num < 0 || num > den)
        throw std::invalid_argument("the time must be a fraction 0 <= num / den <= 1 with den <= 65535");
    if (shift < 0 || shift > 1)
        throw std::invalid_argument("shift must be 0 (luma) or 1 (chroma of half size)");
    if (!(share <= 1))
        throw std::invalid_argument("share must be at most 1");
    const int height = int(a.shape(0)), width = int(a.shape(1)), block_size = 8 >> shift;
    const int rows = (height + block_size - 1) / block_size, columns = (width + block_size - 1) / block_size;
    const auto check = [&](const Array<int16_t> &field, const char *what, int components) {
        if (field.ndim() != 3 || field.shape(0) != rows || field.shape(1) != columns || field.shape(2) != components)
            throw std::invalid_argument(std::string(what) + " must be int16 [" + std::to_string(rows) + ", " +
                                        std::to_string(columns) + ", " + std::to_string(components) +
                                        "] for this picture size");
    };
    check(field_ab, "the fields", 2);
    check(field_ba, "the fields", 2);
    if (correction)
        check(*correction, "the correction", 3);
    return {Picture(a),
            Picture(b),
            {field_ab.data(), rows, columns},
            {field_ba.data(), rows, columns},
            {num, den},
            correction ? correction->data() : nullptr,
            shift,
            sharp ? kSharp : kBilinear,
            share};
}

/// An array of the same size as a picture: `out` if there is one, or a new one.
Pixels output_for(const Array<uint8_t> &picture, const std::optional<Pixels> &out) {
    require_picture(picture);
    if (!out)
        return Pixels({picture.shape(0), picture.shape(1)});
    if (out->ndim() != 2 || out->shape(0) != picture.shape(0) || out->shape(1) != picture.shape(1))
        throw std::invalid_argument("out must have the size of the pictures");
    return *out;
}

Pixels motion_interpolate(const Array<uint8_t> &a, const Array<uint8_t> &b, const Array<int16_t> &field_ab,
                          const Array<int16_t> &field_ba, int num, int den, int shift, bool sharp, double share,
                          const OptionalCorrection &correction, const std::optional<Pixels> &out) {
    Pixels result = output_for(a, out);
    const Output output{result.mutable_data(), nullptr, nullptr};
    const py::gil_scoped_release release;
    GVC_IN_USE(interpolate)(setting_of(a, b, field_ab, field_ba, num, den, shift, sharp, share, correction), output);
    return result;
}

py::tuple motion_parts(const Array<uint8_t> &a, const Array<uint8_t> &b, const Array<int16_t> &field_ab,
                       const Array<int16_t> &field_ba, int num, int den, const OptionalCorrection &correction) {
    Pixels mixed = output_for(a, {}), of_a = output_for(a, {}), of_b = output_for(a, {});
    const Output output{mixed.mutable_data(), of_a.mutable_data(), of_b.mutable_data()};
    {
        const py::gil_scoped_release release;
        GVC_IN_USE(interpolate)(setting_of(a, b, field_ab, field_ba, num, den, 0, true, -1.0, correction), output);
    }
    return py::make_tuple(mixed, of_a, of_b);
}

} // namespace

void bind_interpolation(py::module_ &module) {
    module.def(
        "motion_interpolate", &motion_interpolate, py::arg("a"), py::arg("b"), py::arg("field_ab"), py::arg("field_ba"),
        py::arg("num"), py::arg("den"), py::arg("shift") = 0, py::arg("sharp") = true, py::arg("share") = -1.0,
        py::arg("correction") = py::none(), py::arg("out").noconvert() = py::none(),
        "Returns the picture uint8 [H, W] at time num / den between a and b along their motion fields. "
        "shift: 1 for chroma of half size, 0 for luma (default). sharp: whether to use four taps each way instead of "
        "two, default true. share: weight of b in the mix, 0 to 1; negative (default) = num / den. correction: of the "
        "motion, int16 [rows, columns, (x, y, weight)] in 1/64 pixel and 1/256 of b's weight (ignored with a share); "
        "default none. out: C-contiguous array that the picture is written to and that is returned; default: a new "
        "one.");
    module.def("motion_parts", &motion_parts, py::arg("a"), py::arg("b"), py::arg("field_ab"), py::arg("field_ba"),
               py::arg("num"), py::arg("den"), py::arg("correction") = py::none(),
               "Returns three luma pictures uint8 [H, W]: the result of motion_interpolate, then a alone and b alone, "
               "moved in the same way.");
}

} // namespace gvc
