/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Noticing that an engine, which may take hours to answer, can no longer answer, and saying why. */
#include "context.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/*
 * Longest wait for a stopped engine, in ms. The sum of the waits counts, not the clock: if caller and engine are
 * stopped together (as in a suspended machine or container), that time is no wait.
 */
enum { STOPPED_LIMIT = 6000 };

#define START_ADVICE                                                                                                   \
    "its messages are on standard error; if it lacks gvc, set GVC_PYTHON to the Python that has gvc installed"
#define LIBRARY_ADVICE ", and if it loaded libraries of another program, remove their folder from LD_LIBRARY_PATH"

/** Return a hint for signals by which a process ends if memory is short, whether the system or an allocation failed. */
static const char *memory_hint(int number) {
    bool may_be = number == SIGKILL || number == SIGSEGV || number == SIGBUS || number == SIGABRT;
    return may_be ? ", as when memory is short" : "";
}

int gvc_engine_lost(gvc_context *context) {
    int status;
    if (context->failure)
        return context->failure;
    context->startable |= context->warm;
    if (context->warm)
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the warm engine (%s) ended unexpectedly; its last messages are on its standard error. "
                         "Without it an engine is started for each use",
                         context->python);
    const char *advice = context->ready              ? "its last messages are on standard error"
                         : getenv("LD_LIBRARY_PATH") ? START_ADVICE LIBRARY_ADVICE
                                                     : START_ADVICE;
    char how[64] = "";
    if (gvc_engine_reap(context, &status) && WIFSIGNALED(status)) {
        context->startable = true; /* a signal has outside reasons, so another engine may work */
        snprintf(how, sizeof how, " (signal %d%s)", WTERMSIG(status), memory_hint(WTERMSIG(status)));
    } else if (WIFEXITED(status) && WEXITSTATUS(status))
        snprintf(how, sizeof how, " (exit status %d)", WEXITSTATUS(status));
    return gvc_break(context, GVC_ERROR_ENGINE, "%s -m gvc.engine ended unexpectedly%s; %s", context->python, how,
                     advice);
}

int gvc_engine_check(gvc_context *context, int waited) {
    switch (gvc_process_state(context->watched)) {
    case 'Z':
    case 'X': /* the socket is still open because another process has inherited the engine's end of it */
        return gvc_poll(context->socket, POLLIN, 0) ? GVC_OK : gvc_engine_lost(context);
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
