// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
#include "hadamard.h"

#include "multiversion.h"

#include <cstring>
#include <type_traits>
#include <utility>

namespace gvc {
namespace {

template <class T, size_t Bytes> struct Lanes { typedef T type __attribute__((vector_size(Bytes))); };
template <class T, size_t Bytes> using Vector = typename Lanes<T, Bytes>::type;

// Sums and differences use unsigned integers, for which wrap-around is defined.
template <class T> struct Arithmetic { using type = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>; };
template <> struct Arithmetic<float> { using type = float; };

/// Butterflies at distance H between the lanes of one vector.
template <class T, size_t Bytes, int H, size_t... I>
GVC_INLINE void lane_butterfly(Vector<T, Bytes> &v, std::index_sequence<I...>) {
    using Mask = Vector<std::conditional_t<sizeof(T) == 4, int32_t, int64_t>, Bytes>;
    const Vector<T, Bytes> partner = __builtin_shufflevector(v, v, (int(I) ^ H)...);
    v = Mask{((I & H) ? -1 : 0)...} ? partner - v : partner + v;
}

/// Butterflies between R vectors, all log2(R) stages.
template <int R, class V> GVC_INLINE void vector_butterflies(V (&v)[R]) {
#pragma GCC unroll 4
    for (int h = 1; h < R; h *= 2)
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
            if (!(i & h)) {
                const V a = v[i], b = v[i + h];
                v[i] = a + b;
                v[i + h] = a - b;
            }
}

/// One pass over memory, which replaces R rows of `stride` values by their transform across the rows.
template <int R, class T> GVC_INLINE void rows_pass(T *x, size_t stride) {
    using V = Vector<T, 32>;
    constexpr size_t kLanes = 32 / sizeof(T);
    for (size_t column = 0; column < stride; column += kLanes) {
        V v[R];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
            std::memcpy(&v[i], x + i * stride + column, sizeof(V));
        vector_butterflies<R>(v);
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
            std::memcpy(x + i * stride + column, &v[i], sizeof(V));
    }
}

/// Transforms kBase consecutive values in registers.
template <class T> GVC_INLINE void base_transform(T *x) {
    constexpr size_t kBytes = 32, kLanes = kBytes / sizeof(T);
    Vector<T, kBytes> v[8];
    constexpr auto lanes = std::make_index_sequence<kLanes>();
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
        std::memcpy(&v[i], x + i * kLanes, kBytes);
        lane_butterfly<T, kBytes, 1>(v[i], lanes);
        lane_butterfly<T, kBytes, 2>(v[i], lanes);
        if constexpr (kLanes == 8)
            lane_butterfly<T, kBytes, 4>(v[i], lanes);
    }
    vector_butterflies<8>(v);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i)
        std::memcpy(x + i * kLanes, &v[i], kBytes);
}

/// The stages at distances >= stride: a transform across size / stride rows of `stride` values.
template <class T> GVC_INLINE void transform_rows(T *x, size_t size, size_t stride) {
    while (stride * 8 <= size) {
        for (size_t start = 0; start < size; start += stride * 8)
            rows_pass<8>(x + start, stride);
        stride *= 8;
    }
    if (size == stride * 2)
        rows_pass<2>(x, stride);
    else if (size == stride * 4)
        rows_pass<4>(x, stride);
}

/// Radix-8 passes from small to large distances. A block of 8 rows is transformed as soon as its rows are complete, as
/// in a depth-first recursion, so that most passes find their data in the first-level cache.
template <class T> GVC_INLINE void transform(T *x, size_t size) {
    constexpr size_t kBase = 8 * 32 / sizeof(T);
    if (size < kBase) {
        for (size_t h = 1; h < size; h *= 2)
            for (size_t i = 0; i < size; ++i)
                if (!(i & h)) {
                    const T a = x[i], b = x[i + h];
                    x[i] = a + b;
                    x[i + h] = a - b;
                }
        return;
    }
    size_t full = kBase; // the loop makes it the largest kBase * 8^k that is <= size
    while (full * 8 <= size)
        full *= 8;
    for (size_t start = 0; start < size; start += kBase) {
        base_transform(x + start);
        for (size_t stride = kBase; stride < full && (start + kBase) % (stride * 8) == 0; stride *= 8)
            rows_pass<8>(x + start + kBase - stride * 8, stride);
    }
    transform_rows(x, size, full);
}

template <class T> GVC_INLINE void negate_where(T *values, const uint32_t *signs, size_t size) {
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        const uint32_t word = signs[i >> 5];
        for (uint32_t bit = 0; bit < 32; ++bit)
            values[i + bit] = (word >> bit & 1) ? -values[i + bit] : values[i + bit];
    }
    for (; i < size; ++i)
        values[i] = (signs[i >> 5] >> (i & 31) & 1) ? -values[i] : values[i];
}

template <class T> GVC_INLINE void add_to(T *values, const T *others, size_t size) {
    for (size_t i = 0; i < size; ++i)
        values[i] += others[i];
}

template <class T> auto *arithmetic(T *values) {
    return reinterpret_cast<typename Arithmetic<T>::type *>(values);
}
template <class T> auto *arithmetic(const T *values) {
    return reinterpret_cast<const typename Arithmetic<T>::type *>(values);
}

} // namespace

GVC_MULTIVERSION void hadamard(int32_t *values, size_t size) {
    transform(arithmetic(values), size);
}
GVC_MULTIVERSION void hadamard(int64_t *values, size_t size) {
    transform(arithmetic(values), size);
}
GVC_MULTIVERSION void hadamard(float *values, size_t size) {
    transform(arithmetic(values), size);
}

GVC_MULTIVERSION void hadamard_rows(int32_t *values, size_t size, size_t stride) {
    transform_rows(arithmetic(values), size, stride);
}
GVC_MULTIVERSION void hadamard_rows(int64_t *values, size_t size, size_t stride) {
    transform_rows(arithmetic(values), size, stride);
}

GVC_MULTIVERSION void add(int32_t *values, const int32_t *others, size_t size) {
    add_to(arithmetic(values), arithmetic(others), size);
}
GVC_MULTIVERSION void add(int64_t *values, const int64_t *others, size_t size) {
    add_to(arithmetic(values), arithmetic(others), size);
}

GVC_MULTIVERSION void apply_signs(int32_t *values, const uint32_t *signs, size_t size) {
    negate_where(arithmetic(values), signs, size);
}
GVC_MULTIVERSION void apply_signs(int64_t *values, const uint32_t *signs, size_t size) {
    negate_where(arithmetic(values), signs, size);
}
GVC_MULTIVERSION void apply_signs(float *values, const uint32_t *signs, size_t size) {
    negate_where(arithmetic(values), signs, size);
}

} // namespace gvc
