/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Changes in libavformat. The tag GVC1 goes into the table that AVI, Matroska (V_MS/VFW/FOURCC), NUT and QuickTime
 * share. Matroska's answer to avformat_query_codec becomes yes for GVC; it is no for codecs without their own CodecID.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "host.h"
#include "pages.h"

/* A query has no argument that tells which library asks, so each host has its own hook function. */
static int (*original_query[MAX_HOSTS])(int, int);
static int served_id[MAX_HOSTS];

static int answer_query(int index, int id, int compliance) {
    return id == served_id[index] ? 1 : original_query[index](id, compliance);
}

#define QUERY_HOOK(index)                                                                                              \
    static int query_hook_##index(int id, int compliance) {                                                            \
        return answer_query(index, id, compliance);                                                                    \
    }
QUERY_HOOK(0)
QUERY_HOOK(1)
QUERY_HOOK(2)
QUERY_HOOK(3)
QUERY_HOOK(4)
QUERY_HOOK(5)
QUERY_HOOK(6)
QUERY_HOOK(7)
static int (*const query_hooks[])(int, int) = {query_hook_0, query_hook_1, query_hook_2, query_hook_3,
                                               query_hook_4, query_hook_5, query_hook_6, query_hook_7};
_Static_assert(sizeof(query_hooks) / sizeof(query_hooks[0]) == MAX_HOSTS, "each host needs a hook");

static const char *patch_riff_tag(const struct host *host) {
    const struct codec_tag *(*get_tags)(void);
    *(void **)&get_tags = dlsym(host->muxer_library, "avformat_get_riff_video_tags");
    const struct codec_tag gvc = {host->codec_id, FOURCC('G', 'V', 'C', '1')};
    for (const struct codec_tag *row = get_tags ? get_tags() : NULL; row && row->id; row++) {
        if (row->id == host->codec_id) {
            const struct patch patch = {(void *)row, &gvc, sizeof(gvc)};
            return write_patches(&patch, 1);
        }
    }
    return "it has no RIFF tag for the replaced codec";
}

static const char *hook_matroska(const struct host *host, int index) {
    const struct layout *l = host->layout;
    void *(*guess_format)(const char *, const char *, const char *);
    *(void **)&guess_format = dlsym(host->muxer_library, "av_guess_format");
    char *muxer = guess_format ? guess_format("matroska", NULL, NULL) : NULL;
    void *h264 = host->call.avcodec_descriptor_get_by_name("h264");
    if (!muxer || !h264)
        return "it has no Matroska muxer";
    void *member = muxer + l->outputformat_query_codec, *function = *(void **)member;
    if (!function || library_base(function) != library_base(*(void **)&guess_format))
        return "its Matroska muxer does not have the layout of this version";
    *(void **)&original_query[index] = function;
    // Two queries with known answers prove that the pointer is the query function.
    if (original_query[index](FIELD(int, h264, l->descriptor_id), 0) != 1 ||
        original_query[index](host->codec_id, 0) != 0)
        return "its Matroska muxer does not answer as in this version";
    served_id[index] = host->codec_id;
    const struct patch patch = {member, &query_hooks[index], sizeof(query_hooks[index])};
    return write_patches(&patch, 1);
}

const char *host_patch_muxer(const struct host *host, int index) {
    const char *reason = patch_riff_tag(host);
    return reason ? reason : hook_matroska(host, index);
}
