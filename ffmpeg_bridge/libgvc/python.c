/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the Python that has gvc installed. */
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

/** Read the path of the interpreter from the file that was written beside the library at installation. */
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
        /* A wheel that was built elsewhere lies in ENVIRONMENT/lib/python3.x/site-packages/gvc/lib. */
        snprintf(path, size, "%s/../../../../../bin/python", folder);
        if (access(path, X_OK) == 0)
            return;
    }
    snprintf(path, size, "python3");
}
