/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A host is one libavcodec in this process, with the libavformat that uses it. A process may have several hosts of
 * different versions; each has its own layout, functions and option tables.
 */
#ifndef GVC_HOST_H
#define GVC_HOST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "ffmpeg_abi.h"
#include "layout.h"
#include "libraries.h"

#define MAX_HOSTS MAX_LIBRARIES
#define MAX_PIXEL_FORMATS 12

struct functions {
#define GVC_DECLARE(result, name, arguments) result(*name) arguments;
    FFMPEG_FUNCTIONS(GVC_DECLARE)
    NEWER_FFMPEG_FUNCTIONS(GVC_DECLARE)
#undef GVC_DECLARE
};

struct host {
    void *library; ///< dlopen handle of libavcodec, kept open so that the library is never unloaded
    const struct layout *layout;
    struct functions call;
    const void *context_class;            ///< AVClass of all AVCodecContexts of this library
    bool serving;                         ///< the codec is registered
    int pixel_formats[MAX_PIXEL_FORMATS]; ///< pixel formats that the encoder takes, -1 at the end; see pixels.c
    int codec_id;                         ///< AVCodecID of the replaced codec, 0 if FFmpeg has GVC built in
    void *muxer_library;                  ///< dlopen handle of libavformat, NULL if none was found yet
    char status[300];                     ///< sentence that says whether this library serves gvc
    char path[512];                       ///< path of libavcodec, truncated if long; for messages
};

extern struct host hosts[MAX_HOSTS]; ///< install.c fills it
extern atomic_int host_count;        ///< it only grows, so callbacks may read it without a lock

/** Return the host to which a context belongs, NULL if it is not one of the plugin's. */
const struct host *host_of(const AVCodecContext *avctx);

/* install.c */
/**
 * Find the libavcodecs and libavformats of the process and register the codec in those that are new.
 *
 * wait: whether to wait if another thread is doing this. The caller must then not hold the loader's lock, as a
 * library's constructors do. Without it, the other thread searches again on behalf of this one.
 *
 * Returns the number of libavcodecs that serve the codec; -1 if there are some and none serves it; 0 if there is none.
 */
int hosts_install(bool wait);
/** Reset the lock in the child of a fork, where a thread that held it does not exist. */
void hosts_forked(void);
/** Return the status sentences of all hosts, one a line. */
const char *hosts_status(void);

/* check.c, takeover.c, muxer.c */
/** Check that the structs of the library have its version's layout. Returns NULL or the reason why not. */
const char *host_check_layout(const struct host *host);
/** Replace a rarely used codec of the library and set host->codec_id. Returns NULL or the reason of the failure. */
const char *host_take_over_codec(struct host *host, const char **victim);
/** Add the tag GVC1 to `host->muxer_library`. Returns NULL or the reason of the failure. */
const char *host_patch_muxer(const struct host *host, int index);

#endif
