/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** The table of hosts, in which the codec's callbacks find theirs. */
#include "host.h"

struct host hosts[MAX_HOSTS];
atomic_int host_count;

const struct host *host_of(const AVCodecContext *avctx) {
    // The first member of every AVCodecContext is its AVClass, and each libavcodec has one of its own.
    const void *context_class = *(const void *const *)avctx;
    int count = atomic_load(&host_count);
    for (int i = 0; i < count; i++)
        if (hosts[i].serving && hosts[i].context_class == context_class)
            return &hosts[i];
    return NULL;
}
