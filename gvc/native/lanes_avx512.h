// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// What lanes_scalar.h has, for AVX-512.

constexpr int kLanes = 16;
using Ints [[gnu::vector_size(4 * kLanes)]] = int32_t;

GVC_TARGET GVC_INLINE Ints gather(const uint8_t *base, Ints offsets) {
    return Ints(_mm512_i32gather_epi32(__m512i(offsets), base, 1));
}

GVC_TARGET GVC_INLINE Ints windows(const uint8_t *from) {
    const __m512i bytes = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
    const __m512i indices = _mm512_setr_epi32(0, 1, 0, 0, 1, 2, 0, 0, 2, 3, 0, 0, 3, 4, 0, 0);
    const __m128i four = _mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6);
    return Ints(_mm512_shuffle_epi8(_mm512_permutexvar_epi32(indices, bytes), _mm512_broadcast_i32x4(four)));
}

GVC_TARGET GVC_INLINE bool all_zero(Ints values) {
    return !_mm512_test_epi32_mask(__m512i(values), __m512i(values));
}

GVC_TARGET GVC_INLINE Ints look_up(const int32_t *table, Ints indices) {
    return Ints(_mm512_permutexvar_epi32(__m512i(indices), _mm512_loadu_si512(table)));
}

GVC_TARGET GVC_INLINE Ints dot_shorts(Ints a, Ints b) {
    return Ints(_mm512_madd_epi16(__m512i(a), __m512i(b)));
}

GVC_TARGET GVC_INLINE Ints dot_bytes(Ints bytes, Ints weights) {
    return Ints(_mm512_madd_epi16(_mm512_maddubs_epi16(__m512i(bytes), __m512i(weights)), _mm512_set1_epi16(1)));
}

GVC_TARGET GVC_INLINE Ints roots(Ints values) {
    return Ints(_mm512_cvttps_epi32(_mm512_sqrt_ps(_mm512_cvtepi32_ps(__m512i(values)))));
}

GVC_TARGET GVC_INLINE void store_bytes(uint8_t *out, Ints values) {
    const __m512i positive = _mm512_max_epi32(__m512i(values), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm512_cvtusepi32_epi8(positive));
}

constexpr int kRows = 4;
using Bytes [[gnu::vector_size(16 * kRows)]] = uint8_t;
using Counts [[gnu::vector_size(16 * kRows)]] = uint16_t;

struct Wide {
    Counts first, second; ///< of each row, the first and the last eight numbers
};

GVC_TARGET GVC_INLINE Bytes load_rows(const uint8_t *from, int stride) {
    const auto row = [from, stride](int i) { return reinterpret_cast<const __m128i *>(from + ptrdiff_t(i) * stride); };
    __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128(row(0)));
    rows = _mm512_inserti32x4(rows, _mm_loadu_si128(row(1)), 1);
    rows = _mm512_inserti32x4(rows, _mm_loadu_si128(row(2)), 2);
    return Bytes(_mm512_inserti32x4(rows, _mm_loadu_si128(row(3)), 3));
}

GVC_TARGET GVC_INLINE Wide weighted(Bytes a, int weight_a, Bytes b, int weight_b) {
    const __m512i weights = _mm512_set1_epi16(int16_t(weight_a + 256 * weight_b));
    return {Counts(_mm512_maddubs_epi16(_mm512_unpacklo_epi8(__m512i(a), __m512i(b)), weights)),
            Counts(_mm512_maddubs_epi16(_mm512_unpackhi_epi8(__m512i(a), __m512i(b)), weights))};
}

GVC_TARGET GVC_INLINE Wide next_rows(const Wide &rows, const Wide &following) {
    return {Counts(_mm512_alignr_epi64(__m512i(following.first), __m512i(rows.first), 2)),
            Counts(_mm512_alignr_epi64(__m512i(following.second), __m512i(rows.second), 2))};
}

GVC_TARGET GVC_INLINE Bytes narrowed(const Wide &numbers) {
    return Bytes(_mm512_packus_epi16(__m512i(numbers.first), __m512i(numbers.second)));
}

GVC_TARGET GVC_INLINE Ints differences(Bytes a, Bytes b) {
    return Ints(_mm512_sad_epu8(__m512i(a), __m512i(b)));
}

GVC_TARGET GVC_INLINE int sum_of(Ints values) {
    return _mm512_reduce_add_epi32(__m512i(values));
}
