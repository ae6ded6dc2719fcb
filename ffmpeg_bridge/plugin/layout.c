/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "layout.h"

#include <stddef.h>
#include <stdio.h>

_Static_assert(sizeof(void *) == 8, "the layouts were measured on 64-bit systems");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the layouts were measured on little-endian systems"
#endif

static const struct layout layouts[] = {
#include "layouts.inc"
};
#define LAYOUT_COUNT (sizeof(layouts) / sizeof(layouts[0]))

const struct layout *layout_find(unsigned version) {
    for (size_t i = 0; i < LAYOUT_COUNT; i++)
        if (layouts[i].major == (int)(version >> 16) && layouts[i].minor == (int)(version >> 8 & 255))
            return &layouts[i];
    return NULL;
}

const char *layout_known_versions(void) {
    static char text[16 * LAYOUT_COUNT];
    size_t used = 0;
    for (size_t i = 0; i < LAYOUT_COUNT; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d.%d", i ? ", " : "", layouts[i].major,
                                 layouts[i].minor);
    return text;
}
