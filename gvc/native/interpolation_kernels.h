// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Interpolation, several pixels at a time; included by each_instruction_set.h. interpolation.cpp says what is computed.

enum Component { kFromAX, kFromAY, kToBX, kToBY, kWeight, kComponents };

using Row = std::vector<int32_t>;

constexpr int kTable = 16; ///< length of the tables of look_up

/// Multiplies values by num / den, rounded to nearest, halves up. The dividend is an integer below 2^53, and a quotient
/// that is no integer lies at least 1 / 2 den below the next one, so rounding to binary64 does not reach that.
GVC_TARGET void take_part(int32_t *out, const int32_t *values, int count, Time time) {
    const double numerator = 2.0 * time.num, half = time.den, denominator = 2.0 * time.den;
    for (int i = 0; i < count; ++i) {
        const double quotient = (values[i] * numerator + half) / denominator;
        const int towards_zero = int(quotient);
        out[i] = towards_zero - (towards_zero > quotient);
    }
}

/// Computes the ways of blocks, one row of blocks after another.
class BlockWays {
  public:
    explicit BlockWays(const Setting &setting) : setting_(setting), columns_(padded(setting.forward.columns)) {
        for (Row *row : {&x_, &y_, &place_x_, &place_y_})
            row->resize(columns_);
    }

    /// Writes the components of each block; `out` has kComponents rows of padded(columns) values.
    GVC_TARGET void row(int row, int32_t *out) {
        const Time time = setting_.time, rest{time.den - time.num, time.den};
        std::fill(x_.begin(), x_.end(), 512);
        std::fill(y_.begin(), y_.end(), 512);
        add_along_way(setting_.forward, row, time, 1);
        add_along_way(setting_.backward, row, rest, -1);
        for (int i = 0; i < columns_; ++i) {
            x_[i] >>= 10;
            y_[i] >>= 10;
        }
        int32_t *const component[] = {out, out + columns_, out + 2 * columns_, out + 3 * columns_, out + 4 * columns_};
        take_part(component[kFromAX], x_.data(), columns_, time);
        take_part(component[kFromAY], y_.data(), columns_, time);
        for (int i = 0; i < columns_; ++i) {
            component[kToBX][i] = x_[i] - component[kFromAX][i];
            component[kToBY][i] = y_[i] - component[kFromAY][i];
            component[kWeight][i] = setting_.weight();
        }
        if (!setting_.correction)
            return;
        const int columns = setting_.forward.columns;
        const int16_t *correction = setting_.correction + size_t(3) * row * columns;
        for (int i = 0; i < columns; ++i, correction += 3) {
            component[kFromAX][i] -= correction[0];
            component[kFromAY][i] -= correction[1];
            component[kToBX][i] += correction[0];
            component[kToBY][i] += correction[1];
            if (setting_.share < 0)
                component[kWeight][i] = std::clamp(component[kWeight][i] + correction[2], 0, setting_.taps.unit);
        }
    }

