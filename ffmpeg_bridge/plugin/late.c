/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Libraries that a program opens later, as melt, VLC and Python do. A preloaded plugin's dlopen is called in the place
 * of libc's, and looks for FFmpeg after each success; libc opens what its own parts need by itself.
 *
 * The loader's auditing interface (LD_AUDIT) cannot do it: it tells of libraries before they can be called. What a
 * wrapper changes is the caller, by whose RPATH and RUNPATH a bare name is looked for and by which $ORIGIN is told. So
 * bare names are looked for here as for the caller, and for $ORIGIN the wrapper steps aside. Libraries in namespaces of
 * dlmopen do not see the plugin, nor it them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define EXPORT __attribute__((visibility("default")))

static _Thread_local int depth; ///< calls of dlopen under way, one in the constructors of the other

void *real_dlopen(const char *file, int mode) {
    static void *(*found)(const char *, int);
    void *(*function)(const char *, int) = __atomic_load_n(&found, __ATOMIC_RELAXED);
    if (!function) { // other libraries' constructors may come before ours
        *(void **)&function = dlsym(RTLD_NEXT, "dlopen");
        __atomic_store_n(&found, function, __ATOMIC_RELAXED);
    }
    return function(file, mode); // a jump: the function sees our caller as its own
}

#ifdef __GLIBC__
/** The folders that libc looks through for a library with such an address, to be freed; NULL if there are none. */
static Dl_serinfo *search_path(const void *address) {
    Dl_info info;
    struct link_map *caller = NULL;
    Dl_serinfo size, *path = NULL;
    if (!dladdr1(address, &info, (void **)&caller, RTLD_DL_LINKMAP) || !caller ||
        dlinfo(caller, RTLD_DI_SERINFOSIZE, &size) != 0 || !(path = malloc(size.dls_size)))
        return NULL;
    *path = size;
    if (dlinfo(caller, RTLD_DI_SERINFO, path) == 0)
        return path;
    free(path);
    return NULL;
}

/** How many folders stand before those that are the same at the end of both. */
static unsigned count_before_common(const Dl_serinfo *path, const Dl_serinfo *other) {
    unsigned count = path->dls_cnt, rest = other->dls_cnt;
    for (; count && rest; count--, rest--)
        if (strcmp(path->dls_serpath[count - 1].dls_name, other->dls_serpath[rest - 1].dls_name) != 0)
            break;
    return count;
}

/** The first of some folders' files of this name, to be freed; NULL if there is none. */
static char *find_file(const Dl_serinfo *path, unsigned count, const char *name) {
    for (unsigned i = 0; i < count; i++) {
        char *file = NULL;
        if (asprintf(&file, "%s/%s", path->dls_serpath[i].dls_name, name) < 0)
            return NULL;
        if (access(file, R_OK) == 0)
            return file;
        free(file);
    }
    return NULL;
}

/**
 * Where a bare name is found by its caller's RPATH or RUNPATH, or before these; NULL if nowhere. To be freed. Which
 * folders these are libc does not say; but those at the end that are ours too are not.
 */
static char *find_for_caller(const char *name, const void *caller) {
    Dl_serinfo *path = search_path(caller), *ours = search_path((const void *)real_dlopen);
    bool has_own = path && ours && path->dls_cnt >= ours->dls_cnt; // ours has one more than those that all have
    char *found = has_own ? find_file(path, count_before_common(path, ours), name) : NULL;
    free(path);
    free(ours);
    return found;
}
#else // musl looks in the same places for all callers
static char *find_for_caller(const char *name, const void *caller) {
    (void)name, (void)caller;
    return NULL;
}
#endif

/** Whether a library of this name is loaded already; the loader then asks nobody's path. */
static bool is_loaded(const char *name, int mode) {
    void *library = real_dlopen(name, mode | RTLD_NOLOAD);
    if (library)
        dlclose(library);
    return library;
}

/** Look for FFmpeg, and leave no trace that the program could take for its own. */
static void look_for_ffmpeg(void) {
    int error = errno;
    bool outermost = depth++ == 0;
    hosts_install(outermost);
    depth--;
    dlerror();
    errno = error;
}

// Nothing here may point to its stack: `return real_dlopen(...)` is to be a jump.
EXPORT void *dlopen(const char *file, int mode) {
    char *place = NULL;
    int error = errno;
    if (!file || strchr(file, '$'))
        return real_dlopen(file, mode);
    if (!strchr(file, '/') && !is_loaded(file, mode))
        place = find_for_caller(file, __builtin_return_address(0));
    errno = error;
    depth++;
    void *library = real_dlopen(place ? place : file, mode);
    depth--;
    free(place);
    if (!library && place)
        return real_dlopen(file, mode); // what was found is none, as for another processor: libc knows how to go on
    if (library)
        look_for_ffmpeg();
    return library;
}
