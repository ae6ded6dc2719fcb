// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Vectors without special instructions, included by each_instruction_set.h. Compilers make of them what the machine
// has.

constexpr int kLanes = 4;
using Ints [[gnu::vector_size(4 * kLanes)]] = int32_t;
using Shorts [[gnu::vector_size(4 * kLanes)]] = int16_t;

/// The four bytes at base + offset, for each offset.
GVC_INLINE Ints gather(const uint8_t *base, Ints offsets) {
    Ints result;
    for (int i = 0; i < kLanes; ++i) {
        int32_t four;
        std::memcpy(&four, base + offsets[i], 4);
        result[i] = four;
    }
    return result;
}

/// The four bytes at from, from + 1, .. Up to 32 bytes are read.
GVC_INLINE Ints windows(const uint8_t *from) {
    Ints result;
    for (int i = 0; i < kLanes; ++i) {
        int32_t four;
        std::memcpy(&four, from + i, 4);
        result[i] = four;
    }
    return result;
}

GVC_INLINE bool all_zero(Ints values) {
    int32_t any = 0;
    for (int i = 0; i < kLanes; ++i)
        any |= values[i];
    return !any;
}

/// Items of a table of 16.
GVC_INLINE Ints look_up(const int32_t *table, Ints indices) {
    Ints result;
    for (int i = 0; i < kLanes; ++i)
        result[i] = table[indices[i]];
    return result;
}

/// Scalar product of two signed 16-bit numbers in each lane.
GVC_INLINE Ints dot_shorts(Ints a, Ints b) {
    return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
}

/// Scalar product of four unsigned and four signed bytes in each lane; the first two products and the last two must
/// have sums of 16 bits.
GVC_INLINE Ints dot_bytes(Ints bytes, Ints weights) {
    const Shorts even = Shorts(bytes & 0x00ff00ff) * ((Shorts(weights) << 8) >> 8);
    const Shorts odd = Shorts((bytes >> 8) & 0x00ff00ff) * (Shorts(weights) >> 8);
    const Ints sums = Ints(even + odd);
    return ((sums << 16) >> 16) + (sums >> 16);
}

/// Square roots in binary32, rounded towards zero.
GVC_INLINE Ints roots(Ints values) {
    Ints result;
    for (int i = 0; i < kLanes; ++i)
        result[i] = int(std::sqrt(float(values[i])));
    return result;
}

/// Stores the lanes, clamped to 0..255, as bytes.
GVC_INLINE void store_bytes(uint8_t *out, Ints values) {
    for (int i = 0; i < kLanes; ++i)
        out[i] = uint8_t(std::clamp(values[i], 0, 255));
}

/// kRows rows of 16 bytes.
constexpr int kRows = 1;
using Bytes [[gnu::vector_size(16 * kRows)]] = uint8_t;
using Counts [[gnu::vector_size(16 * kRows)]] = uint16_t;

/// The same as unsigned 16-bit numbers; how they are divided into two halves is up to the functions below.
struct Wide {
    Counts first, second;
};

GVC_INLINE Bytes load_rows(const uint8_t *from, int) {
    Bytes result;
    std::memcpy(&result, from, sizeof result);
    return result;
}

/// Sums of samples times 0..127 each; they must fit 15 bits.
GVC_INLINE Wide weighted(Bytes a, int weight_a, Bytes b, int weight_b) {
    using Eight [[gnu::vector_size(8)]] = uint8_t;
    Eight halves_a[2], halves_b[2];
    std::memcpy(halves_a, &a, sizeof a);
    std::memcpy(halves_b, &b, sizeof b);
    Counts sums[2];
    for (int i = 0; i < 2; ++i)
        sums[i] = __builtin_convertvector(halves_a[i], Counts) * uint16_t(weight_a) +
                  __builtin_convertvector(halves_b[i], Counts) * uint16_t(weight_b);
    return {sums[0], sums[1]};
}

/// The rows after the first one, and the first one of those that follow.
GVC_INLINE Wide next_rows(const Wide &, const Wide &following) {
    return following;
}

/// Numbers of 0..255 as bytes.
GVC_INLINE Bytes narrowed(const Wide &numbers) {
    using Eight [[gnu::vector_size(8)]] = uint8_t;
    const Eight halves[2] = {__builtin_convertvector(numbers.first, Eight),
                             __builtin_convertvector(numbers.second, Eight)};
    return load_rows(reinterpret_cast<const uint8_t *>(halves), 0);
}

/// Numbers whose sum is the sum of absolute differences.
GVC_INLINE Ints differences(Bytes a, Bytes b) {
    const Wide error = weighted(a > b ? a - b : b - a, 1, Bytes{}, 0);
    const Ints pairs = Ints(error.first + error.second);
    return (pairs & 0xffff) + (pairs >> 16);
}

GVC_INLINE int sum_of(Ints values) {
    int sum = 0;
    for (int i = 0; i < kLanes; ++i)
        sum += values[i];
    return sum;
}
