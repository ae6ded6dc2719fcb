/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of gvc.h for decoders. */
#include "context.h"

#include <stdlib.h>
#include <string.h>

enum {
    PEEK_TIMEOUT = 100, ///< ms that gvc_decoder_peek waits for a picture before it returns GVC_AGAIN
    GOP_DELAY = 129     ///< value of frame_delay that means whole GOPs of any length
};

int gvc_decoder_open(gvc_context **context, const gvc_params *params) {
    int result = gvc_context_new(context, params, GVC_DECODER);
    if (!result && (*context)->extradata)
        result = gvc_header_read(*context);
    if (result)
        (*context)->failure = result;
    return result;
}

int gvc_frame_delay(int frame_threads, int threads) {
    const char *wanted = getenv("GVC_FRAME_DELAY");
    if (!frame_threads)
        return 0;
    long delay = wanted && *wanted ? strtol(wanted, NULL, 10) : threads > 0 ? threads - 1 : GOP_DELAY;
    return delay < 0 || delay > GOP_DELAY ? GOP_DELAY : (int)delay;
}

int gvc_decoder_format(gvc_context *context, gvc_params *params) {
    int result = gvc_check_role(context, GVC_DECODER);
    if (result)
        return result;
    const gvc_format *format = &context->format;
    if (!format->width || !format->height)
        return GVC_AGAIN;
    if (params->struct_size < offsetof(gvc_params, time_base_num))
        return gvc_fail(context, GVC_ERROR, "gvc_params.struct_size is not set; it must be sizeof(gvc_params)");
    gvc_params known = {
        .struct_size = params->struct_size,
        .width = format->width,
        .height = format->height,
        .time_base_num = format->time_base_num,
        .time_base_den = format->time_base_den,
        .frame_rate_num = format->frame_rate_num,
        .frame_rate_den = format->frame_rate_den,
        .sar_num = format->sar_num,
        .sar_den = format->sar_den,
        .color_range = format->color_range,
        .color_primaries = format->color_primaries,
        .color_trc = format->color_trc,
        .colorspace = format->colorspace,
        .chroma_location = format->chroma_location,
    };
    /* Pointers, and memory beyond the struct that the caller knows, are left unchanged. */
    size_t size = offsetof(gvc_params, options);
    memcpy(params, &known, params->struct_size < size ? params->struct_size : size);
    if (params->struct_size >= offsetof(gvc_params, sample_format) + sizeof params->sample_format)
        params->sample_format = format->sample_format;
    return GVC_OK;
}

/** Note that the engine has failed: pictures that were received stay, those of all other packets are lost. */
static void note_loss(gvc_context *context) {
    for (gvc_reply *reply = context->first; reply; reply = reply->next)
        reply->orphan = true;
    context->lost += context->coming;
    context->coming = 0;
}

static int send_end(gvc_context *context) {
    bool engine_works = context->ready && !context->failure;
    context->ending = true;
    context->ended = !engine_works;
    if (engine_works)
        gvc_wire_send(context, (gvc_message){.type = GVC_MSG_END}, NULL, 0); /* gvc_decoder_peek reports failures */
    return GVC_OK;
}

/** Make sure that there is an engine: start the first one, or replace a failed one if the packet is a keyframe. */
static int ensure_engine(gvc_context *context, const gvc_packet *packet) {
    if (!context->failure)
        return context->ready ? GVC_OK : gvc_session_start(context);
    if (!(packet->flags & GVC_PACKET_KEY) || !gvc_session_renewable(context))
        return context->failure;
    note_loss(context);
    return gvc_session_renew(context);
}

static int send_packet(gvc_context *context, const gvc_packet *packet) {
    gvc_message message = {.type = GVC_MSG_PACKET,
                           .flags = (packet->flags & GVC_PACKET_KEY ? GVC_MESSAGE_KEY : 0) |
                                    (packet->flags & GVC_PACKET_DISCARD ? GVC_MESSAGE_DISCARD : 0) |
                                    (packet->flags & GVC_PACKET_ALONE ? GVC_MESSAGE_ALONE : 0),
                           .pts = packet->pts,
                           .duration = packet->duration};
    int result = ensure_engine(context, packet);
    if (result)
        return result;
    context->unanswered++;
    context->coming++;
    result = gvc_wire_send(context, message, &(struct iovec){(void *)(uintptr_t)packet->data, packet->size}, 1);
    context->coming -= result != GVC_OK; /* the packet has its error now, from this call */
    return result;
}

