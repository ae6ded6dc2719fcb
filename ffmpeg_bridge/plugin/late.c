/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Support for programs that open FFmpeg's libraries at run time, as melt, VLC and Python do.
 *
 * The dlopen of a preloaded plugin replaces libc's. It calls libc's dlopen and, after each success, searches for
 * FFmpeg's libraries. The loader's auditing interface (LD_AUDIT) is no alternative, because it reports libraries before
 * they can be called.
 *
 * libc's dlopen uses its caller's RPATH and RUNPATH to find a bare file name, and its caller's folder for $ORIGIN. With
 * the wrapper the caller is the plugin. The wrapper therefore searches for bare names in the real caller's folders
 * itself, and passes names with $ORIGIN on by a jump, which leaves the real caller in place.
 *
 * Libraries in other namespaces (dlmopen) do not see the plugin, and the plugin does not see them.
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
#include "libraries.h"

#define EXPORT __attribute__((visibility("default")))

static _Thread_local int depth; ///< number of nested calls of dlopen; a library's constructor may call it again

#ifdef __GLIBC__
/** Return libc's search path for the library that holds `address`, to be freed; NULL if it is unknown. */
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

/** Return the number of folders of `path` before the common end of both paths. */
static unsigned count_before_common(const Dl_serinfo *path, const Dl_serinfo *other) {
    unsigned count = path->dls_cnt, rest = other->dls_cnt;
    for (; count && rest; count--, rest--)
        if (strcmp(path->dls_serpath[count - 1].dls_name, other->dls_serpath[rest - 1].dls_name) != 0)
            break;
    return count;
}

/** Return the first file of this name in the first `count` folders of `path`, to be freed; NULL if there is none. */
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
 * Return the file that a bare name means by its caller's RPATH or RUNPATH, to be freed; NULL if there is none. libc
 * does not tell which folders of a search path come from RPATH and RUNPATH. The folders at the end that the plugin's
 * own search path shares are the system's, so only those before them count.
 */
static char *find_for_caller(const char *name, const void *caller) {
    Dl_serinfo *path = search_path(caller), *ours = search_path((const void *)real_dlopen);
    bool has_own = path && ours && path->dls_cnt >= ours->dls_cnt; // the plugin has one folder beyond the system's
    char *found = has_own ? find_file(path, count_before_common(path, ours), name) : NULL;
    free(path);
    free(ours);
    return found;
}
#else // musl searches the same folders for all callers
static char *find_for_caller(const char *name, const void *caller) {
    (void)name, (void)caller;
    return NULL;
}
#endif

/** Return whether a library of this name is loaded already; the loader then uses no search path. */
static bool is_loaded(const char *name, int mode) {
    void *library = real_dlopen(name, mode | RTLD_NOLOAD);
    if (library)
        dlclose(library);
    return library;
}

/** Search for FFmpeg's libraries, and leave errno and dlerror as the program's own call has left them. */
static void look_for_ffmpeg(void) {
    int error = errno;
    bool outermost = depth++ == 0;
    hosts_install(outermost);
    depth--;
    dlerror();
    errno = error;
}

// No pointer to a local variable may exist here, so that the compiler can turn `return real_dlopen(...)` into a jump.
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
        return real_dlopen(file, mode); // the file found is unusable, perhaps for another processor: libc searches on
    if (library)
        look_for_ffmpeg();
    return library;
}
