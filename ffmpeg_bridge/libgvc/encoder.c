/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of gvc.h for encoders. */
#include "context.h"

#include <stdlib.h>

/** Return GVC_OK if the sequence header can hold the format, else an error. */
static int check_format(gvc_context *context) {
    const gvc_format *format = &context->format;
    if (format->width < 1 || format->width > GVC_MAX_DIMENSION || format->height < 1 ||
        format->height > GVC_MAX_DIMENSION)
        return gvc_break(context, GVC_ERROR_MEDIA,
                         "pictures of %dx%d cannot be coded; width and height must be 1 to %d", format->width,
                         format->height, GVC_MAX_DIMENSION);
    if (format->sample_format < GVC_SAMPLES_YUV420P || format->sample_format > GVC_SAMPLES_GBRP10)
        return gvc_break(context, GVC_ERROR_MEDIA, "sample format %d is unknown; use a value of enum gvc_sample_format",
                         format->sample_format);
    const int32_t colours[] = {format->color_range, format->color_primaries, format->color_trc, format->colorspace,
                               format->chroma_location};
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (colours[i] < 0 || colours[i] > UINT8_MAX)
            return gvc_break(context, GVC_ERROR_MEDIA,
                             "colour property %d is unknown; colour properties must be 0 to %d", colours[i], UINT8_MAX);
    return GVC_OK;
}

int gvc_encoder_open(gvc_context **context, const gvc_params *params) {
    int result = gvc_context_new(context, params, GVC_ENCODER);
    if (!result)
        result = check_format(*context);
    if (!result)
        result = gvc_session_start(*context);
    return result;
}

int gvc_encoder_extradata(gvc_context *context, const uint8_t **data, size_t *size) {
    int result = gvc_check_role(context, GVC_ENCODER);
    if (result)
        return result;
    if (!context->ready)
        return context->failure;
    *data = context->extradata;
    *size = context->extradata_size;
    return GVC_OK;
}

/** Wait for a free slot. Returns its number or context->failure. */
static int free_slot(gvc_context *context) {
    for (;;) {
        for (int slot = 0; slot < GVC_SLOTS; slot++)
            if (!context->busy[slot])
                return slot;
        if (gvc_wire_receive(context, -1))
            return context->failure;
    }
}

/** Return the duration of a picture at the nominal frame rate, in ticks, rounded; 0 if the rate is unknown. */
static int64_t nominal_duration(const gvc_format *format) {
    int64_t ticks = (int64_t)format->time_base_den * format->frame_rate_den;
    int64_t pictures = (int64_t)format->time_base_num * format->frame_rate_num;
    return pictures ? (ticks + pictures / 2) / pictures : 0;
}

int gvc_encoder_send(gvc_context *context, const gvc_picture *picture) {
    int result = gvc_check_role(context, GVC_ENCODER);
    if (result)
        return result;
    if (context->failure)
        return context->failure;
    if (context->ending)
        return picture ? gvc_fail(context, GVC_EOF, "a picture came after the end; call gvc_flush first") : GVC_OK;
    if (!picture) {
        context->ending = true;
        return gvc_wire_send(context, (gvc_message){.type = GVC_MSG_END}, NULL, 0);
    }
    if (!picture->data[0] || (!context->packed && (!picture->data[1] || !picture->data[2])))
        return gvc_fail(context, GVC_ERROR_MEDIA,
                        "a picture lacks a plane; RGB24 has one, all other formats have three");
    int slot = free_slot(context);
    if (slot < 0)
        return slot;
    gvc_slot_write(context, (uint32_t)slot, picture);
    context->busy[slot] = true;
    gvc_message message = {.type = GVC_MSG_PICTURE,
                           .slot = (uint32_t)slot,
                           .flags = picture->key ? GVC_MESSAGE_KEY : 0,
                           .pts = picture->pts,
                           .duration = picture->duration > 0 ? picture->duration : nominal_duration(&context->format)};
    return gvc_wire_send(context, message, NULL, 0);
}

int gvc_encoder_receive(gvc_context *context, gvc_packet *packet) {
    int result = gvc_check_role(context, GVC_ENCODER);
    if (result)
        return result;
    gvc_reply_free(context->given);
    while (!(context->given = gvc_reply_take(context))) {
        if (context->failure)
            return context->failure;
        if (context->ended)
            return GVC_EOF;
        if (gvc_wire_receive(context, context->ending ? -1 : 0) == GVC_AGAIN)
            return GVC_AGAIN;
    }
    const gvc_message *message = &context->given->message;
    if (message->type == GVC_MSG_END && context->ending) {
        context->ended = true;
        return GVC_EOF;
    }
    if (message->type != GVC_MSG_PACKET)
        return gvc_unexpected(context, message);
    *packet = (gvc_packet){.data = context->given->payload,
                           .size = message->size,
                           .pts = message->pts,
                           .duration = message->duration,
                           .flags = message->flags & GVC_MESSAGE_KEY ? GVC_PACKET_KEY : 0};
    return GVC_OK;
}
