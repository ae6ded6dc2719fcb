// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// Compiles the file GVC_KERNELS once for each instruction set, in the namespaces scalar, avx2 and avx512. All functions
// there begin with GVC_TARGET, and GVC_IN_USE(function) chooses one of the versions when the program runs. Vectors have
// the same names in each namespace, but their lengths differ; lanes_scalar.h describes them.
#include "instruction_set.h"
#include "multiversion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
#if GVC_X86
#include <immintrin.h>
#endif

#if GVC_X86 && !defined(__clang__)
// GCC 12 takes the intrinsics of AVX-512 for uses of uninitialized variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace gvc {
namespace {

#define GVC_TARGET
namespace scalar {
#include "lanes_scalar.h"
#include "lanes_shared.h"
#include GVC_KERNELS
} // namespace scalar
#undef GVC_TARGET

#if GVC_X86
#define GVC_TARGET GVC_AVX2
namespace avx2 {
#include "lanes_avx2.h"
#include "lanes_shared.h"
#include GVC_KERNELS
} // namespace avx2
#undef GVC_TARGET

#define GVC_TARGET GVC_AVX512
namespace avx512 {
#include "lanes_avx512.h"
#include "lanes_shared.h"
#include GVC_KERNELS
} // namespace avx512
#undef GVC_TARGET
#endif

} // namespace
} // namespace gvc

#if GVC_X86 && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