  private:
    /// Adds sign * 4096 times a field, at the centre of each block less its displacement, to x_ and y_.
    GVC_TARGET void add_along_way(const Field &field, int row, Time time, int sign) {
        const int16_t *vectors = field.data + size_t(2) * row * field.columns;
        for (int i = 0; i < columns_; ++i) {
            const int column = std::min(i, field.columns - 1);
            place_x_[i] = vectors[2 * column];
            place_y_[i] = vectors[2 * column + 1];
        }
        take_part(place_x_.data(), place_x_.data(), columns_, time);
        take_part(place_y_.data(), place_y_.data(), columns_, time);
        for (int i = 0; i < columns_; i += kLanes) {
            const Ints x = clamped(64 * count_from(i) - load(&place_x_[i]), 0, 64 * (field.columns - 1));
            const Ints y = clamped(64 * row - load(&place_y_[i]), 0, 64 * (field.rows - 1));
            const Ints upper = (y >> 6) * field.columns, left = x >> 6;
            const Ints lower = clamped((y >> 6) + 1, 0, field.rows - 1) * field.columns;
            const Ints right = clamped(left + 1, 0, field.columns - 1);
            const auto *base = reinterpret_cast<const uint8_t *>(field.data);
            const Ints corners[] = {gather(base, 4 * (upper + left)), gather(base, 4 * (upper + right)),
                                    gather(base, 4 * (lower + left)), gather(base, 4 * (lower + right))};
            const Ints fx = x & 63, fy = y & 63;
            const Ints weights[] = {(64 - fx) * (64 - fy), fx * (64 - fy), (64 - fx) * fy, fx * fy};
            Ints sum_x{}, sum_y{};
            for (int corner = 0; corner < 4; ++corner) {
                sum_x += ((corners[corner] << 16) >> 16) * weights[corner];
                sum_y += (corners[corner] >> 16) * weights[corner];
            }
            store(&x_[i], load(&x_[i]) + sign * sum_x);
            store(&y_[i], load(&y_[i]) + sign * sum_y);
        }
    }

    const Setting &setting_;
    const int columns_;
    Row x_, y_, place_x_, place_y_;
};

/// Ways of the pixels of a row, times their unit, and what the next row adds to them.
template <int B> class PixelWays {
  public:
    explicit PixelWays(int columns) : columns_(columns), centres_(columns + 2 + kTable) {
        for (int i = 0; i < kComponents; ++i)
            for (Row *row : {&values_[i], &steps_[i]})
                row->resize(B * (columns + 1) + 2 * kTable);
    }

    /// Goes to the first row of pixels between two rows of blocks, whose components have the given stride.
    GVC_TARGET void start(const Row &above, const Row &below, int stride) {
        for (int i = 0; i < kComponents; ++i) {
            const int32_t *upper = &above[i * stride], *lower = &below[i * stride];
            for (size_t column = 0; column < size_t(columns_); ++column)
                centres_[column + 1] = (2 * B - 1) * upper[column] + lower[column];
            spread(values_[i].data());
            for (size_t column = 0; column < size_t(columns_); ++column)
                centres_[column + 1] = 2 * (lower[column] - upper[column]);
            spread(steps_[i].data());
        }
    }

    GVC_TARGET void next() {
        for (int i = 0; i < kComponents; ++i)
            for (size_t x = 0; x < steps_[i].size(); ++x)
                values_[i][x] += steps_[i][x];
    }

    const int32_t *operator[](Component component) const {
        return &values_[component][B / 2];
    }

  private:
    /// Interpolates between the centres of blocks, from B / 2 pixels before the first pixel on.
    GVC_TARGET void spread(int32_t *out) {
        constexpr int step = std::max(B, kLanes);
        centres_[0] = centres_[1];
        centres_[columns_ + 1] = centres_[columns_];
        for (int first = 0; first < B * (columns_ + 1); first += step)
            for (int part = 0; part < step; part += kLanes) {
                const Ints place = count_from(part);
                const Ints before = look_up(&centres_[first / B], place / B);
                const Ints after = look_up(&centres_[first / B], place / B + 1);
                store(out + first + part, 2 * B * before + (after - before) * (2 * (place % B) + 1));
            }
    }

    const int columns_;
    Row centres_, values_[kComponents], steps_[kComponents];
};

/// Reads four by four pixels around places in 1/16 pixel; returns their sums with the taps' weights.
GVC_TARGET GVC_INLINE Ints sample(const View &picture, const Taps &taps, Ints y, Ints x) {
    const Ints row = clamped((y >> 4) + (kBorder - 1), 0, picture.height + kBorder);
    const Ints column = clamped((x >> 4) + (kBorder - 1), 0, picture.width + kBorder);
    const Ints offset = row * picture.stride + column;
    const Ints across = look_up(taps.across, x & 15);
    const bool side_by_side = all_zero(offset - count_from(offset[0])); // as in most places
    Ints sums[4];                                                       // these fit 16 bits
    for (int i = 0; i < 4; ++i) {
        const uint8_t *from = picture.data + size_t(i) * picture.stride;
        sums[i] = dot_bytes(side_by_side ? windows(from + offset[0]) : gather(from, offset), across);
    }
    const Ints above = (sums[0] & 0xffff) | (sums[1] << 16), below = (sums[2] & 0xffff) | (sums[3] << 16);
    return dot_shorts(above, look_up(taps.above, y & 15)) + dot_shorts(below, look_up(taps.below, y & 15));
}

