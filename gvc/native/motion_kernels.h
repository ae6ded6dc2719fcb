// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Differences between windows, several rows at a time; included by each_instruction_set.h. motion.cpp says what they
// are.

/// Directions in which a window is displaced by a fraction of a pixel.
enum class Between { kNone, kOne, kBoth };

GVC_TARGET GVC_INLINE Wide scaled(const Wide &numbers, int shift) {
    const auto half = uint16_t(1 << (shift - 1));
    return {(numbers.first + half) >> shift, (numbers.second + half) >> shift};
}

/// step: distance to the second pixel of each pair, if the fraction is in one direction.
template <Between between>
GVC_TARGET int difference_between(const uint8_t *window, const uint8_t *b, int stride, int step, int fraction_x,
                                  int fraction_y, int limit) {
    Wide upper;
    if constexpr (between == Between::kBoth)
        upper = weighted(load_rows(b, stride), kUnit - fraction_x, load_rows(b + 1, stride), fraction_x);
    int difference = 0;
    for (int part = 0; part < kWindow && difference < limit; part += kPart) {
        Ints sums{};
        for (int y = 0; y < kPart; y += kRows, window += kRows * kWindow) {
            Bytes samples = load_rows(b, stride);
            if constexpr (between == Between::kOne) {
                const int fraction = fraction_x + fraction_y;
                const Wide mixed = weighted(samples, kUnit - fraction, load_rows(b + step, stride), fraction);
                samples = narrowed(scaled(mixed, 3));
            }
            b += kRows * stride;
            if constexpr (between == Between::kBoth) {
                const Wide following =
                    weighted(load_rows(b, stride), kUnit - fraction_x, load_rows(b + 1, stride), fraction_x);
                const Wide lower = next_rows(upper, following);
                const auto above = uint16_t(kUnit - fraction_y), below = uint16_t(fraction_y);
                samples = narrowed(scaled({upper.first * above + lower.first * below, //
                                           upper.second * above + lower.second * below},
                                          6));
                upper = following;
            }
            sums += differences(samples, load_rows(window, kWindow));
        }
        difference += sum_of(sums);
    }
    return difference;
}

/// Sum of absolute differences between a window, kWindow rows without gaps, and a window of b, which is shifted by a
/// fraction of a pixel in units of 1 / kUnit. Once the sum has reached `limit`, the rest of the window is skipped.
/// Up to three rows below the window are read.
GVC_TARGET int window_difference(const uint8_t *window, const uint8_t *b, int stride, int fraction_x, int fraction_y,
                                 int limit) {
    if (fraction_x && fraction_y)
        return difference_between<Between::kBoth>(window, b, stride, 0, fraction_x, fraction_y, limit);
    if (fraction_x || fraction_y)
        return difference_between<Between::kOne>(window, b, stride, fraction_x ? 1 : stride, fraction_x, fraction_y,
                                                 limit);
    return difference_between<Between::kNone>(window, b, stride, 0, 0, 0, limit);
}
