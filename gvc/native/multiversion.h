// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// GVC_MULTIVERSION compiles a function for several instruction sets; the best one is chosen at load time. It is used
// only for integers and for floating-point arithmetic in a fixed order, so all versions give the same bits.
#pragma once

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define GVC_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GVC_MULTIVERSION
#endif
#define GVC_INLINE inline __attribute__((always_inline))
