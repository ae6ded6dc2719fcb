// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// What lanes_scalar.h has, for AVX2.

constexpr int kLanes = 8;
using Ints [[gnu::vector_size(4 * kLanes)]] = int32_t;

GVC_TARGET GVC_INLINE Ints gather(const uint8_t *base, Ints offsets) {
    return Ints(_mm256_i32gather_epi32(reinterpret_cast<const int *>(base), __m256i(offsets), 1));
}

GVC_TARGET GVC_INLINE Ints windows(const uint8_t *from) {
    const __m256i twice = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
    return Ints(_mm256_shuffle_epi8(twice, _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, //
                                                            4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10)));
}

GVC_TARGET GVC_INLINE bool all_zero(Ints values) {
    return _mm256_testz_si256(__m256i(values), __m256i(values));
}

GVC_TARGET GVC_INLINE Ints look_up(const int32_t *table, Ints indices) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(table));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(table + 8));
    const __m256i from_first = _mm256_permutevar8x32_epi32(first, __m256i(indices));
    const __m256i from_second = _mm256_permutevar8x32_epi32(second, __m256i(indices));
    return indices > 7 ? Ints(from_second) : Ints(from_first);
}

GVC_TARGET GVC_INLINE Ints dot_shorts(Ints a, Ints b) {
    return Ints(_mm256_madd_epi16(__m256i(a), __m256i(b)));
}

GVC_TARGET GVC_INLINE Ints dot_bytes(Ints bytes, Ints weights) {
    return Ints(_mm256_madd_epi16(_mm256_maddubs_epi16(__m256i(bytes), __m256i(weights)), _mm256_set1_epi16(1)));
}

GVC_TARGET GVC_INLINE Ints roots(Ints values) {
    return Ints(_mm256_cvttps_epi32(_mm256_sqrt_ps(_mm256_cvtepi32_ps(__m256i(values)))));
}

GVC_TARGET GVC_INLINE void store_bytes(uint8_t *out, Ints values) {
    const __m256i shorts = _mm256_packs_epi32(__m256i(values), __m256i(values));
    const __m256i bytes = _mm256_packus_epi16(shorts, shorts);
    const __m256i eight = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4));
    _mm_storel_epi64(reinterpret_cast<__m128i *>(out), _mm256_castsi256_si128(eight));
}

constexpr int kRows = 2;
using Bytes [[gnu::vector_size(16 * kRows)]] = uint8_t;
using Counts [[gnu::vector_size(16 * kRows)]] = uint16_t;

struct Wide {
    Counts first, second; ///< of each row, the first and the last eight numbers
};

GVC_TARGET GVC_INLINE Bytes load_rows(const uint8_t *from, int stride) {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
    const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + stride));
    return Bytes(_mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1));
}

GVC_TARGET GVC_INLINE Wide weighted(Bytes a, int weight_a, Bytes b, int weight_b) {
    const __m256i weights = _mm256_set1_epi16(int16_t(weight_a + 256 * weight_b));
    return {Counts(_mm256_maddubs_epi16(_mm256_unpacklo_epi8(__m256i(a), __m256i(b)), weights)),
            Counts(_mm256_maddubs_epi16(_mm256_unpackhi_epi8(__m256i(a), __m256i(b)), weights))};
}

GVC_TARGET GVC_INLINE Wide next_rows(const Wide &rows, const Wide &following) {
    return {Counts(_mm256_permute2x128_si256(__m256i(rows.first), __m256i(following.first), 0x21)),
            Counts(_mm256_permute2x128_si256(__m256i(rows.second), __m256i(following.second), 0x21))};
}

GVC_TARGET GVC_INLINE Bytes narrowed(const Wide &numbers) {
    return Bytes(_mm256_packus_epi16(__m256i(numbers.first), __m256i(numbers.second)));
}

GVC_TARGET GVC_INLINE Ints differences(Bytes a, Bytes b) {
    return Ints(_mm256_sad_epu8(__m256i(a), __m256i(b)));
}

GVC_TARGET GVC_INLINE int sum_of(Ints values) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(__m256i(values)), _mm256_extracti128_si256(__m256i(values), 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}
