/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The error message of a context, and marking its session as failed. */
#include "context.h"

#include <stdarg.h>
#include <stdio.h>

static int set_error(gvc_context *context, int code, const char *sentence, va_list values) {
    vsnprintf(context->sentence, sizeof context->sentence, sentence, values);
    return code;
}

int gvc_fail(gvc_context *context, int code, const char *sentence, ...) {
    va_list values;
    va_start(values, sentence);
    set_error(context, code, sentence, values);
    va_end(values);
    return code;
}

int gvc_break(gvc_context *context, int code, const char *sentence, ...) {
    va_list values;
    va_start(values, sentence);
    context->failure = set_error(context, code, sentence, values);
    va_end(values);
    return code;
}

int gvc_unexpected(gvc_context *context, const gvc_message *message) {
    return gvc_break(
        context, GVC_ERROR_ENGINE,
        "message %u (%u bytes) from the engine of %s is not valid here; install libgvc and gvc from one release",
        message->type, message->size, context->python);
}

const char *gvc_error_message(const gvc_context *context) {
    return context ? context->sentence : "there is no context; it was closed, or memory was too short to make it";
}