int gvc_decoder_send(gvc_context *context, const gvc_packet *packet) {
    int result = gvc_check_role(context, GVC_DECODER);
    if (result)
        return result;
    if (context->ending)
        return packet ? gvc_fail(context, GVC_EOF, "a packet came after the end; call gvc_flush first") : GVC_OK;
    if (!packet)
        return send_end(context);
    if (packet->size > GVC_MAX_PACKET || (packet->size && !packet->data))
        return gvc_fail(context, GVC_ERROR_BITSTREAM,
                        "a packet has %zu bytes or no data; at most %d bytes are possible", packet->size,
                        GVC_MAX_PACKET);
    bool had_engine = context->ready && !context->failure;
    result = send_packet(context, packet);
    if (result && had_engine) /* the engine had failed unnoticed; a keyframe can go to the next one */
        result = send_packet(context, packet);
    return result;
}

/** Return whether the first queued reply is a picture for the caller. */
static bool picture_is_next(const gvc_context *context) {
    const gvc_reply *reply = context->first;
    return reply && reply->message.type == GVC_MSG_PICTURE && !reply->stale && context->slots;
}

/** Free a PICTURE reply and release its slot. */
static void release_picture(gvc_context *context, gvc_reply *reply) {
    if (!reply->orphan)
        gvc_wire_release(context, reply->message.slot);
    gvc_reply_free(reply);
}

/** Apply a reply that is not a picture for the caller, and free it. Returns GVC_OK or an error. */
static int apply_reply(gvc_context *context, gvc_reply *reply) {
    const gvc_message *message = &reply->message;
    int result = GVC_OK;
    if (reply->stale && message->type == GVC_MSG_PICTURE) {
        release_picture(context, reply);
        return GVC_OK;
    }
    if (message->type == GVC_MSG_FORMAT)
        result = gvc_slots_reformat(context, reply);
    else if (message->type == GVC_MSG_FAILURE)
        result = gvc_fail(context, message->code, "%.*s", (int)message->size, (const char *)reply->payload);
    else if (message->type == GVC_MSG_END && context->ending)
        context->ended = true;
    else
        result = gvc_unexpected(context, message);
    gvc_reply_free(reply);
    return result;
}

/** Return whether the loss of a picture is to be reported next, which comes after the failed engine's pictures. */
static bool loss_is_next(const gvc_context *context) {
    return context->lost && !(context->first && context->first->orphan);
}

int gvc_decoder_peek(gvc_context *context) {
    int result = gvc_check_role(context, GVC_DECODER);
    while (!result) {
        if (context->failure)
            note_loss(context);
        if (loss_is_next(context)) {
            context->lost--;
            return context->failure ? context->failure : GVC_ERROR_ENGINE;
        }
        if (picture_is_next(context))
            return GVC_OK;
        if (context->first)
            result = apply_reply(context, gvc_reply_take(context));
        else if (context->ended || (context->failure && context->ending))
            result = GVC_EOF;
        else if (context->failure || (!context->unanswered && !context->ending))
            result = GVC_AGAIN;
        else if (context->ahead && !context->ending)
            result = gvc_wire_receive(context, PEEK_TIMEOUT) == GVC_AGAIN ? GVC_AGAIN : GVC_OK;
        else
            gvc_wire_receive(context, -1);
    }
    return result;
}

int gvc_decoder_describe(gvc_context *context, gvc_picture *picture) {
    int result = gvc_check_role(context, GVC_DECODER);
    if (result)
        return result;
    if (!picture_is_next(context))
        return GVC_AGAIN;
    const gvc_message *message = &context->first->message;
    picture->pts = message->pts;
    picture->duration = message->duration;
    picture->key = (message->flags & GVC_MESSAGE_KEY) != 0;
    return GVC_OK;
}

int gvc_decoder_conceals(gvc_context *context) {
    return !gvc_check_role(context, GVC_DECODER) && picture_is_next(context) &&
           context->first->message.flags & GVC_MESSAGE_CONCEALED;
}

int gvc_decoder_drop(gvc_context *context) {
    int result = gvc_check_role(context, GVC_DECODER);
    if (result)
        return result;
    if (!picture_is_next(context))
        return GVC_AGAIN;
    release_picture(context, gvc_reply_take(context)); /* the next call reports a failure of the engine */
    return GVC_OK;
}

int gvc_decoder_receive(gvc_context *context, gvc_picture *picture) {
    int result = gvc_decoder_peek(context);
    if (!result)
        result = gvc_decoder_describe(context, picture);
    if (result)
        return result;
    gvc_slot_read(context, context->first->message.slot, picture);
    return gvc_decoder_drop(context);
}
