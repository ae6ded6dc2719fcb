/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of gvc_context, and the functions that the files of libgvc share: each file calls only files that come
 * before it here. encoder.c and decoder.c come last.
 */
#ifndef GVC_CONTEXT_H
#define GVC_CONTEXT_H

#include "gvc.h"
#include "gvc_protocol.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/** A message from the engine, in the queue of messages for the caller. */
typedef struct gvc_reply {
    struct gvc_reply *next;
    gvc_message message;
    int memory;  ///< FORMAT: descriptor of the shared memory that gets this format; other messages: -1
    bool stale;  ///< the message came after gvc_flush but concerns input from before
    bool orphan; ///< the engine that sent the message is gone
    uint8_t payload[];
} gvc_reply;

struct gvc_context {
    enum gvc_role role;
    gvc_format format; ///< width and height are 0 while they are unknown
    bool packed;       ///< encoder: the caller's pictures are GVC_SAMPLES_RGB24
    char *options;
    uint8_t *extradata;
    size_t extradata_size;

    pid_t owner;          ///< process that opened the session; 0 = no session
    pid_t engine;         ///< process of an engine that libgvc started; 0 = none, or ended
    pid_t watched;        ///< process of the engine, whether started or warm; 0 = unknown
    int stopped;          ///< milliseconds in a row for which the engine was stopped while the caller waited
    bool warm;            ///< the engine is the user's warm one (`gvc serve`)
    bool alone;           ///< warm engines are not used any more
    char python[4096];    ///< the engine's Python, or "gvc serve"; for error messages
    int socket, memory;   ///< descriptors; -1 = not open
    uint8_t *slots;       ///< the mapped shared memory, GVC_SLOTS pictures
    size_t mapped;        ///< bytes of the mapped shared memory
    bool busy[GVC_SLOTS]; ///< encoder: slots that belong to the engine

    bool sending;                ///< a message is being sent, so no other may start
    bool release_due[GVC_SLOTS]; ///< slots for which RELEASE is still to be sent
    bool flush_due;              ///< FLUSH is still to be sent

    gvc_reply *first, *last; ///< queue of replies in order of arrival; unlimited, so that the engine never waits
    gvc_reply *given;        ///< reply whose payload the caller is using
    size_t unanswered;       ///< decoder: packets without DONE
    size_t coming;           ///< decoder: packets that were sent and have neither a picture nor an error yet
    size_t lost;             ///< decoder: packets whose pictures a failed engine took along, still to be reported
    size_t answered;         ///< decoder: packets for which this engine has sent a picture or an error
    int renewals;            ///< decoder: engines in a row that replaced one which ended early
    bool startable;          ///< decoder: an engine has started once, so a failed one may be replaced
    bool ready;              ///< READY was received
    bool ending;             ///< END was sent
    bool ended;              ///< END was received
    bool ahead;              ///< decoder: the engine works whole GOPs ahead, so packets need not wait for answers
    unsigned flushing;       ///< FLUSH messages sent, or due, that were not answered yet

    int failure; ///< if not GVC_OK, the session has failed; only a decoder can get another engine, at a keyframe
    char sentence[GVC_MAX_SENTENCE + 1]; ///< the last error
};

/* errors.c */
/** Set the error message and return `code`. */
int gvc_fail(gvc_context *context, int code, const char *sentence, ...) __attribute__((format(printf, 3, 4)));
/** Set the error message, mark the session as failed and return `code`. */
int gvc_break(gvc_context *context, int code, const char *sentence, ...) __attribute__((format(printf, 3, 4)));
/** Mark the session as failed because this message breaks the protocol. Returns GVC_ERROR_ENGINE. */
int gvc_unexpected(gvc_context *context, const gvc_message *message);

/* replies.c */
/** Free a reply, which may be NULL. */
void gvc_reply_free(gvc_reply *reply);
/** Put a reply at the end of the queue. */
void gvc_reply_append(gvc_context *context, gvc_reply *reply);
/** Remove the first reply from the queue and return it; the caller frees it. NULL if the queue is empty. */
gvc_reply *gvc_reply_take(gvc_context *context);
/** Free all queued replies. */
void gvc_drop_queue(gvc_context *context);

/* system.c */
/** Return the milliseconds of the monotonic clock. */
int64_t gvc_now(void);
/** Wait `timeout` milliseconds for `events` of a descriptor, also across signals. Returns the events that came, or 0.
 */
