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
#include "multiversion.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

/// Displacements of a block or pixel, from its position in a to here and from here to its position in b, and the weight
/// of b. Those of blocks are in 1/64 pixel.
struct Ways {
    int from_a_x, from_a_y, to_b_x, to_b_y, weight;
};

/// Time num / den between the pictures, 0 <= num <= den <= 65535.
struct Time {
    int num, den;
    int part_of(int value) const { // value * num / den, rounded to nearest, halves up
        const int64_t dividend = int64_t{2} * value * num + den, divisor = 2 * den;
        return int(dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor));
    }
};

struct Field {
    const int16_t *data;
    int rows, columns;

    int component(int row, int column, int axis) const {
        return data[2 * (size_t(row) * columns + column) + axis];
    }

    /// 4096 times the component at a place in 1/64 block.
    int sample(int y, int x, int axis) const {
        y = std::clamp(y, 0, 64 * (rows - 1));
        x = std::clamp(x, 0, 64 * (columns - 1));
        const int row = y >> 6, column = x >> 6, fy = y & 63, fx = x & 63;
        const int below = std::min(row + 1, rows - 1), right = std::min(column + 1, columns - 1);
        return (component(row, column, axis) * (64 - fx) + component(row, right, axis) * fx) * (64 - fy) +
               (component(below, column, axis) * (64 - fx) + component(below, right, axis) * fx) * fy;
    }

    int along_way(int row, int column, Time time, int axis) const {
        return sample(64 * row - time.part_of(component(row, column, 1)),
                      64 * column - time.part_of(component(row, column, 0)), axis);
    }
};

/// The correction of each block: component 0 = x, 1 = y, 2 = weight; all are zero without a correction.
struct Correction {
    const int16_t *data;

    int operator()(size_t block, int component) const {
        return data ? data[3 * block + component] : 0;
    }
};

std::vector<Ways> block_ways(const Field &forward, const Field &backward, Time time, const Correction &correction,
                             int weight, int unit, bool fixed) {
    const Time rest{time.den - time.num, time.den};
    std::vector<Ways> ways;
    ways.reserve(size_t(forward.rows) * forward.columns);
    for (int row = 0; row < forward.rows; ++row)
        for (int column = 0; column < forward.columns; ++column) {
            int motion[2];
            for (const int axis : {0, 1})
                motion[axis] =
                    (forward.along_way(row, column, time, axis) - backward.along_way(row, column, rest, axis) + 512) >>
                    10;
            const int x = time.part_of(motion[0]), y = time.part_of(motion[1]);
            const int shift_x = correction(ways.size(), 0), shift_y = correction(ways.size(), 1);
            const int corrected = fixed ? weight : std::clamp(weight + correction(ways.size(), 2), 0, unit);
            ways.push_back({x - shift_x, y - shift_y, motion[0] - x + shift_x, motion[1] - y + shift_y, corrected});
        }
    return ways;
}

/// The place of a pixel between two block centres along one axis.
struct Between {
    int first, second, weight_first, weight_second;

    static std::vector<Between> along(int pixels, int blocks, int block_size) {
        const int unit = 2 * block_size;
        std::vector<Between> places(pixels);
        for (int i = 0; i < pixels; ++i) {
            const int position =
                2 * i + 1 - block_size + unit; // one block is added so that the division never sees a negative number
            const int block = position / unit - 1, weight = position % unit;
            places[i] = {std::clamp(block, 0, blocks - 1), std::clamp(block + 1, 0, blocks - 1), unit - weight, weight};
        }
        return places;
    }

    int mix(int a, int b) const {
        return a * weight_first + b * weight_second;
    }
    Ways mix(const Ways &a, const Ways &b) const {
        return {mix(a.from_a_x, b.from_a_x), mix(a.from_a_y, b.from_a_y), mix(a.to_b_x, b.to_b_x),
                mix(a.to_b_y, b.to_b_y), mix(a.weight, b.weight)};
    }
};

/// Taps of the Catmull-Rom cubic at each 1/16 pixel, rounded such that their sum is 64.
constexpr int kSharpTaps[16][4] = {
    {0, 64, 0, 0},    {-2, 64, 2, 0},   {-3, 61, 6, 0},   {-4, 59, 10, -1}, {-4, 56, 14, -2}, {-5, 51, 20, -2},
    {-5, 47, 25, -3}, {-4, 41, 30, -3}, {-4, 36, 36, -4}, {-3, 30, 41, -4}, {-3, 25, 47, -5}, {-2, 20, 51, -5},
    {-2, 14, 56, -4}, {-1, 10, 59, -4}, {0, 6, 61, -3},   {0, 2, 64, -2},
};

/// The same taps as vectors for 4x4 pixels: `down` repeats the tap of each row four times, `across` has one for each
/// column.
constexpr struct VectorTaps {
    alignas(32) int16_t down[16][4][4] = {};
    alignas(16) int32_t across[16][4] = {};

    constexpr VectorTaps() {
        for (int place = 0; place < 16; ++place)
            for (int i = 0; i < 4; ++i) {
                across[place][i] = kSharpTaps[place][i];
                for (int j = 0; j < 4; ++j)
                    down[place][i][j] = int16_t(kSharpTaps[place][i]);
            }
    }
} kVectorTaps;

