/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A host is one libavcodec in this process (with the libavformat that uses it). There may be several, of different
 * versions; each has its own layout, functions and option tables.
 */
#ifndef GVC_HOST_H
#define GVC_HOST_H

#include <stdbool.h>

#include "ffmpeg_abi.h"
#include "layout.h"

#define MAX_HOSTS 8
#define MAX_PIXEL_FORMATS 12

struct functions {
#define GVC_DECLARE(result, name, arguments) result(*name) arguments;
    FFMPEG_FUNCTIONS(GVC_DECLARE)
    NEWER_FFMPEG_FUNCTIONS(GVC_DECLARE)
#undef GVC_DECLARE
};

struct host {
    void *library; ///< dlopen handle of libavcodec; kept open, for the library must not go away under us
    const struct layout *layout;
    struct functions call;
    const void *context_class;            ///< AVClass of all AVCodecContexts of this library
    bool serving;                         ///< the codec is registered
    int pixel_formats[MAX_PIXEL_FORMATS]; ///< that the encoder takes, -1 at the end; see pixels.c
    int codec_id;                         ///< AVCodecID taken over, 0 if FFmpeg has GVC built in
    void *muxer_library;                  ///< dlopen handle of libavformat, NULL while none was seen
    char status[300];                     ///< a sentence: what became of it
    char path[512];                       ///< of libavcodec, maybe cut off; for messages
};

/**
 * Find the libavcodecs and libavformats of the process and register the codec in those not seen before.
 * patient: if another thread is at it, wait for it; the caller must not hold the loader's lock then, as constructors of
 * a library do. Otherwise that thread looks once more.
 * Returns how many libavcodecs serve the codec; -1 if there are some and none does; 0 if there is none.
 */
int hosts_install(bool patient);
/** In the child of a fork: whoever else was installing is not there. */
void hosts_forked(void);
/** libc's dlopen; see late.c. */
void *real_dlopen(const char *file, int mode);
/** The host whose context this is, NULL if it is none of ours. */
const struct host *host_of(const AVCodecContext *avctx);
/** The sentences of all hosts, one a line. */
const char *hosts_status(void);

/** Check that the library looks as its layout says. Returns NULL or what is wrong. */
const char *host_check_layout(const struct host *host);
/** Replace a little-used codec of the library. Returns NULL or why that cannot be; sets host->codec_id. */
const char *host_take_over_codec(struct host *host, const char **victim);
/** Teach `host->muxer_library` the tag GVC1. Returns NULL or why that cannot be. */
const char *host_patch_muxer(const struct host *host, int index);

/** Base address of the library that holds `address`, NULL if none does. */
const void *library_base(const void *address);

#endif
