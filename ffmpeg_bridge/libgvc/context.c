/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions for encoders and decoders alike: making a context, checking its use, flushing, closing. */
#include "context.h"

#include <stdlib.h>
#include <string.h>

const char *gvc_version(void) {
    return GVC_VERSION;
}

int gvc_api_version(void) {
    return GVC_API_VERSION;
}

int gvc_check_role(gvc_context *context, enum gvc_role role) {
    static const char *const names[] = {[GVC_ENCODER] = "an encoder", [GVC_DECODER] = "a decoder"};
    if (!context)
        return GVC_ERROR;
    if (context->role != role)
        return gvc_fail(context, GVC_ERROR, "this call is for %s and the context is %s", names[role],
                        names[context->role]);
    gvc_session_disown(context);
    return GVC_OK;
}

static void set_ratio(int32_t *num, int32_t *den, int given_num, int given_den, int default_num, int default_den) {
    bool valid = given_num > 0 && given_den > 0;
    *num = valid ? given_num : default_num;
    *den = valid ? given_den : default_den;
}

/** Return the format in the engine's terms; colour fields that are not set become "unspecified". */
static gvc_format format_of(const gvc_params *params) {
    /* Code points of H.273. In colour fields 0 is reserved, or stands for RGB, so it cannot mean "unspecified". */
    enum { IDENTITY = 0, UNSPECIFIED = 2 };
    int samples = params->sample_format ? params->sample_format : GVC_SAMPLES_YUV420P;
    if (samples == GVC_SAMPLES_RGB24)
        samples = GVC_SAMPLES_GBRP;
    bool rgb = samples == GVC_SAMPLES_GBRP || samples == GVC_SAMPLES_GBRP10;
    gvc_format format = {
        .sample_format = samples,
        .width = params->width,
        .height = params->height,
        .color_range = params->color_range,
        .color_primaries = params->color_primaries ? params->color_primaries : UNSPECIFIED,
        .color_trc = params->color_trc ? params->color_trc : UNSPECIFIED,
        .colorspace = rgb                  ? IDENTITY
                      : params->colorspace ? params->colorspace
                                           : UNSPECIFIED,
        .chroma_location = params->chroma_location,
    };
    set_ratio(&format.time_base_num, &format.time_base_den, params->time_base_num, params->time_base_den, 1, 25);
    set_ratio(&format.frame_rate_num, &format.frame_rate_den, params->frame_rate_num, params->frame_rate_den, 0, 1);
    set_ratio(&format.sar_num, &format.sar_den, params->sar_num, params->sar_den, 0, 1);
    return format;
}

/** Copy as many members of `params` as its struct_size covers; the caller may know an older version of the struct. */
static int read_params(gvc_context *context, const gvc_params *given) {
    gvc_params params = {0};
    if (!given || given->struct_size < offsetof(gvc_params, time_base_num))
        return gvc_break(context, GVC_ERROR, "gvc_params.struct_size is not set; it must be sizeof(gvc_params)");
    memcpy(&params, given, given->struct_size < sizeof params ? given->struct_size : sizeof params);
    context->format = format_of(&params);
    context->packed = params.sample_format == GVC_SAMPLES_RGB24;
    const char *options = params.options ? params.options : "";
    if (strlen(options) > GVC_MAX_OPTIONS)
        return gvc_break(context, GVC_ERROR_OPTION, "the options have %zu characters; at most %d are taken",
                         strlen(options), GVC_MAX_OPTIONS);
    context->options = strdup(options);
    if (!context->options)
        return gvc_break(context, GVC_ERROR_MEMORY, "no memory for the options");
    if (context->role == GVC_ENCODER || !params.extradata || !params.extradata_size)
        return GVC_OK;
    if (params.extradata_size > GVC_MAX_HEADER)
        return gvc_break(context, GVC_ERROR_BITSTREAM, "the extradata has %zu bytes; a sequence header has at most %d",
                         params.extradata_size, GVC_MAX_HEADER);
    context->extradata = malloc(params.extradata_size);
    if (!context->extradata)
        return gvc_break(context, GVC_ERROR_MEMORY, "no memory for the extradata");
    memcpy(context->extradata, params.extradata, params.extradata_size);
    context->extradata_size = params.extradata_size;
    return GVC_OK;
}

int gvc_context_new(gvc_context **context, const gvc_params *params, enum gvc_role role) {
    *context = calloc(1, sizeof **context);
    if (!*context)
        return GVC_ERROR_MEMORY;
    (*context)->role = role;
    (*context)->socket = (*context)->memory = -1;
    return read_params(*context, params);
}

/** Discard the queued replies, and give the slots of their pictures back to the engine. */
static void forget_replies(gvc_context *context) {
    for (gvc_reply *reply; (reply = gvc_reply_take(context)); gvc_reply_free(reply)) {
        if (reply->message.type == GVC_MSG_FORMAT)
            gvc_slots_reformat(context, reply);
        else if (reply->message.type == GVC_MSG_PICTURE && !reply->orphan)
            gvc_wire_release(context, reply->message.slot);
    }
}

int gvc_flush(gvc_context *context) {
    if (!context)
        return GVC_ERROR;
    gvc_session_disown(context);
    if (context->failure && !gvc_session_renewable(context))
        return context->failure; /* packets that were made before the failure stay queued for the caller */
    context->ending = context->ended = false;
    context->unanswered = context->coming = context->lost = 0;
    if (context->ready && !context->failure)
        gvc_wire_flush(context);
    forget_replies(context);
    return gvc_session_renewable(context) ? GVC_OK : context->failure;
}

void gvc_close(gvc_context **context) {
    if (!context || !*context)
        return;
    gvc_session_disown(*context);
    gvc_session_stop(*context);
    gvc_slots_unmap(*context);
    gvc_drop_queue(*context);
    gvc_reply_free((*context)->given);
    free((*context)->options);
    free((*context)->extradata);
    free(*context);
    *context = NULL;
}