// Vectors of 4x4, 2x4 and 4 numbers, which compilers keep in registers.
using Packed [[gnu::vector_size(16)]] = uint32_t;
using Samples [[gnu::vector_size(16)]] = uint8_t;
using FourRows [[gnu::vector_size(32)]] = int16_t;
using TwoRows [[gnu::vector_size(16)]] = int16_t;
using OneRow [[gnu::vector_size(8)]] = int16_t;
using Columns [[gnu::vector_size(16)]] = int32_t;

/// Copies a vector's halves.
template <class Half, class Whole> GVC_INLINE void split(const Whole &whole, Half &first, Half &second) {
    std::memcpy(&first, &whole, sizeof(Half));
    std::memcpy(&second, reinterpret_cast<const char *>(&whole) + sizeof(Half), sizeof(Half));
}

/// A picture with a border that repeats its edge pixels. Positions beyond the border have the same values.
class Picture {
  public:
    explicit Picture(const Array<uint8_t> &picture)
        : width(int(picture.shape(1))), height(int(picture.shape(0))), stride_(width + 2 * kBorder),
          data_(stride_ * (height + 2 * kBorder)) {
        uint8_t *out = data_.data();
        for (int y = -kBorder; y < height + kBorder; ++y) {
            const uint8_t *row = picture.data(std::clamp(y, 0, height - 1), 0);
            out = std::fill_n(out, kBorder, row[0]);
            out = std::copy_n(row, width, out);
            out = std::fill_n(out, kBorder, row[width - 1]);
        }
    }

    const int width, height;

    /// 256 times the pixel value at a place in 1/16 pixel.
    GVC_INLINE int bilinear(int y, int x) const {
        const int fx = x & 15, fy = y & 15;
        const uint8_t *upper = square(y >> 4, x >> 4), *lower = upper + stride_;
        return (upper[0] * (16 - fx) + upper[1] * fx) * (16 - fy) + (lower[0] * (16 - fx) + lower[1] * fx) * fy;
    }

    /// 4096 times the pixel value at a place in 1/16 pixel.
    GVC_INLINE int sharp(int y, int x) const {
        const uint8_t *from = square((y >> 4) - 1, (x >> 4) - 1);
        const auto row = [&](int i) {
            uint32_t four;
            std::memcpy(&four, from + i * stride_, 4);
            return four;
        };
        const Samples samples = Samples(Packed{row(0), row(1), row(2), row(3)});
        FourRows four, down;
        std::memcpy(&down, kVectorTaps.down[y & 15], 32);
        four = __builtin_convertvector(samples, FourRows) *
               down; // fits 16 bits: the magnitudes of a row of taps sum to at most 76
        TwoRows first_two, last_two;
        split(four, first_two, last_two);
        OneRow odd, even;
        split(first_two + last_two, odd, even);
        Columns across;
        std::memcpy(&across, kVectorTaps.across[x & 15], 16);
        const Columns columns = __builtin_convertvector(odd + even, Columns) * across;
        return columns[0] + columns[1] + columns[2] + columns[3];
    }

  private:
    static constexpr int kBorder = 4;

    /// Address of the 4x4 pixels from a place on, or of equal pixels in the border.
    GVC_INLINE const uint8_t *square(int y, int x) const {
        const size_t row = std::clamp(y, -kBorder, height) + kBorder, column = std::clamp(x, -kBorder, width) + kBorder;
        return data_.data() + row * stride_ + column;
    }

    const size_t stride_;
    std::vector<uint8_t> data_;
};

template <int shift> GVC_INLINE uint8_t mixed(int a, int b, int unit, int weight) {
    return uint8_t(std::clamp((a * (unit - weight) + b * weight + (1 << (shift - 1))) >> shift, 0, 255));
}

/// All inputs of an interpolation: two pictures, their motion, and the time between them.
struct Setting {
    Picture a, b;
    Field forward, backward;
    Time time;
    Correction correction;
    int shift;
    bool sharp;
    double share;

    int unit() const {
        return sharp ? 256 : 16384;
    }
    int weight() const {
        return share < 0 ? (unit() * time.num + time.den / 2) / time.den : int(unit() * share + 0.5);
    }
    std::vector<Ways> ways() const {
        return block_ways(forward, backward, time, correction, weight(), unit(), share >= 0);
    }
};

