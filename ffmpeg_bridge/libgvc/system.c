/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What libgvc asks of the operating system without regard to a context: time, descriptors, states of processes. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PRIVATE_FD = 10 }; ///< lowest number of libgvc's own descriptors, above those that the engine uses

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

int gvc_move_up(int descriptor) {
    int moved = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, PRIVATE_FD);
    if (descriptor >= 0)
        close(descriptor);
    return moved;
}
