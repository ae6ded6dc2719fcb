/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Opening libraries, and finding those that this process has loaded. */
#ifndef GVC_LIBRARIES_H
#define GVC_LIBRARIES_H

#include <stdbool.h>

#define MAX_LIBRARIES 8 ///< largest number of paths in a list

/** Paths of loaded libraries whose file names start with `prefix`. */
struct library_list {
    const char *prefix;
    char path[MAX_LIBRARIES][4096];
    int count;
    bool full; ///< more libraries were found than `path` has room for
};

/** Call libc's dlopen, which late.c replaces. */
void *real_dlopen(const char *file, int mode);
/** Return the base address of the library that holds `address`, NULL if there is none. */
const void *library_base(const void *address);
/** List the loaded libraries whose file names start with `prefix`, which is kept. */
void libraries_list(struct library_list *list, const char *prefix);
/** Return the number of libraries that were ever loaded. */
unsigned long long libraries_loaded(void);

#endif
