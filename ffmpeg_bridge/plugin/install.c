/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Finding the libavcodecs and libavformats of the process, and registering the codec in them. */
#define _GNU_SOURCE
#include "host.h"
#include "libraries.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool too_many; // more libraries were found than `hosts` has room for
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool search_wanted; // tells the thread that holds the lock to search for libraries again

/**
 * Look up all functions; those of libavutil are found through libavcodec's dependencies. Returns the name of a missing
 * one, or NULL.
 */
static const char *find_functions(struct host *host) {
    const char *missing = NULL;
#define GVC_FIND(result, name, arguments)                                                                              \
    if (!(*(void **)&host->call.name = dlsym(host->library, #name)))                                                   \
        missing = #name;
    FFMPEG_FUNCTIONS(GVC_FIND)
    const char *needed = missing;
    NEWER_FFMPEG_FUNCTIONS(GVC_FIND)
#undef GVC_FIND
    return needed;
}

/** Register the codec in a library if its layout fits. Returns NULL or the reason of the failure. */
static const char *register_codec(struct host *host, const char **victim) {
    host->context_class = host->call.avcodec_get_class();
    const char *reason = host_check_layout(host);
    return reason ? reason : host_take_over_codec(host, victim);
}

static int find_gstreamer(struct dl_phdr_info *info, size_t size, void *opaque) {
    const char *slash = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;
    (void)size, (void)opaque;
    return slash && !strncmp(slash + 1, "libgstreamer-", 13);
}

/**
 * Return whether GStreamer may write this library's codecs into its registry file, which all GStreamer programs read.
 * It does not use the libraries inside Python wheels, whose names have an added hash.
 */
static bool is_left_to_gstreamer(const char *path) {
    const char *slash = strrchr(path, '/'), *own = getenv("GVC_GST_REGISTRY"), *used = getenv("GST_REGISTRY_1_0");
    if (!used)
        used = getenv("GST_REGISTRY");
    if (own && used && !strcmp(own, used))
        return false;
    return slash && !strncmp(slash, "/libavcodec.so", 14) && dl_iterate_phdr(find_gstreamer, NULL);
}

/** Register the codec in a libavcodec if that is possible, and describe the outcome in host->status. */
static void open_host(struct host *host) {
    const char *missing = find_functions(host), *victim = NULL, *reason;
    const struct functions *call = &host->call;
    unsigned version = call->avcodec_version ? call->avcodec_version() : 0;
    char name[40], text[120] = "";
    snprintf(name, sizeof(name), "libavcodec %u.%u", version >> 16, version >> 8 & 255);
    if (call->avcodec_find_encoder_by_name && call->avcodec_find_encoder_by_name("gvc")) {
        host->serving = true;
        snprintf(host->status, sizeof(host->status), "%s has gvc already", name);
        return;
    }
    if (is_left_to_gstreamer(host->path)) {
        snprintf(host->status, sizeof(host->status),
                 "%s is left alone, because GStreamer would store gvc in its registry in the place of a codec that "
                 "other programs need; `gvc run` gives it a registry of its own",
                 name);
        return;
    }
    host->layout = layout_find(version);
    if (!host->layout)
        snprintf(text, sizeof(text), "only the versions %s are known", layout_known_versions());
    else if (missing)
        snprintf(text, sizeof(text), "it has no function %s", missing);
    reason = *text ? text : register_codec(host, &victim);
    host->serving = !reason;
    if (reason)
        snprintf(host->status, sizeof(host->status), "%s does not serve gvc: %s", name, reason);
    else
        snprintf(host->status, sizeof(host->status), "%s serves gvc in place of %s", name, victim);
}

/**
 * Return whether the user has preloaded the plugin. A failure is then reported at once; a program that loads the plugin
 * itself can ask for the status.
 */
static bool was_preloaded(void) {
    const char *list = getenv("LD_PRELOAD");
    return list && strstr(list, "libgvc_ffmpeg");
}

static void report_host(const struct host *host) {
    const char *debug = getenv("GVC_DEBUG");
    if ((debug && *debug) || (!host->serving && was_preloaded()))
        fprintf(stderr, "gvc: %s (%s)\n", host->status, host->path);
}

static void add_codec_library(const char *path) {
    void *library = real_dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    int count = atomic_load(&host_count);
    if (!library)
        return;
    for (int i = 0; i < count; i++) {
        if (hosts[i].library == library) {
            dlclose(library); // this host is known and keeps the library open
            return;
        }
    }
    if (count == MAX_HOSTS) {
        too_many = true;
        dlclose(library);
        return;
    }
    struct host *host = &hosts[count];
    host->library = library;
    snprintf(host->path, sizeof(host->path), "%s", path);
    open_host(host);
    report_host(host);
    atomic_store(&host_count, count + 1);
}

static void add_muxer_library(const char *path) {
    void *library = real_dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    // The function's address tells which libavcodec this libavformat uses.
    void *version = library ? dlsym(library, "avcodec_version") : NULL;
    int count = atomic_load(&host_count);
    for (int i = 0; version && i < count; i++) {
        struct host *host = &hosts[i];
        if (!host->codec_id || host->muxer_library || (void *)host->call.avcodec_version != version)
            continue;
        host->muxer_library = library;
        const char *reason = host_patch_muxer(host, i);
        size_t used = strlen(host->status);
        if (reason)
            snprintf(host->status + used, sizeof(host->status) - used,
                     ", but its libavformat does not know the tag: %s", reason);
        return;
    }
    if (library)
        dlclose(library);
}

/** Search the process's libraries if any was loaded since the last search. The caller holds the lock. */
static void add_libraries(void) {
    static unsigned long long loaded_before;
    unsigned long long loaded = libraries_loaded();
    if (loaded == loaded_before)
        return;
    loaded_before = loaded;
    // Static because these lists are large and constructors may run on small stacks.
    static struct library_list codecs, muxers;
    libraries_list(&codecs, "libavcodec");
    libraries_list(&muxers, "libavformat");
    too_many |= codecs.full || muxers.full;
    for (int i = 0; i < codecs.count; i++)
        add_codec_library(codecs.path[i]);
    for (int i = 0; i < muxers.count; i++)
        add_muxer_library(muxers.path[i]);
}

int hosts_install(bool wait) {
    int serving = 0;
    atomic_store(&search_wanted, true);
    // The outer loop runs again if another thread set the flag just before the unlocking and found the lock taken.
    while (atomic_load(&search_wanted) &&
           (wait ? pthread_mutex_lock(&install_lock) : pthread_mutex_trylock(&install_lock)) == 0) {
        while (atomic_exchange(&search_wanted, false))
            add_libraries();
        pthread_mutex_unlock(&install_lock);
    }
    int count = atomic_load(&host_count);
    for (int i = 0; i < count; i++)
        serving += hosts[i].serving;
    return serving ? serving : count ? -1 : 0;
}

void hosts_forked(void) {
    pthread_mutex_init(&install_lock, NULL);
}

const char *hosts_status(void) {
    static _Thread_local char text[MAX_HOSTS * (sizeof(hosts[0].status) + sizeof(hosts[0].path) + 4) + 100];
    size_t used = 0;
    pthread_mutex_lock(&install_lock);
    text[0] = 0;
    for (int i = 0; i < atomic_load(&host_count); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s (%s)", i ? "\n" : "", hosts[i].status,
                                 hosts[i].path);
    if (too_many)
        snprintf(text + used, sizeof(text) - used, "\nmore than %d libavcodecs are loaded; the others are left alone",
                 MAX_HOSTS);
    pthread_mutex_unlock(&install_lock);
    return text;
}
