/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the engine's Python is. */
#include "context.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Put the folder of the shared object that holds this function into `folder` (PATH_MAX bytes). */
static bool own_folder(char *folder) {
    Dl_info info;
    if (!dladdr((void *)(intptr_t)gvc_find_python, &info) || !info.dli_fname || !realpath(info.dli_fname, folder))
        return false;
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

/** The interpreter that was noted beside the library when that was installed. */
static bool installed_python(const char *folder, char *path, size_t size) {
    char name[PATH_MAX + 16];
    snprintf(name, sizeof name, "%s/python-path", folder);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    bool found = fgets(path, (int)size, file) != NULL;
    fclose(file);
    if (found)
        path[strcspn(path, "\n")] = 0;
    return found && access(path, X_OK) == 0;
}

void gvc_find_python(char *path, size_t size) {
    const char *chosen = getenv("GVC_PYTHON");
    if (chosen && *chosen) {
        snprintf(path, size, "%s", chosen);
        return;
    }
    char folder[PATH_MAX];
    if (own_folder(folder)) {
        if (installed_python(folder, path, size))
            return;
        /* ENVIRONMENT/lib/python3.x/site-packages/gvc/lib, of a wheel that was built elsewhere */
        snprintf(path, size, "%s/../../../../../bin/python", folder);
        if (access(path, X_OK) == 0)
            return;
    }
    snprintf(path, size, "python3");
}
