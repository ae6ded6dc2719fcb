// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Fast Walsh-Hadamard transform in place, unnormalised, Sylvester order: y[i] = sum_j (-1)^popcount(i & j) x[j].
#pragma once

#include <cstddef>
#include <cstdint>

namespace gvc {

/// `size` is a power of two. Integers wrap around, so a result is exact whenever it is representable.
void hadamard(int32_t *values, size_t size);
void hadamard(int64_t *values, size_t size);
void hadamard(float *values, size_t size);

constexpr size_t kShortestRow = 8; ///< values; rows of this many, or a multiple, can be transformed across

/// The stages of `hadamard` at distances >= stride, a power of two >= kShortestRow. After the transform of each row of
/// `stride` values by itself they complete that of all.
void hadamard_rows(int32_t *values, size_t size, size_t stride);
void hadamard_rows(int64_t *values, size_t size, size_t stride);

/// values[i] += others[i].
void add(int32_t *values, const int32_t *others, size_t size);
void add(int64_t *values, const int64_t *others, size_t size);

/// values[i] is negated where bit i of `signs` is set.
void apply_signs(int32_t *values, const uint32_t *signs, size_t size);
void apply_signs(int64_t *values, const uint32_t *signs, size_t size);
void apply_signs(float *values, const uint32_t *signs, size_t size);

} // namespace gvc
