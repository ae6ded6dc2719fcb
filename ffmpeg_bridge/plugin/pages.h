/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Writing to read-only memory of a loaded library. */
#ifndef GVC_PAGES_H
#define GVC_PAGES_H

#include <stddef.h>

struct patch {
    void *target;
    const void *bytes;
    size_t size;
};

/**
 * Write all patches, or none if the system forbids one of them. Page protections are restored afterwards. Returns NULL
 * or the reason of the failure.
 */
const char *write_patches(const struct patch *patches, int count);

#endif
