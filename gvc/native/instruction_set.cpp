// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
#include "instruction_set.h"
#include "bindings.h"

#include <atomic>
#include <string>
#include <vector>

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gvc {
namespace {

constexpr const char *kNames[] = {"scalar", "avx2", "avx512"};

InstructionSet best_set() {
#if GVC_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return InstructionSet::kAvx512;
    if (__builtin_cpu_supports("avx2"))
        return InstructionSet::kAvx2;
#endif
    return InstructionSet::kScalar;
}

std::atomic<InstructionSet> &set_in_use() {
    static std::atomic<InstructionSet> set{best_set()};
    return set;
}

std::vector<std::string> instruction_sets() {
    return {kNames, kNames + int(best_set()) + 1};
}

void use_instruction_set(const std::string &name) {
    for (int i = 0; i <= int(best_set()); ++i)
        if (name == kNames[i]) {
            set_in_use() = InstructionSet(i);
            return;
        }
    throw std::invalid_argument("this machine has no instruction set '" + name + "'; see instruction_sets()");
}

} // namespace

InstructionSet instruction_set() {
    return set_in_use().load(std::memory_order_relaxed);
}

void bind_instruction_set(py::module_ &module) {
    module.def(
        "instruction_sets", &instruction_sets,
        "Returns the names of the instruction sets of this machine that kernels are written for, the best last.");
    module.def("use_instruction_set", &use_instruction_set, py::arg("name"),
               "Makes kernels use one of instruction_sets() from now on. At first they use the best. Results are the "
               "same to the bit.");
}

} // namespace gvc