/// Calls `pixel` for each pixel in raster order, with its positions in a and b in 1/16 pixel and the weight of b.
template <class Pixel> GVC_INLINE void for_each_pixel(const Setting &setting, Pixel pixel) {
    const int width = setting.a.width, height = setting.a.height, columns = setting.forward.columns;
    const std::vector<Ways> ways = setting.ways();
    const int block_size = 8 >> setting.shift, down = 10 - setting.shift, half = 1 << (down - 1);
    const int down_weight = 8 - 2 * setting.shift, half_weight = 1 << (down_weight - 1);
    const std::vector<Between> across = Between::along(width, columns, block_size);
    const std::vector<Between> along = Between::along(height, setting.forward.rows, block_size);
    std::vector<Ways> of_row(columns);
    for (int y = 0; y < height; ++y) {
        const Ways *upper = &ways[size_t(along[y].first) * columns];
        const Ways *lower = &ways[size_t(along[y].second) * columns];
        for (int column = 0; column < columns; ++column)
            of_row[column] = along[y].mix(upper[column], lower[column]);
        for (int x = 0; x < width; ++x) {
            const Ways w = across[x].mix(of_row[across[x].first], of_row[across[x].second]);
            pixel(16 * y - ((w.from_a_y + half) >> down), 16 * x - ((w.from_a_x + half) >> down),
                  16 * y + ((w.to_b_y + half) >> down), 16 * x + ((w.to_b_x + half) >> down),
                  (w.weight + half_weight) >> down_weight);
        }
    }
}

GVC_MULTIVERSION void interpolate(uint8_t *out, const Setting &setting) {
    const Picture &a = setting.a, &b = setting.b;
    const int unit = setting.unit();
    if (setting.sharp)
        for_each_pixel(setting, [&](int ay, int ax, int by, int bx, int weight) {
            *out++ = mixed<20>(weight < unit ? a.sharp(ay, ax) : 0, weight ? b.sharp(by, bx) : 0, unit, weight);
        });
    else
        for_each_pixel(setting, [&](int ay, int ax, int by, int bx, int weight) {
            *out++ = mixed<22>(a.bilinear(ay, ax), b.bilinear(by, bx), unit, weight);
        });
}

/// Interpolates the mixed picture, and beside it a alone and b alone.
GVC_MULTIVERSION void interpolate_parts(uint8_t *out, uint8_t *out_a, uint8_t *out_b, const Setting &setting) {
    const int unit = setting.unit();
    for_each_pixel(setting, [&](int ay, int ax, int by, int bx, int weight) {
        const int a = setting.a.sharp(ay, ax), b = setting.b.sharp(by, bx);
        *out++ = mixed<20>(a, b, unit, weight);
        *out_a++ = mixed<20>(a, b, unit, 0);
        *out_b++ = mixed<20>(a, b, unit, unit);
    });
}

using OptionalCorrection = std::optional<Array<int16_t>>;

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
            {correction ? correction->data() : nullptr},
            shift,
            sharp,
            share};
}

py::array_t<uint8_t> motion_interpolate(const Array<uint8_t> &a, const Array<uint8_t> &b,
                                        const Array<int16_t> &field_ab, const Array<int16_t> &field_ba, int num,
                                        int den, int shift, bool sharp, double share,
                                        const OptionalCorrection &correction) {
    const Setting setting = setting_of(a, b, field_ab, field_ba, num, den, shift, sharp, share, correction);
    py::array_t<uint8_t> result({setting.a.height, setting.a.width});
    uint8_t *out = result.mutable_data();
    const py::gil_scoped_release release;
    interpolate(out, setting);
    return result;
}

py::tuple motion_parts(const Array<uint8_t> &a, const Array<uint8_t> &b, const Array<int16_t> &field_ab,
                       const Array<int16_t> &field_ba, int num, int den, const OptionalCorrection &correction) {
    const Setting setting = setting_of(a, b, field_ab, field_ba, num, den, 0, true, -1.0, correction);
    const py::ssize_t height = setting.a.height, width = setting.a.width;
    py::array_t<uint8_t> mixed({height, width}), of_a({height, width}), of_b({height, width});
    uint8_t *const out = mixed.mutable_data(), *const out_a = of_a.mutable_data(), *const out_b = of_b.mutable_data();
    {
        const py::gil_scoped_release release;
        interpolate_parts(out, out_a, out_b, setting);
    }
    return py::make_tuple(mixed, of_a, of_b);
}

} // namespace

void bind_interpolation(py::module_ &module) {
    module.def(
        "motion_interpolate", &motion_interpolate, py::arg("a"), py::arg("b"), py::arg("field_ab"), py::arg("field_ba"),
        py::arg("num"), py::arg("den"), py::arg("shift") = 0, py::arg("sharp") = true, py::arg("share") = -1.0,
        py::arg("correction") = py::none(),
        "Returns the picture uint8 [H, W] at time num / den between a and b along their motion fields. "
        "shift: 1 for chroma of half size, 0 for luma (default). sharp: whether to use four taps each way instead of "
        "two, default true. share: weight of b in the mix, 0 to 1; negative (default) = num / den. correction: of the "
        "motion, int16 [rows, columns, (x, y, weight)] in 1/64 pixel and 1/256 of b's weight (ignored with a share); "
        "default none.");
    module.def("motion_parts", &motion_parts, py::arg("a"), py::arg("b"), py::arg("field_ab"), py::arg("field_ba"),
               py::arg("num"), py::arg("den"), py::arg("correction") = py::none(),
               "Returns three luma pictures uint8 [H, W]: the result of motion_interpolate, then a alone and b alone, "
               "moved in the same way.");
}

} // namespace gvc
