/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * libavformat's side: the tag GVC1 in the table that AVI, Matroska (V_MS/VFW/FOURCC), NUT and QuickTime share, and
 * Matroska's answer to avformat_query_codec, which says no to codecs without a CodecID of their own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "host.h"
#include "pages.h"

/* The muxer's question carries no context, so each host has a hook of its own. */
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
_Static_assert(sizeof(query_hooks) / sizeof(query_hooks[0]) == MAX_HOSTS, "one hook a host");

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
    return "it has no RIFF tag for the codec that was replaced";
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
        return "its Matroska muxer is not laid out as this version's should be";
    *(void **)&original_query[index] = function;
    // Known answers prove that the pointer is what it should be.
    if (original_query[index](FIELD(int, h264, l->descriptor_id), 0) != 1 ||
        original_query[index](host->codec_id, 0) != 0)
        return "its Matroska muxer does not answer as this version's should";
    served_id[index] = host->codec_id;
    const struct patch patch = {member, &query_hooks[index], sizeof(query_hooks[index])};
    return write_patches(&patch, 1);
}

const char *host_patch_muxer(const struct host *host, int index) {
    const char *reason = patch_riff_tag(host);
    return reason ? reason : hook_matroska(host, index);
}
