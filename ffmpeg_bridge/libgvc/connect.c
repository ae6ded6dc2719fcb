/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting to the warm engine (`gvc serve`) of the same user. */
#include "context.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HELLO_TIMEOUT = 5000 }; ///< ms; a warm engine answers at once unless it is stopped

/** Open the folder of the user's sockets. Returns -1 unless it belongs to the user and nobody else may enter it. */
static int open_folder(void) {
    char path[PATH_MAX];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length = runtime && *runtime == '/' ? snprintf(path, sizeof path, "%s/gvc", runtime)
                                            : snprintf(path, sizeof path, "/tmp/gvc-%u", (unsigned)geteuid());
    if (length < 0 || (size_t)length >= sizeof path)
        return -1;
    int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (folder >= 0 && (fstat(folder, &status) || status.st_uid != geteuid() || status.st_mode & 077)) {
        close(folder);
        return -1;
    }
    return folder;
}

/** Connect to the socket in `folder` without waiting. Returns -1 if no engine listens there. */
static int connect_socket(int folder) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* The path goes through the descriptor: this is the folder that was checked, and a socket address is short. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/engine-%d.sock", folder,
             GVC_PROTOCOL_VERSION);
    int connection = gvc_move_up(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address)) {
        close(connection);
        return -1;
    }
    return connection;
}

/**
 * Return whether the process at the other end belongs to the same user. *process is its id, or 0 if it is in a
 * namespace that this process cannot see.
 */
static bool has_same_user(int connection, pid_t *process) {
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    bool own = !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid();
    *process = peer.pid;
    return own;
}

/** Return whether the other end greets in this version of the protocol. A warm engine without room does not greet. */
static bool receive_hello(int connection) {
    gvc_message hello;
    return gvc_poll(connection, POLLIN, HELLO_TIMEOUT) && recv(connection, &hello, sizeof hello, 0) == sizeof hello &&
           hello.type == GVC_MSG_HELLO && hello.size == 0 && hello.pts == GVC_PROTOCOL_VERSION;
}

bool gvc_engine_connect(gvc_context *context) {
    const char *wanted = getenv("GVC_SERVE");
    int folder = context->alone || (wanted && !strcmp(wanted, "0")) ? -1 : open_folder();
    pid_t process;
    if (folder < 0)
        return false;
    int connection = connect_socket(folder);
    close(folder);
    if (connection < 0)
        return false;
    if (!has_same_user(connection, &process) || gvc_process_state(process) == 'T' || !receive_hello(connection) ||
        fcntl(connection, F_SETFL, 0)) { /* F_SETFL makes the socket blocking again */
        close(connection);
        return false;
    }
    context->socket = connection;
    context->watched = process;
    context->warm = true;
    snprintf(context->python, sizeof context->python, "gvc serve");
    return true;
}