/// Divides by 2^shift, rounded.
GVC_TARGET GVC_INLINE Ints scaled(Ints values, int shift) {
    return (values + (1 << (shift - 1))) >> shift;
}

/// Stores up to kLanes pixels, whose values have the unit 2^shift.
GVC_TARGET GVC_INLINE void put(uint8_t *out, Ints values, int shift, int count) {
    values = scaled(values, shift);
    if (count >= kLanes)
        return store_bytes(out, values);
    uint8_t bytes[kLanes];
    store_bytes(bytes, values);
    std::copy_n(bytes, count, out);
}

/// Interpolates row y of a picture. ways: of its pixels. needs_a, needs_b: whether a, b have any weight in it.
template <class Ways>
GVC_TARGET void interpolate_row(const Setting &setting, const Output &output, int y, const Ways &ways, bool needs_a,
                                bool needs_b) {
    const View a = setting.a.view(), b = setting.b.view(); // copies, which stores cannot change
    const Taps &taps = setting.taps;
    const int width = a.width, unit = taps.unit, shift = taps.shift;
    const int down = 10 - setting.shift, down_weight = 8 - 2 * setting.shift;
    for (int first = 0; first < width; first += kLanes) {
        const Ints x = 16 * count_from(first), weight = scaled(load(ways[kWeight] + first), down_weight);
        const Ints from_a = needs_a ? sample(a, taps, 16 * y - scaled(load(ways[kFromAY] + first), down),
                                             x - scaled(load(ways[kFromAX] + first), down))
                                    : Ints{};
        const Ints from_b = needs_b ? sample(b, taps, 16 * y + scaled(load(ways[kToBY] + first), down),
                                             x + scaled(load(ways[kToBX] + first), down))
                                    : Ints{};
        const size_t at = size_t(y) * width + first;
        put(output.mixed + at, from_a * (unit - weight) + from_b * weight, shift, width - first);
        if (output.of_a) {
            put(output.of_a + at, from_a * unit, shift, width - first);
            put(output.of_b + at, from_b * unit, shift, width - first);
        }
    }
}

/// Interpolates a picture with blocks of B pixels a side.
template <int B> GVC_TARGET void interpolate_blocks(const Setting &setting, const Output &output) {
    const bool fixed = setting.share >= 0 || !setting.correction;
    const bool needs_a = output.of_a || !fixed || setting.weight() < setting.taps.unit;
    const bool needs_b = output.of_b || !fixed || setting.weight() > 0;
    const int rows = setting.forward.rows, stride = padded(setting.forward.columns);
    BlockWays blocks(setting);
    PixelWays<B> pixels(setting.forward.columns);
    Row above(kComponents * stride), below(above);
    blocks.row(0, below.data());
    for (int row = 0; row <= rows; ++row) { // between the centres of blocks row - 1 and row
        above = below;
        if (row > 0 && row < rows)
            blocks.row(row, below.data());
        pixels.start(above, below, stride);
        for (int y = B * row - B / 2; y < std::min(B * row + B / 2, setting.a.height); ++y, pixels.next())
            if (y >= 0)
                interpolate_row(setting, output, y, pixels, needs_a, needs_b);
    }
}

GVC_TARGET void interpolate(const Setting &setting, const Output &output) {
    if (setting.shift)
        interpolate_blocks<4>(setting, output);
    else
        interpolate_blocks<8>(setting, output);
}
