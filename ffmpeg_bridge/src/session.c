/* The life of an engine process: start, handshake, end. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    HELLO_TIMEOUT = 60000, ///< ms; the engine says hello before it loads anything large
    EXIT_TIMEOUT = 2000,   ///< ms from closing the socket to SIGKILL
    PRIVATE_FD = 10        ///< descriptors are moved here and up so that they do not collide with those of the engine
};

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM
#endif
#endif

extern char **environ;

/** The caller's environment without what would harm another interpreter; the strings are not copied. */
static char **engine_environment(void) {
    static const char *const harmful[] = {
        "LD_PRELOAD=", /* libgvc_ffmpeg.so among others */
        "PYTHONHOME=", /* of a program that embeds another Python */
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

/** Its descriptors: the socket, the memory, nothing to read, and standard error for all that it prints. */
static int set_files(posix_spawn_file_actions_t *actions, int socket, int memory) {
    bool has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error && !has_stderr)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error) /* the caller's standard output may be a pipe that carries the coded video */
        error = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, socket, GVC_SOCKET_FD);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, memory, GVC_MEMORY_FD);
#ifdef HAVE_CLOSEFROM
    if (!error) /* or a pipe of the caller would stay open as long as the engine lives */
        error = posix_spawn_file_actions_addclosefrom_np(actions, GVC_MEMORY_FD + 1);
#endif
    return error;
}

/** A session of its own, so that Ctrl-C reaches the caller only and it can finish its file; signals as at login. */
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

/** Run `PYTHON -P -m gvc.engine` (-P: modules in the current folder are not for it). Returns an errno. */
static int spawn_engine(gvc_context *context, int socket, int memory) {
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
            error = set_files(&actions, socket, memory);
            if (!error)
                error = set_signals(&attributes);
            if (!error)
                error = posix_spawnp(&context->engine, context->python, &actions, &attributes, arguments, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(environment);
    if (error)
        context->engine = 0;
    return error;
}

/** Move a descriptor out of the way of those that the engine gets; closes the old one. */
static int move_up(int descriptor) {
    int moved = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, PRIVATE_FD);
    if (descriptor >= 0)
        close(descriptor);
    return moved;
}

/** Make socket and memory and start the process. */
static int create(gvc_context *context) {
    int pair[2] = {-1, -1};
    context->memory = move_up(memfd_create("gvc", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (context->memory < 0 || fcntl(context->memory, F_ADD_SEALS, F_SEAL_SHRINK) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return gvc_break(context, GVC_ERROR_ENGINE, "no shared memory or socket for the GVC engine: %s",
                         strerror(errno));
    context->socket = move_up(pair[0]);
    int remote = move_up(pair[1]);
    int error = context->socket < 0 || remote < 0 ? EMFILE : spawn_engine(context, remote, context->memory);
    if (remote >= 0)
        close(remote);
    if (error)
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine cannot be started with %s: %s; set GVC_PYTHON to the Python that has gvc "
                         "installed",
                         context->python, strerror(error));
    return GVC_OK;
}

/** Wait for a reply of `type` and take it; NULL if the session failed. */
static gvc_reply *expect(gvc_context *context, enum gvc_message_type type, int timeout) {
    int result = gvc_wire_receive(context, timeout);
    if (result == GVC_AGAIN)
        gvc_break(context, GVC_ERROR_ENGINE,
                  "%s -m gvc.engine gave no sign of life; set GVC_PYTHON to the Python that has gvc installed",
                  context->python);
    gvc_reply *reply = result == GVC_OK ? gvc_wire_take(context) : NULL;
    if (reply && reply->message.type != type) {
        gvc_wire_unexpected(context, &reply->message);
        free(reply);
        reply = NULL;
    }
    return reply;
}

static int greet(gvc_context *context) {
    gvc_reply *hello = expect(context, GVC_MSG_HELLO, HELLO_TIMEOUT);
    if (!hello)
        return context->failure;
    int64_t version = hello->message.pts;
    free(hello);
    if (version != GVC_PROTOCOL_VERSION)
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine of %s speaks protocol version %lld and this libgvc version %d; install both "
                         "from one release",
                         context->python, (long long)version, GVC_PROTOCOL_VERSION);
    return GVC_OK;
}

static int open_codec(gvc_context *context) {
    bool encoder = context->role == GVC_ENCODER;
    gvc_open opening = {.role = context->role,
                        .format = context->format,
                        .options_size = (uint32_t)strlen(context->options),
                        .extradata_size = encoder ? 0 : (uint32_t)context->extradata_size};
    struct iovec pieces[] = {{&opening, sizeof opening},
                             {context->options, opening.options_size},
                             {context->extradata, opening.extradata_size}};
    if (gvc_wire_send(context, (gvc_message){.type = GVC_MSG_OPEN}, pieces, 3))
        return context->failure;
    gvc_reply *ready = expect(context, GVC_MSG_READY, -1);
    if (!ready)
        return context->failure;
    context->ready = true;
    if (encoder) {
        context->extradata = malloc(ready->message.size + 1);
        if (context->extradata) {
            memcpy(context->extradata, ready->payload, ready->message.size);
            context->extradata_size = ready->message.size;
        }
    }
    free(ready);
    return encoder && !context->extradata ? gvc_break(context, GVC_ERROR_MEMORY, "no memory for the sequence header")
                                          : GVC_OK;
}

int gvc_session_start(gvc_context *context) {
    gvc_find_python(context->python, sizeof context->python);
    int result = create(context);
    if (!result && context->role == GVC_ENCODER)
        result = gvc_slots_map(context);
    if (!result)
        result = greet(context);
    if (!result)
        result = open_codec(context);
    return result;
}

/** Reap the engine if it ends within `timeout` ms; true if it is gone. *status is 0 if somebody else has reaped it. */
static bool reap(gvc_context *context, int timeout, int *status) {
    const int step = 5;
    *status = 0;
    for (int waited = 0; context->engine > 0; waited += step) {
        pid_t gone = waitpid(context->engine, status, WNOHANG);
        if (gone == context->engine || (gone < 0 && errno == ECHILD)) {
            context->engine = 0;
            break;
        }
        if (waited >= timeout)
            return false;
        nanosleep(&(struct timespec){0, step * 1000000L}, NULL);
    }
    return true;
}

int gvc_session_lost(gvc_context *context) {
    int status;
    if (context->failure)
        return context->failure;
    const char *advice = context->ready ? "its last messages are on standard error"
                                        : "set GVC_PYTHON to the Python that has gvc installed";
    char how[64] = "";
    if (reap(context, EXIT_TIMEOUT, &status) && WIFSIGNALED(status))
        snprintf(how, sizeof how, " (signal %d)", WTERMSIG(status));
    else if (WIFEXITED(status) && WEXITSTATUS(status))
        snprintf(how, sizeof how, " (exit status %d)", WEXITSTATUS(status));
    return gvc_break(context, GVC_ERROR_ENGINE, "%s -m gvc.engine ended unexpectedly%s; %s", context->python, how,
                     advice);
}

void gvc_session_stop(gvc_context *context) {
    int status;
    if (context->socket >= 0)
        close(context->socket); /* the sign to quit */
    if (context->engine > 0 && !reap(context, EXIT_TIMEOUT, &status)) {
        kill(-context->engine, SIGKILL); /* its whole session */
        while (waitpid(context->engine, &status, 0) < 0 && errno == EINTR)
            ;
        context->engine = 0;
    }
    gvc_slots_unmap(context);
    if (context->memory >= 0)
        close(context->memory);
    context->socket = context->memory = -1;
}
