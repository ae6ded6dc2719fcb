/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting and ending an engine process that serves one context alone. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_TIMEOUT = 2000 }; ///< ms that an engine has to end after its socket was closed, before it is killed

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM
#endif
#endif

extern char **environ;

/**
 * Return the caller's environment without variables that are meant for the caller's process. The array is to be freed,
 * its strings are not; NULL if memory is short.
 */
static char **engine_environment(void) {
    static const char *const harmful[] = {
        "LD_PRELOAD=",         /* it may hold libgvc_ffmpeg.so, which is not for the engine */
        "LD_AUDIT=", "PYTHON", /* PYTHONHOME, PYTHONPATH and others may be meant for another Python */
    };
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **result = calloc(count + 1, sizeof *result);
    for (size_t i = 0; result && i < count; i++) {
        bool harms = false;
        for (size_t k = 0; k < sizeof harmful / sizeof *harmful; k++)
            harms |= !strncmp(environ[i], harmful[k], strlen(harmful[k]));
        if (!harms)
            result[kept++] = environ[i];
    }
    return result;
}

/** Set the engine's descriptors: no input, both outputs to standard error, and the socket. Returns an errno. */
static int set_files(posix_spawn_file_actions_t *actions, int socket) {
    bool has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error && !has_stderr)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error) /* not the caller's standard output, which may be a pipe that carries the coded video */
        error = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, socket, GVC_SOCKET_FD);
#ifdef HAVE_CLOSEFROM
    if (!error) /* otherwise a pipe of the caller would stay open as long as the engine runs */
        error = posix_spawn_file_actions_addclosefrom_np(actions, GVC_SOCKET_FD + 1);
#endif
    return error;
}

/**
 * Give the engine a process session of its own and default signals. Ctrl-C then reaches only the caller, which can
 * still use the engine to finish its file. Returns an errno.
 */
static int set_signals(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error;
}

/** Run `PYTHON -P -m gvc.engine`; -P keeps Python from importing modules of the current folder. Returns an errno. */
static int spawn(gvc_context *context, int socket) {
    char *arguments[] = {context->python, "-P", "-m", "gvc.engine", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = engine_environment();
    if (!environment)
        return ENOMEM;
    int error = posix_spawn_file_actions_init(&actions);
    if (!error) {
        error = posix_spawnattr_init(&attributes);
        if (!error) {
            error = set_files(&actions, socket);
            if (!error)
                error = set_signals(&attributes);
            if (!error)
                error = posix_spawnp(&context->engine, context->python, &actions, &attributes, arguments, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(environment);
    context->engine = context->watched = error ? 0 : context->engine;
    return error;
}

int gvc_engine_spawn(gvc_context *context) {
    int pair[2] = {-1, -1};
    gvc_find_python(context->python, sizeof context->python);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return gvc_break(context, GVC_ERROR_ENGINE, "a socket for the GVC engine cannot be made: %s", strerror(errno));
    context->socket = gvc_move_up(pair[0]);
    int remote = gvc_move_up(pair[1]);
    int error = context->socket < 0 || remote < 0 ? EMFILE : spawn(context, remote);
    if (remote >= 0)
        close(remote);
    if (error)
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine cannot be started with %s: %s; set GVC_PYTHON to the Python that has gvc "
                         "installed",
                         context->python, strerror(error));
    return GVC_OK;
}

bool gvc_engine_reap(gvc_context *context, int *status) {
    const int64_t deadline = gvc_now() + EXIT_TIMEOUT;
    *status = 0;
    while (context->engine > 0) {
        pid_t gone = waitpid(context->engine, status, WNOHANG);
        if (gone == context->engine || (gone < 0 && errno == ECHILD)) {
            context->engine = 0;
            break;
        }
        if (gvc_now() >= deadline)
            return false;
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return true;
}

void gvc_engine_kill(gvc_context *context) {
    int status;
    if (gvc_process_state(context->engine) != 'T' && gvc_engine_reap(context, &status))
        return;
    kill(-context->engine, SIGKILL); /* a negative number means all processes of the engine's group */
    while (waitpid(context->engine, &status, 0) < 0 && errno == EINTR)
        ;
    context->engine = 0;
}
