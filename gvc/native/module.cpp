// SPDX-FileCopyrightText: 2026 The GVC contributors
// SPDX-License-Identifier: BSD-2-Clause
#include "bindings.h"

PYBIND11_MODULE(_native, module) {
    module.doc() =
        "Native kernels of GVC: codebook transforms, range coder, motion, velocity. Their results do not depend on the "
        "machine.";
    gvc::bind_instruction_set(module);
    gvc::bind_codebook(module);
    gvc::bind_ranking(module);
    gvc::bind_range_coder(module);
    gvc::bind_motion(module);
    gvc::bind_interpolation(module);
    gvc::bind_block_model(module);
    gvc::bind_activity(module);
    gvc::bind_blur(module);
    gvc::bind_local_velocity(module);
    gvc::bind_corrections(module);
    gvc::bind_correction_search(module);
    gvc::bind_residual(module);
}
