/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of a gvc_context and what the files of libgvc offer each other. */
#ifndef GVC_CONTEXT_H
#define GVC_CONTEXT_H

#include "gvc.h"
#include "gvc_protocol.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/** A message of the engine that waits for its turn. */
typedef struct gvc_reply {
    struct gvc_reply *next;
    gvc_message message;
    int memory;  ///< FORMAT: the shared memory that it lays out, else -1
    bool stale;  ///< it came after gvc_flush and is about what was sent before
    bool orphan; ///< its engine is gone
    uint8_t payload[];
} gvc_reply;

struct gvc_context {
    enum gvc_role role;
    gvc_format format; ///< geometry is 0 until it is known
    bool packed;       ///< encoder: the caller's pictures are GVC_SAMPLES_RGB24
    char *options;
    uint8_t *extradata;
    size_t extradata_size;

    pid_t owner;        ///< the process that opened the session; 0: none was opened
    pid_t engine;       ///< the process that was started; 0: none, or reaped
    pid_t watched;      ///< the engine's process, started or warm; 0: not known
    int stopped;        ///< milliseconds that we have waited for a stopped engine without a break
    bool warm;          ///< the engine runs anyway and was connected to
    bool alone;         ///< no warm engine is wanted any more
    char python[4096];  ///< what the engine was started with (warm: its command), for error messages
    int socket, memory; ///< -1: not open
    uint8_t *slots;     ///< shared memory, GVC_SLOTS pictures
    size_t mapped;      ///< bytes of it
    bool busy[GVC_SLOTS];

    bool sending;                ///< a message is on its way, perhaps half of it
    bool release_due[GVC_SLOTS]; ///< RELEASE is to be sent
    bool flush_due;              ///< FLUSH is to be sent

    gvc_reply *first, *last; ///< replies in order of arrival, without limit: the engine must never wait for us
    gvc_reply *given;        ///< the packet that the caller looks at
    size_t unanswered;       ///< decoder: packets without DONE
    size_t coming;           ///< decoder: packets that were sent and have no picture or error yet
    size_t lost;             ///< decoder: packets whose pictures went with an engine, which is to be told
    size_t answered;         ///< decoder: packets that this engine has given a picture or an error for
    int renewals;            ///< decoder: engines in a row that were started in the place of one that ended early
    bool startable;          ///< decoder: engines can start, so one that ends may get a successor
    bool ready;              ///< READY has come
    bool ending;             ///< END was sent
    bool ended;              ///< END has come back
    bool ahead;              ///< the decoder works a GOP ahead, so that a packet need not be answered to go on
    unsigned flushing;       ///< times that FLUSH was sent, or is due, and has not come back

    int failure; ///< once not GVC_OK, nothing goes on; a decoder may get another engine with the next keyframe
    char sentence[GVC_MAX_SENTENCE + 1];
};

/* context.c */
/** Make a context of `role`; NULL only without memory. Copies what `params` points to. */
int gvc_context_new(gvc_context **context, const gvc_params *params, enum gvc_role role);
/** Note the sentence and return `code`. */
int gvc_fail(gvc_context *context, int code, const char *sentence, ...) __attribute__((format(printf, 3, 4)));
/** The same, and nothing goes on from here. */
int gvc_break(gvc_context *context, int code, const char *sentence, ...) __attribute__((format(printf, 3, 4)));
/** GVC_OK if the context is of that role, else an error. Leaves a session that belongs to another process. */
int gvc_check_role(gvc_context *context, enum gvc_role role);
/** Free a reply; NULL-safe. */
void gvc_reply_free(gvc_reply *reply);
/** Free the queued replies. */
void gvc_drop_queue(gvc_context *context);

/* header.c */
/**
 * Read the fixed part of the sequence header in context->extradata into context->format. Cuts off what follows the
 * header: AVI and Matroska's V_MS/VFW/FOURCC pad what they store to an even size.
 */
int gvc_header_read(gvc_context *context);

/* python.c */
/** Find the Python that has the engine. */
void gvc_find_python(char *path, size_t size);

/* connect.c */
/** Connect to the user's warm engine; false if there is none that can be used, which is no error. */
bool gvc_engine_connect(gvc_context *context);

/* spawn.c */
/** Start an engine. */
int gvc_engine_spawn(gvc_context *context);
/** Wait a while for the end of the engine; true if it is gone. *status is 0 if somebody else has reaped it. */
bool gvc_engine_reap(gvc_context *context, int *status);
/** See to it that the engine that was started is gone. */
void gvc_engine_kill(gvc_context *context);

/* watch.c */
/** Milliseconds on a clock that nobody sets. */
int64_t gvc_now(void);
/** Wait for `events` of a descriptor, `timeout` milliseconds whatever signals come; gives those that came, or 0. */
int gvc_poll(int descriptor, short events, int timeout);
/** The state of a process as /proc/PID/stat tells: T is stopped; Z and X are dead; ? if that cannot be known. */
char gvc_process_state(pid_t process);
/** See after `waited` milliseconds of silence whether the engine can still answer. GVC_OK or context->failure. */
int gvc_engine_check(gvc_context *context, int waited);

/* session.c */
/** Find an engine and open it as context->role; waits until it is ready or has said why not. */
int gvc_session_start(gvc_context *context);
/** The socket was closed by the engine: say so. Returns GVC_ERROR_ENGINE or the failure that was known before. */
int gvc_session_lost(gvc_context *context);
/** End the session and an engine of its own, by force if it does not go by itself. Pictures that came stay mapped. */
void gvc_session_stop(gvc_context *context);
/** Whether another engine may take the place of this one. */
bool gvc_session_renewable(const gvc_context *context);
/** Replace an engine that has failed. GVC_OK, or context->failure where that is not possible (any more). */
int gvc_session_renew(gvc_context *context);
/** Leave the session to the process that opened it, if that is another one: this one was forked, and must not use it.
 */
void gvc_session_disown(gvc_context *context);
/** Move a descriptor out of the way of those that an engine gets; closes the old one. -1 stays -1. */
int gvc_move_up(int descriptor);

/* slots.c */
/** Map shared memory for context->format; an encoder also sizes it. */
int gvc_slots_map(gvc_context *context, int memory);
void gvc_slots_unmap(gvc_context *context);
void gvc_slot_write(gvc_context *context, uint32_t slot, const gvc_picture *picture);
void gvc_slot_read(const gvc_context *context, uint32_t slot, const gvc_picture *picture);

/* wire.c */
/** Send a message with its payload in `count` pieces; takes replies meanwhile. */
int gvc_wire_send(gvc_context *context, gvc_message message, const struct iovec *pieces, int count);
/** Give a slot back as soon as the socket has room. */
void gvc_wire_release(gvc_context *context, uint32_t slot);
/** Send FLUSH as soon as the socket has room; what comes until it is answered is stale. */
void gvc_wire_flush(gvc_context *context);
/** Take one reply within `timeout` milliseconds (-1: as long as it takes). GVC_OK, GVC_AGAIN or context->failure. */
int gvc_wire_receive(gvc_context *context, int timeout);
/** Unlink the first queued reply; the caller frees it. NULL if there is none. */
gvc_reply *gvc_wire_take(gvc_context *context);
/** The engine broke the protocol. */
int gvc_wire_unexpected(gvc_context *context, const gvc_message *message);

/* decoder.c */
/** Take over the geometry that a FORMAT message tells. */
int gvc_decoder_reformat(gvc_context *context, const gvc_reply *reply);

#endif