int gvc_poll(int descriptor, short events, int timeout);
/** Return the state of a process from /proc/PID/stat: T = stopped, Z or X = ended, ? = unknown. */
char gvc_process_state(pid_t process);
/** Move a descriptor above the numbers that an engine uses, and close the old one. -1 stays -1. */
int gvc_move_up(int descriptor);

/* slots.c */
/** Map shared memory for pictures of context->format; an encoder sets its size first. Returns GVC_OK or an error. */
int gvc_slots_map(gvc_context *context, int memory);
/** Apply a FORMAT message: set context->format and map its shared memory. Returns GVC_OK or an error. */
int gvc_slots_reformat(gvc_context *context, const gvc_reply *reply);
void gvc_slots_unmap(gvc_context *context);
void gvc_slot_write(gvc_context *context, uint32_t slot, const gvc_picture *picture);
void gvc_slot_read(const gvc_context *context, uint32_t slot, const gvc_picture *picture);

/* header.c */
/**
 * Read the fixed part of the sequence header in context->extradata into context->format. Reduces extradata_size to the
 * header's own size, because AVI and Matroska's V_MS/VFW/FOURCC pad stored data to an even size.
 */
int gvc_header_read(gvc_context *context);

/* python.c */
/** Write the path of the Python that has gvc installed into `path`, which has `size` bytes. */
void gvc_find_python(char *path, size_t size);

/* connect.c */
/** Connect to the user's warm engine. Returns false if there is none that can be used, which is no error. */
bool gvc_engine_connect(gvc_context *context);

/* spawn.c */
/** Start an engine for this context. Returns GVC_OK or an error. */
int gvc_engine_spawn(gvc_context *context);
/**
 * Wait at most two seconds for the end of the started engine. Returns whether it has ended. *status is its wait
 * status, or 0 if another part of the program has waited for it already.
 */
bool gvc_engine_reap(gvc_context *context, int *status);
/** Wait for the end of the started engine, and kill it if it does not end soon. */
void gvc_engine_kill(gvc_context *context);

/* watch.c */
/**
 * Check whether the engine can still answer after `waited` milliseconds without a message. Returns GVC_OK or
 * context->failure.
 */
int gvc_engine_check(gvc_context *context, int waited);
/**
 * Mark the session as failed because the engine has closed the socket. Returns GVC_ERROR_ENGINE, or the failure that
 * was known before.
 */
int gvc_engine_lost(gvc_context *context);

/* wire.c */
/** Send a message whose payload is in `count` pieces, and queue replies that come meanwhile. GVC_OK or an error. */
int gvc_wire_send(gvc_context *context, gvc_message message, const struct iovec *pieces, int count);
/** Send RELEASE for a slot as soon as the socket has room. */
void gvc_wire_release(gvc_context *context, uint32_t slot);
/** Send FLUSH as soon as the socket has room. Replies that come before its answer are stale. */
void gvc_wire_flush(gvc_context *context);
/**
 * Receive one message within `timeout` milliseconds (-1 = no limit) and queue it if it is for the caller. Returns
 * GVC_OK, GVC_AGAIN or context->failure.
 */
int gvc_wire_receive(gvc_context *context, int timeout);

/* session.c */
/** Connect to an engine or start one, and wait until it is ready as context->role. Returns GVC_OK or an error. */
int gvc_session_start(gvc_context *context);
/** End the session and its own engine, by force if necessary. Pictures that were received stay mapped. */
void gvc_session_stop(gvc_context *context);
/** Return whether another engine may replace a failed one. */
bool gvc_session_renewable(const gvc_context *context);
/** Replace a failed engine. Returns GVC_OK, or context->failure if that is not possible. */
int gvc_session_renew(gvc_context *context);
/** Give up a session that another process has opened: after a fork the child must not use the parent's session. */
void gvc_session_disown(gvc_context *context);

/* context.c */
/** Make a context from a copy of `params`. *context is NULL only if memory is short. Returns GVC_OK or an error. */
int gvc_context_new(gvc_context **context, const gvc_params *params, enum gvc_role role);
/** Return GVC_OK if the context has this role, else an error. Gives up a session that belongs to another process. */
int gvc_check_role(gvc_context *context, enum gvc_role role);

#endif
