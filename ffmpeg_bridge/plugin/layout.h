/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Tables with the struct layouts of the FFmpeg releases that the plugin knows. */
#ifndef GVC_LAYOUT_H
#define GVC_LAYOUT_H

#include "layout_fields.h"

struct layout {
    const char *release; ///< FFmpeg release on which the layout was measured
    int major, minor;    ///< version of libavcodec, which all releases of a branch share
#define GVC_DECLARE(name, value) int name;
    GVC_LAYOUT_FIELDS(GVC_DECLARE)
#undef GVC_DECLARE
};

/** Return the layout for an avcodec_version(), NULL if that version is unknown. */
const struct layout *layout_find(unsigned version);
/** Return the known versions as text for messages: "59.37, 61.19, ...". */
const char *layout_known_versions(void);

/** The member of `object` that lies `offset` bytes in, as an lvalue. */
#define FIELD(type, object, offset) (*(__typeof__(type) *)((char *)(object) + (offset)))

/** The value of the bit field with `width` bits from bit `shift` of `word` on. */
#define BITS_GET(word, shift, width) ((unsigned)(word) >> (shift) & ((1u << (width)) - 1))
/** A copy of `word` in which that bit field is `value`. */
#define BITS_SET(word, shift, width, value)                                                                            \
    (((unsigned)(word) & ~(((1u << (width)) - 1) << (shift))) | (unsigned)(value) << (shift))

#endif
