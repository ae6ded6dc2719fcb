/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting, renewing and ending a session with an engine. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HELLO_TIMEOUT = 60000, ///< ms; the engine sends HELLO before it loads anything large
    MAX_RENEWALS = 5,      ///< largest number of engines in a row that end early and are replaced
    LONG_LIFE = 1000       ///< number of answered packets from which on the end of an engine is not early
};

/** Make the shared memory and, for an encoder, map it. A decoder knows its size only when FORMAT comes. */
static int make_memory(gvc_context *context) {
    context->memory = gvc_move_up(memfd_create("gvc", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (context->memory < 0 || fcntl(context->memory, F_ADD_SEALS, F_SEAL_SHRINK))
        return gvc_break(context, GVC_ERROR_ENGINE, "shared memory for the GVC engine cannot be made: %s",
                         strerror(errno));
    return context->role == GVC_ENCODER ? gvc_slots_map(context, context->memory) : GVC_OK;
}

/** Wait for a reply of `type`, which the caller frees. Returns NULL if the session has failed. */
static gvc_reply *expect(gvc_context *context, enum gvc_message_type type, int timeout) {
    int result = gvc_wire_receive(context, timeout);
    if (result == GVC_AGAIN)
        gvc_break(context, GVC_ERROR_ENGINE,
                  "%s -m gvc.engine does not answer; set GVC_PYTHON to the Python that has gvc installed",
                  context->python);
    gvc_reply *reply = result == GVC_OK ? gvc_reply_take(context) : NULL;
    if (reply && reply->message.type != type) {
        gvc_unexpected(context, &reply->message);
        gvc_reply_free(reply);
        reply = NULL;
    }
    return reply;
}

static int greet(gvc_context *context) {
    gvc_reply *hello = expect(context, GVC_MSG_HELLO, HELLO_TIMEOUT);
    if (!hello)
        return context->failure;
    int64_t version = hello->message.pts;
    gvc_reply_free(hello);
    if (version != GVC_PROTOCOL_VERSION)
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine of %s speaks protocol version %lld and this libgvc version %d; install both "
                         "from one release",
                         context->python, (long long)version, GVC_PROTOCOL_VERSION);
    return GVC_OK;
}

static int open_codec(gvc_context *context) {
    bool encoder = context->role == GVC_ENCODER;
    char folder[GVC_MAX_FOLDER];
    if (!getcwd(folder, sizeof folder))
        folder[0] = 0; /* the folder was deleted or its path is too long, so no path can be relative to it */
    gvc_open opening = {.role = context->role,
                        .format = context->format,
                        .options_size = (uint32_t)strlen(context->options),
                        .extradata_size = encoder ? 0 : (uint32_t)context->extradata_size,
                        .folder_size = (uint32_t)strlen(folder)};
    struct iovec pieces[] = {{&opening, sizeof opening},
                             {context->options, opening.options_size},
                             {context->extradata, opening.extradata_size},
                             {folder, opening.folder_size}};
    if (gvc_wire_send(context, (gvc_message){.type = GVC_MSG_OPEN}, pieces, 4))
        return context->failure;
    gvc_reply *ready = expect(context, GVC_MSG_READY, -1);
    if (!ready)
        return context->failure;
    context->ready = context->startable = true;
    context->ahead = ready->message.flags & GVC_MESSAGE_AHEAD;
    if (encoder) {
        context->extradata = malloc(ready->message.size + 1);
        if (context->extradata) {
            memcpy(context->extradata, ready->payload, ready->message.size);
            context->extradata_size = ready->message.size;
        }
    }
    gvc_reply_free(ready);
    return encoder && !context->extradata ? gvc_break(context, GVC_ERROR_MEMORY, "no memory for the sequence header")
                                          : GVC_OK;
}

int gvc_session_start(gvc_context *context) {
    context->owner = getpid();
    int result = make_memory(context);
    if (!result && !gvc_engine_connect(context)) {
        result = gvc_engine_spawn(context);
        if (!result)
            result = greet(context);
    }
    return result ? result : open_codec(context);
}

/** Close this process's descriptors of a session. The engine notices only if no other process has them open. */
static void close_files(gvc_context *context) {
    if (context->socket >= 0)
        close(context->socket);
    if (context->memory >= 0)
        close(context->memory);
    context->socket = context->memory = -1;
}

void gvc_session_stop(gvc_context *context) {
    if (context->socket >= 0)
        shutdown(context->socket, SHUT_RDWR); /* tells the engine to end, even if other processes have the socket */
    gvc_engine_kill(context);
    close_files(context);
}

void gvc_session_disown(gvc_context *context) {
    if (!context->owner || context->owner == getpid())
        return;
    int owner = (int)context->owner;
    close_files(context);
    gvc_slots_unmap(context);
    gvc_drop_queue(context);
    context->owner = context->engine = 0;
    context->coming = context->lost = 0;
    gvc_break(context, GVC_ERROR_ENGINE,
              "a forked process cannot use the session that process %d has with its engine; open the codec after the "
              "fork",
              owner);
}

bool gvc_session_renewable(const gvc_context *context) {
    return context->role == GVC_DECODER && context->startable &&
           (!context->failure || context->failure == GVC_ERROR_ENGINE);
}

/** Reset the session to the state before the first engine, except for replies that the caller has not taken yet. */
static void reset(gvc_context *context) {
    gvc_session_stop(context);
    context->ready = context->ended = context->warm = context->flush_due = false;
    context->unanswered = context->answered = 0;
    context->watched = context->stopped = 0;
    context->flushing = 0;
    context->failure = GVC_OK;
    memset(context->release_due, 0, sizeof context->release_due);
}

int gvc_session_renew(gvc_context *context) {
    if (!gvc_session_renewable(context))
        return context->failure;
    context->renewals = context->answered < LONG_LIFE ? context->renewals + 1 : 1;
    if (context->renewals > MAX_RENEWALS) {
        context->startable = false;
        return gvc_break(context, GVC_ERROR_ENGINE,
                         "the GVC engine ended %d times, each time soon after its start, and is not started again; its "
                         "last messages are on standard error, and if it was killed, memory may be short",
                         context->renewals);
    }
    reset(context);
    context->alone = true;                                    /* a warm engine might fail in the same way */
    gvc_reply *first = context->first, *last = context->last; /* set aside: the handshake needs an empty queue */
    context->first = context->last = NULL;
    int result = gvc_session_start(context);
    if (first) {
        last->next = context->first;
        context->first = first;
        context->last = context->last ? context->last : last;
    }
    return result;
}
