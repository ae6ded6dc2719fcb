/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "pages.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_PAGES 32

/** Pages that were made writable, with their protection before that. */
struct opened_pages {
    struct {
        void *address;
        int protection;
    } page[MAX_PAGES];
    int count;
    size_t page_size;
};

/** Return the protection of the mapping that holds `address`, -1 if that is unknown. */
static int protection_of(uintptr_t address) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096 + 128];
    int protection = -1;
    if (!maps)
        return -1;
    while (protection < 0 && fgets(line, sizeof(line), maps)) {
        unsigned long low, high;
        char read, write, execute;
        if (sscanf(line, "%lx-%lx %c%c%c", &low, &high, &read, &write, &execute) == 5 && address >= low &&
            address < high)
            protection =
                (read == 'r' ? PROT_READ : 0) | (write == 'w' ? PROT_WRITE : 0) | (execute == 'x' ? PROT_EXEC : 0);
    }
    fclose(maps);
    return protection;
}

static const char *open_page(struct opened_pages *opened, uintptr_t address) {
    int protection = protection_of(address);
    if (protection < 0 || !(protection & PROT_READ))
        return "its data cannot be found in memory";
    if (protection & PROT_WRITE)
        return NULL;
    if (opened->count == MAX_PAGES)
        return "its data is spread over too many pages";
    if (mprotect((void *)address, opened->page_size, protection | PROT_WRITE) != 0)
        return "this system does not allow programs to write to its data";
    opened->page[opened->count].address = (void *)address;
    opened->page[opened->count++].protection = protection;
    return NULL;
}

static const char *open_patch(struct opened_pages *opened, const struct patch *patch) {
    uintptr_t first = (uintptr_t)patch->target & ~(uintptr_t)(opened->page_size - 1);
    uintptr_t end = (uintptr_t)patch->target + patch->size;
    const char *reason = NULL;
    // Each page is opened on its own, because a struct can lie in two mappings of different protection.
    for (uintptr_t page = first; page < end && !reason; page += opened->page_size)
        reason = open_page(opened, page);
    return reason;
}

const char *write_patches(const struct patch *patches, int count) {
    struct opened_pages opened = {.page_size = (size_t)sysconf(_SC_PAGESIZE)};
    const char *reason = NULL;
    for (int i = 0; i < count && !reason; i++)
        reason = open_patch(&opened, &patches[i]);
    for (int i = 0; i < count && !reason; i++)
        memcpy(patches[i].target, patches[i].bytes, patches[i].size);
    for (int i = opened.count - 1; i >= 0; i--)
        mprotect(opened.page[i].address, opened.page_size, opened.page[i].protection);
    return reason;
}
