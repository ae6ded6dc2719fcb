// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Fast Walsh-Hadamard transform, in place, not normalised, in Sylvester order: y[i] = sum_j (-1)^popcount(i & j) x[j].
#pragma once

#include <cstddef>
#include <cstdint>

namespace gvc {

/// Transforms `size` values, a power of two. Integers wrap around, so a result that can be represented is exact.
void hadamard(int32_t *values, size_t size);
void hadamard(int64_t *values, size_t size);
void hadamard(float *values, size_t size);

constexpr size_t kShortestRow = 8; ///< shortest row, in values, that hadamard_rows can take

/// The stages of `hadamard` at distances >= stride, a power of two >= kShortestRow. After each row of `stride` values
/// was transformed by itself, they complete the transform of all values.
void hadamard_rows(int32_t *values, size_t size, size_t stride);
void hadamard_rows(int64_t *values, size_t size, size_t stride);

/// Adds others[i] to values[i].
void add(int32_t *values, const int32_t *others, size_t size);
void add(int64_t *values, const int64_t *others, size_t size);

/// Negates values[i] where bit i of `signs` is set.
void apply_signs(int32_t *values, const uint32_t *signs, size_t size);
void apply_signs(int64_t *values, const uint32_t *signs, size_t size);
void apply_signs(float *values, const uint32_t *signs, size_t size);

} // namespace gvc
