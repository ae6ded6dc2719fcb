/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Opening libraries, and finding those that are loaded. */
#define _GNU_SOURCE
#include "libraries.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

void *real_dlopen(const char *file, int mode) {
    static void *(*found)(const char *, int);
    void *(*function)(const char *, int) = __atomic_load_n(&found, __ATOMIC_RELAXED);
    if (!function) { // looked up here, because other libraries' constructors may run before the plugin's
        *(void **)&function = dlsym(RTLD_NEXT, "dlopen");
        __atomic_store_n(&found, function, __ATOMIC_RELAXED);
    }
    return function(file, mode); // compiled to a jump, so that libc's dlopen sees the real caller
}

const void *library_base(const void *address) {
    Dl_info info;
    return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

static int collect_library(struct dl_phdr_info *info, size_t size, void *opaque) {
    struct library_list *list = opaque;
    const char *slash = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;
    size_t length = strlen(list->prefix);
    (void)size;
    if (!slash || strncmp(slash + 1, list->prefix, length) != 0 || !strchr(".-", slash[1 + length]))
        return 0;
    if (list->count == MAX_LIBRARIES)
        list->full = true;
    else if (strlen(info->dlpi_name) < sizeof(list->path[0]))
        strcpy(list->path[list->count++], info->dlpi_name);
    return 0;
}

void libraries_list(struct library_list *list, const char *prefix) {
    list->prefix = prefix;
    list->count = 0;
    list->full = false;
    dl_iterate_phdr(collect_library, list);
}

static int count_loaded(struct dl_phdr_info *info, size_t size, void *opaque) {
    (void)size;
    *(unsigned long long *)opaque = info->dlpi_adds;
    return 1;
}

unsigned long long libraries_loaded(void) {
    unsigned long long loaded = 0;
    dl_iterate_phdr(count_loaded, &loaded);
    return loaded;
}
