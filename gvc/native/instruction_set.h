// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
// The instruction sets that kernels are written for. The best one of the processor is used. A test can choose another
// one: results are the same to the bit.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define GVC_X86 1
#define GVC_AVX2 __attribute__((target("avx2")))
#define GVC_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define GVC_X86 0
#endif

namespace gvc {

enum class InstructionSet { kScalar, kAvx2, kAvx512 };

/// The instruction set in use.
InstructionSet instruction_set();

/// One of three versions of a function: the one for the instruction set in use.
template <class Function> Function *version_in_use(Function *scalar, Function *avx2, Function *avx512) {
    const InstructionSet set = instruction_set();
    return set == InstructionSet::kAvx512 ? avx512 : set == InstructionSet::kAvx2 ? avx2 : scalar;
}

} // namespace gvc

/// The version in use of a function that each_instruction_set.h compiled.
#if GVC_X86
#define GVC_IN_USE(function) ::gvc::version_in_use(scalar::function, avx2::function, avx512::function)
#else
#define GVC_IN_USE(function) scalar::function
#endif
