/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of replies from the engine that the caller has not taken yet. */
#include "context.h"

#include <stdlib.h>
#include <unistd.h>

void gvc_reply_free(gvc_reply *reply) {
    if (reply && reply->memory >= 0)
        close(reply->memory);
    free(reply);
}

void gvc_reply_append(gvc_context *context, gvc_reply *reply) {
    reply->next = NULL;
    *(context->last ? &context->last->next : &context->first) = reply;
    context->last = reply;
}

gvc_reply *gvc_reply_take(gvc_context *context) {
    gvc_reply *reply = context->first;
    if (reply) {
        context->first = reply->next;
        if (!context->first)
            context->last = NULL;
    }
    return reply;
}

void gvc_drop_queue(gvc_context *context) {
    for (gvc_reply *reply; (reply = gvc_reply_take(context));)
        gvc_reply_free(reply);
}
