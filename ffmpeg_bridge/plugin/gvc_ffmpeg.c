/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * libgvc_ffmpeg: a plugin that registers the codec `gvc` in FFmpeg libraries which were built without it.
 *
 * Preload the plugin (LD_PRELOAD) into a program that uses libavcodec. Or load it into a program that has loaded
 * libavcodec, and call gvc_ffmpeg_install. In a process without libavcodec it does nothing.
 */
#include <pthread.h>

#include "host.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int gvc_ffmpeg_install(void);
EXPORT const char *gvc_ffmpeg_status(void);

/**
 * Register the codec in each loaded libavcodec that does not have it yet. Returns the number of libavcodecs that have
 * it; 0 if none is loaded; -1 if it cannot be registered in any (gvc_ffmpeg_status gives the reasons).
 */
int gvc_ffmpeg_install(void) {
    return hosts_install(true);
}

/**
 * Return a sentence about each libavcodec that was found, one a line; "" if there was none. The text stays valid until
 * this thread's next call.
 */
const char *gvc_ffmpeg_status(void) {
    return hosts_status();
}

__attribute__((constructor)) static void install_at_load(void) {
    pthread_atfork(NULL, NULL, hosts_forked);
    gvc_ffmpeg_install();
}
