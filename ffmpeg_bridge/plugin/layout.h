/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Struct layouts of the FFmpeg releases that the plugin knows, as data. */
#ifndef GVC_LAYOUT_H
#define GVC_LAYOUT_H

#include "layout_fields.h"

struct layout {
    const char *release; ///< FFmpeg release that it was measured on
    int major, minor;    ///< of libavcodec; release branches change neither
#define GVC_DECLARE(name, value) int name;
    GVC_LAYOUT_FIELDS(GVC_DECLARE)
#undef GVC_DECLARE
};

/** The row for an avcodec_version(), NULL if that version is not known. */
const struct layout *layout_find(unsigned version);
/** "59.37, 61.19, ..." for messages. */
const char *layout_known_versions(void);

/** The member of `object` that lies `offset` bytes in, as an lvalue. */
#define FIELD(type, object, offset) (*(__typeof__(type) *)((char *)(object) + (offset)))

/** Value of a bit field of `width` bits. */
#define BITS_GET(word, shift, width) ((unsigned)(word) >> (shift) & ((1u << (width)) - 1))
/** `word` with that bit field set to `value`. */
#define BITS_SET(word, shift, width, value)                                                                            \
    (((unsigned)(word) & ~(((1u << (width)) - 1) << (shift))) | (unsigned)(value) << (shift))

#endif
