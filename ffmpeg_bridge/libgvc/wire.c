/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to and from the engine. */
#include "context.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Any compiler must give the structs the layout that gvc_protocol.h describes. */
_Static_assert(sizeof(gvc_message) == 40, "gvc_message has padding");
_Static_assert(sizeof(gvc_format) == 56, "gvc_format has padding");
_Static_assert(sizeof(gvc_open) == 72, "gvc_open has padding");

/** Return whether RELEASE or FLUSH is due and can be sent now. */
static bool has_due_messages(const gvc_context *context) {
    bool owes = context->flush_due;
    for (int slot = 0; slot < GVC_SLOTS; slot++)
        owes |= context->release_due[slot];
    return owes && !context->sending;
}

/** Send the RELEASE and FLUSH messages that are due. Without `wait`, stop where the socket has no room. */
static int send_due(gvc_context *context, bool wait);

/**
 * Wait for `events` of the socket while the engine can still answer. Returns the events that came, or 0 after the
 * timeout (in ms, -1 = no limit) or a failure.
 */
static int wait_for(gvc_context *context, short events, int timeout) {
    const int most = 500;
    int64_t deadline = gvc_now() + timeout;
    for (int64_t left = timeout; !context->failure; left = deadline - gvc_now()) {
        int slice = timeout < 0 || left > most ? most : left > 0 ? (int)left : 0;
        int came = gvc_poll(context->socket, events | (has_due_messages(context) ? POLLOUT : 0), slice);
        if (came & ~POLLOUT)
            context->stopped = 0;
        if (came & POLLOUT)
            send_due(context, false);
        if (came & (events | POLLERR | POLLHUP))
            return came;
        if (!came && slice)
            gvc_engine_check(context, slice);
        if (timeout >= 0 && left <= slice && !came)
            break;
    }
    return 0;
}

/** Room for one descriptor beside a message. */
typedef union attachment {
    struct cmsghdr header; /* only here to align `bytes` */
    char bytes[CMSG_SPACE(sizeof(int))];
} attachment;

/** Attach `descriptor` to the message `carrier`; `room` must live until it is sent. */
static void attach(struct msghdr *carrier, attachment *room, int descriptor) {
    carrier->msg_control = room->bytes;
    carrier->msg_controllen = sizeof room->bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(carrier);
    *header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof descriptor), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
}

/** Send a message. Without `wait`, return GVC_AGAIN if the socket has no room for any of it. */
static int transmit(gvc_context *context, gvc_message message, const struct iovec *pieces, int count, bool wait) {
    bool with_memory = message.type == GVC_MSG_OPEN, begun = false;
    struct iovec rest[5] = {{&message, sizeof message}};
    struct iovec *next = rest, *end = rest + 1 + count;
    for (int i = 0; i < count; i++) {
        rest[1 + i] = pieces[i];
        message.size += (uint32_t)pieces[i].iov_len;
    }
    while (next < end && !context->failure) {
        struct msghdr header = {.msg_iov = next, .msg_iovlen = (size_t)(end - next)};
        attachment room = {0};
        if (with_memory)
            attach(&header, &room, context->memory);
        ssize_t sent = sendmsg(context->socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            begun = true;
            with_memory = false; /* the descriptor was sent with the first byte */
            for (; next < end && (size_t)sent >= next->iov_len; next++)
                sent -= (ssize_t)next->iov_len;
            if (next < end) {
                next->iov_base = (char *)next->iov_base + sent;
                next->iov_len -= (size_t)sent;
            }
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait && !begun)
                return GVC_AGAIN;
            /* The engine may read on only after its replies were taken. */
            if (wait_for(context, POLLIN | POLLOUT, -1) & POLLIN)
                gvc_wire_receive(context, -1);
        } else if (errno != EINTR) {
            /* Messages that came before the end of the engine may give its reason. */
            while (gvc_wire_receive(context, 0) == GVC_OK)
                ;
            return gvc_engine_lost(context);
        }
    }
    return context->failure;
}

static int send_due(gvc_context *context, bool wait) {
    int result = context->failure;
    context->sending = true;
    for (uint32_t slot = 0; slot < GVC_SLOTS && !result; slot++)
        if (context->release_due[slot]) {
            result = transmit(context, (gvc_message){.type = GVC_MSG_RELEASE, .slot = slot}, NULL, 0, wait);
            context->release_due[slot] = result != GVC_OK;
        }
    if (!result && context->flush_due) {
        result = transmit(context, (gvc_message){.type = GVC_MSG_FLUSH}, NULL, 0, wait);
        context->flush_due = result != GVC_OK;
    }
    context->sending = false;
    return result;
}

int gvc_wire_send(gvc_context *context, gvc_message message, const struct iovec *pieces, int count) {
    int result = send_due(context, true);
    if (result)
        return result;
    context->sending = true;
    result = transmit(context, message, pieces, count, true);
    context->sending = false;
    return result;
}

void gvc_wire_release(gvc_context *context, uint32_t slot) {
    context->release_due[slot] = true;
    send_due(context, false);
}

void gvc_wire_flush(gvc_context *context) {
    context->flushing += !context->flush_due;
    context->flush_due = true;
    send_due(context, false);
}

