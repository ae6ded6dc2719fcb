/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * libgvc_ffmpeg: registers the codec `gvc` in FFmpeg libraries that know nothing of it.
 *
 * Preload it (LD_PRELOAD) into a program that uses libavcodec, or load it into one that has loaded libavcodec and call
 * gvc_ffmpeg_install. In a process without libavcodec it does nothing.
 */
#include <pthread.h>

#include "host.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int gvc_ffmpeg_install(void);
EXPORT const char *gvc_ffmpeg_status(void);

/**
 * Register the codec in each libavcodec that is loaded and not served yet. Returns how many serve it; 0 if none is
 * loaded; -1 if none can be served (gvc_ffmpeg_status says why).
 */
int gvc_ffmpeg_install(void) {
    return hosts_install(true);
}

/** A sentence for each libavcodec that was found, one a line; "" if there was none. Valid until this thread's next
 * call. */
const char *gvc_ffmpeg_status(void) {
    return hosts_status();
}

__attribute__((constructor)) static void install_at_load(void) {
    pthread_atfork(NULL, NULL, hosts_forked);
    gvc_ffmpeg_install();
}
