/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for an engine, which may take hours to answer, and noticing when it can no longer answer. */
#include "context.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * Longest wait for a stopped engine, in ms. The sum of the waits counts, not the clock: if caller and engine are
 * stopped together (as in a suspended machine or container), that time is no wait.
 */
enum { STOPPED_LIMIT = 6000 };

int64_t gvc_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int gvc_poll(int descriptor, short events, int timeout) {
    struct pollfd polled = {descriptor, events, 0};
    int64_t deadline = gvc_now() + timeout;
    for (int64_t left = timeout;; left = deadline - gvc_now()) {
        int count = poll(&polled, 1, left > 0 ? (int)left : 0);
        if (count >= 0)
            return count ? polled.revents : 0;
        if (errno != EINTR && errno != EAGAIN)
            return POLLERR;
    }
}

char gvc_process_state(pid_t process) {
    char name[40], line[512], state = '?';
    if (process <= 0)
        return state;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)process);
    FILE *file = fopen(name, "re");
    if (!file)
        return kill(process, 0) && errno == ESRCH ? 'X' : state;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    const char *command_end = strrchr(line, ')'); /* the last one, because a command's name may contain brackets */
    if (command_end)
        sscanf(command_end + 1, " %c", &state);
    return state;
}

int gvc_engine_check(gvc_context *context, int waited) {
    switch (gvc_process_state(context->watched)) {
    case 'Z':
    case 'X': /* the socket is still open because another process has inherited the engine's end of it */
        return gvc_poll(context->socket, POLLIN, 0) ? GVC_OK : gvc_session_lost(context);
    case 'T':
        context->stopped += waited;
        if (context->stopped < STOPPED_LIMIT)
            return GVC_OK;
        context->startable = true;
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine (%s, process %d) is stopped (SIGSTOP) and counts as failed after %d seconds",
                         context->python, (int)context->watched, STOPPED_LIMIT / 1000);
    default:
        context->stopped = 0;
        return GVC_OK;
    }
}