static bool receive_exactly(gvc_context *context, void *target, size_t size) {
    uint8_t *next = target;
    while (size && !context->failure) {
        ssize_t got = recv(context->socket, next, size, MSG_DONTWAIT);
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            wait_for(context, POLLIN, -1);
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return size == 0;
}

/** Return whether the engine may send such a message to this context. */
static bool is_valid(const gvc_context *context, const gvc_message *message) {
    bool encoder = context->role == GVC_ENCODER;
    switch (message->type) {
    case GVC_MSG_READY:
        return message->size <= GVC_MAX_HEADER;
    case GVC_MSG_PACKET:
        return encoder && message->size <= GVC_MAX_PACKET;
    case GVC_MSG_RELEASE:
        return encoder && message->size == 0 && message->slot < GVC_SLOTS;
    case GVC_MSG_PICTURE:
        return !encoder && message->size == 0 && message->slot < GVC_SLOTS;
    case GVC_MSG_FORMAT:
        return !encoder && message->size == sizeof(gvc_format);
    case GVC_MSG_DONE:
        return !encoder && message->size == 0 && (context->unanswered > 0 || context->flushing > 0);
    case GVC_MSG_FAILURE:
        return message->size <= GVC_MAX_SENTENCE && message->code < 0;
    case GVC_MSG_FLUSH:
        return message->size == 0 && context->flushing > 0;
    case GVC_MSG_HELLO:
    case GVC_MSG_END:
        return message->size == 0;
    default:
        return false;
    }
}

/**
 * Return whether a reply goes into the queue: it is for the caller, or it changes slots, which must happen in the order
 * of the replies.
 */
static bool is_for_queue(const gvc_reply *reply) {
    bool changes_slots = reply->message.type == GVC_MSG_PICTURE || reply->message.type == GVC_MSG_FORMAT;
    return !reply->stale || changes_slots;
}

/** Return whether the engine ends after this message. */
static bool is_final(const gvc_context *context, const gvc_message *message) {
    return message->type == GVC_MSG_FAILURE &&
           (context->role == GVC_ENCODER || !context->ready || message->code == GVC_ERROR_ENGINE);
}

/** Return whether a message settles a packet: with its picture, its error, or the news that it has neither. */
static bool answers_packet(const gvc_context *context, const gvc_message *message) {
    if (message->type == GVC_MSG_FAILURE)
        return !is_final(context, message) && !(message->flags & GVC_MESSAGE_CONCEALED);
    return message->type == GVC_MSG_PICTURE || (message->type == GVC_MSG_DONE && message->flags & GVC_MESSAGE_NOTHING);
}

/** Queue a reply. FORMAT keeps its own descriptor of the memory, because its engine may be gone when it is applied. */
static int queue(gvc_context *context, gvc_reply *reply) {
    if (!is_for_queue(reply)) {
        gvc_reply_free(reply);
        return GVC_OK;
    }
    gvc_reply_append(context, reply);
    if (reply->message.type != GVC_MSG_FORMAT)
        return GVC_OK;
    reply->memory = gvc_move_up(dup(context->memory));
    return reply->memory >= 0 ? GVC_OK
                              : gvc_break(context, GVC_ERROR_MEMORY,
                                          "the descriptor of the shared memory cannot be copied: %s", strerror(errno));
}

/**
 * Apply a reply to the session, or queue it for the caller. This function never sends, because it may run in the middle
 * of sending another message.
 */
static int dispatch(gvc_context *context, gvc_reply *reply) {
    const gvc_message *message = &reply->message;
    reply->stale = context->flushing > 0;
    if (answers_packet(context, message) && !reply->stale && context->coming) {
        context->coming--;
        context->answered++;
    }
    switch (message->type) {
    case GVC_MSG_RELEASE:
        context->busy[message->slot] = false;
        break;
    case GVC_MSG_DONE:
        context->unanswered -= !reply->stale;
        break;
    case GVC_MSG_FLUSH:
        context->flushing--;
        break;
    case GVC_MSG_FAILURE:
        if (is_final(context, message)) {
            gvc_break(context, message->code, "%.*s", (int)message->size, (const char *)reply->payload);
            break;
        } /* fall through */
    default:
        return queue(context, reply);
    }
    gvc_reply_free(reply);
    return context->failure;
}

int gvc_wire_receive(gvc_context *context, int timeout) {
    if (context->failure)
        return context->failure;
    if (!wait_for(context, POLLIN, timeout))
        return context->failure ? context->failure : GVC_AGAIN;
    gvc_message message;
    if (!receive_exactly(context, &message, sizeof message))
        return gvc_engine_lost(context);
    if (!is_valid(context, &message))
        return gvc_unexpected(context, &message);
    gvc_reply *reply = malloc(sizeof *reply + message.size);
    if (!reply)
        return gvc_break(context, GVC_ERROR_MEMORY, "no memory for a reply of %u bytes", message.size);
    *reply = (gvc_reply){.message = message, .memory = -1};
    if (!receive_exactly(context, reply->payload, message.size)) {
        gvc_reply_free(reply);
        return gvc_engine_lost(context);
    }
    return dispatch(context, reply);
}
