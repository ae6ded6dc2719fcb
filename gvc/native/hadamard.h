// Fast Walsh-Hadamard transform in place, unnormalised, Sylvester order: y[i] = sum_j (-1)^popcount(i & j) x[j].
#pragma once

#include <cstddef>
#include <cstdint>

namespace gvc {

/// `size` is a power of two. Integers wrap around, so a result is exact whenever it is representable.
void hadamard(int32_t *values, size_t size);
void hadamard(int64_t *values, size_t size);
void hadamard(float *values, size_t size);

/// values[i] is negated where bit i of `signs` is set.
void apply_signs(int32_t *values, const uint32_t *signs, size_t size);
void apply_signs(int64_t *values, const uint32_t *signs, size_t size);
void apply_signs(float *values, const uint32_t *signs, size_t size);

} // namespace gvc
