/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** The decoder's callbacks. */
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>

/** Copy size, format and colour from the sequence header to the context, if one is known. */
static int update_format(const struct host *host, AVCodecContext *avctx) {
    const struct layout *l = host->layout;
    gvc_params format = {.struct_size = sizeof(format)};
    int result = gvc_decoder_format(codec_state(host, avctx)->gvc, &format);
    if (result == GVC_AGAIN)
        return 0;
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    FIELD(int, avctx, l->avctx_width) = FIELD(int, avctx, l->avctx_coded_width) = format.width;
    FIELD(int, avctx, l->avctx_height) = FIELD(int, avctx, l->avctx_coded_height) = format.height;
    FIELD(int, avctx, l->avctx_pix_fmt) = pixel_format_of(host, format.sample_format);
    FIELD(int, avctx, l->avctx_color_range) = format.color_range;
    FIELD(int, avctx, l->avctx_color_primaries) = format.color_primaries;
    FIELD(int, avctx, l->avctx_color_trc) = format.color_trc;
    FIELD(int, avctx, l->avctx_colorspace) = format.colorspace;
    FIELD(int, avctx, l->avctx_chroma_location) = format.chroma_location;
    if (format.sar_num > 0 && format.sar_den > 0)
        FIELD(struct rational, avctx, l->avctx_sample_aspect_ratio) = (struct rational){format.sar_num, format.sar_den};
    if (format.frame_rate_num > 0 && format.frame_rate_den > 0)
        FIELD(struct rational, avctx, l->avctx_framerate) =
            (struct rational){format.frame_rate_num, format.frame_rate_den};
    return 0;
}

static int64_t number_option(const struct host *host, AVCodecContext *avctx, const char *name) {
    int64_t value = 0;
    host->call.av_opt_get_int(avctx, name, 0, &value);
    return value;
}

static int frame_delay(const struct host *host, AVCodecContext *avctx) {
    bool low_delay = number_option(host, avctx, "flags") & AV_CODEC_FLAG_LOW_DELAY;
    bool frame_threads = number_option(host, avctx, "thread_type") & FF_THREAD_FRAME;
    return gvc_frame_delay(frame_threads && !low_delay, (int)number_option(host, avctx, "threads"));
}

/** Write the GVC options that follow from FFmpeg's own options as `name=value:name=value`. */
static void standard_options_text(const struct host *host, AVCodecContext *avctx, char *text, size_t size) {
    snprintf(text, size, "frame_delay=%d:threads=%lld", frame_delay(host, avctx),
             (long long)number_option(host, avctx, "threads"));
}

int decoder_init(AVCodecContext *avctx) {
    const struct host *host = host_of(avctx);
    if (!host)
        return AVERROR_BUG;
    const struct layout *l = host->layout;
    struct codec_state *state = codec_state(host, avctx);
    char standard[60];
    standard_options_text(host, avctx, standard, sizeof(standard));
    char *options = options_text(state, DECODER, standard);
    if (!options)
        return AVERROR(ENOMEM);
    gvc_params params = {
        .struct_size = sizeof(params),
        .width = FIELD(int, avctx, l->avctx_width),
        .height = FIELD(int, avctx, l->avctx_height),
        .options = options,
        .extradata = FIELD(uint8_t *, avctx, l->avctx_extradata),
        .extradata_size = (size_t)FIELD(int, avctx, l->avctx_extradata_size),
    };
    int result = gvc_decoder_open(&state->gvc, &params);
    free(options);
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    FIELD(int, avctx, l->avctx_pix_fmt) = pixel_format_of(host, GVC_SAMPLES_YUV420P);
    FIELD(int, avctx, l->avctx_has_b_frames) = 0; // pictures are coded in the order of display
    FIELD(int, avctx, l->avctx_delay) = frame_delay(host, avctx);
    return update_format(host, avctx);
}

/**
 * Return whether the caller wants the frame of a packet. Only keyframes can be decoded without other packets.
 *
 * skipped: the caller's skip_frame.
 */
static bool is_wanted(const struct host *host, const AVPacket *packet, int64_t skipped) {
    bool key = FIELD(const int, packet, host->layout->packet_flags) & host->layout->packet_flag_key;
    return skipped < (key ? AVDISCARD_ALL : AVDISCARD_NONINTRA);
}

static int send_packet(const struct host *host, AVCodecContext *avctx, AVPacket *packet) {
    const struct layout *l = host->layout;
    struct codec_state *state = codec_state(host, avctx);
    int result = GVC_OK;
    if (FIELD(int, packet, l->packet_size) > 0) {
        int64_t skipped = number_option(host, avctx, "skip_frame");
        if (!is_wanted(host, packet, skipped))
            return 0;
        int64_t pts = FIELD(int64_t, packet, l->packet_pts);
        int flags = FIELD(int, packet, l->packet_flags);
        gvc_packet coded = {
            .data = FIELD(uint8_t *, packet, l->packet_data),
            .size = (size_t)FIELD(int, packet, l->packet_size),
            .pts = pts != AV_NOPTS_VALUE ? pts : FIELD(int64_t, packet, l->packet_dts), // mpv may set only dts
            .duration = FIELD(int64_t, packet, l->packet_duration),
            .flags = (flags & l->packet_flag_key ? GVC_PACKET_KEY : 0) |
                     (flags & AV_PKT_FLAG_DISCARD ? GVC_PACKET_DISCARD : 0) |
                     (skipped >= AVDISCARD_NONINTRA ? GVC_PACKET_ALONE : 0),
        };
        result = gvc_decoder_send(state->gvc, &coded);
        if (result == GVC_OK && expect_frame(host, avctx, packet, &coded) < 0)
            return AVERROR(ENOMEM);
    } else if (!state->draining) {
        state->draining = true;
        result = gvc_decoder_send(state->gvc, NULL);
    }
    return result == GVC_OK ? 0 : codec_error(host, avctx, result);
}

/** Output the next picture, if there is one. */
static int receive_frame(const struct host *host, AVCodecContext *avctx, AVFrame *frame, int *got_frame) {
    const struct layout *l = host->layout;
    struct codec_state *state = codec_state(host, avctx);
    int error = 0, result;
    // After the error of a damaged packet its concealed picture follows. FFmpeg stops draining after some errors, so
    // all of them are skipped at the end if pictures follow.
    while ((result = gvc_decoder_peek(state->gvc)) < GVC_EOF) {
        error = codec_error(host, avctx, result);
        if (!state->draining && result != GVC_ERROR_BITSTREAM)
            return error;
    }
    if (result != GVC_OK)
        return error;
    gvc_picture picture = {0};
    gvc_decoder_describe(state->gvc, &picture);
    error = update_format(host, avctx); // a keyframe may have a new sequence header
    if (error >= 0)
        error = take_frame(host, avctx, &picture, frame);
    if (error < 0) {
        gvc_decoder_drop(state->gvc); // skip this picture, or the next packet would get it
        return error;
    }
    if (gvc_decoder_conceals(state->gvc))
        FIELD(int, frame, l->frame_flags) |= AV_FRAME_FLAG_CORRUPT;
    for (int i = 0; i < 3; i++) {
        picture.data[i] = (&FIELD(uint8_t *, frame, l->frame_data))[i];
        picture.stride[i] = (&FIELD(int, frame, l->frame_linesize))[i];
    }
    result = gvc_decoder_receive(state->gvc, &picture);
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    state->logged[0] = 0;
    *got_frame = 1;
    return 0;
}

int decoder_decode(AVCodecContext *avctx, AVFrame *frame, int *got_frame, AVPacket *packet) {
    const struct host *host = host_of(avctx);
    if (!host)
        return AVERROR_BUG;
    int size = FIELD(int, packet, host->layout->packet_size);
    int error = send_packet(host, avctx, packet);
    if (error >= 0)
        error = receive_frame(host, avctx, frame, got_frame);
    if (*got_frame && host->layout->frame_pkt_pos >= 0) // libavcodec copies the position from the packet just sent
        FIELD(int64_t, packet, host->layout->packet_pos) = FIELD(int64_t, frame, host->layout->frame_pkt_pos);
    return error < 0 ? error : size;
}

void decoder_flush(AVCodecContext *avctx) {
    const struct host *host = host_of(avctx);
    if (!host)
        return;
    struct codec_state *state = codec_state(host, avctx);
    state->draining = false;
    forget_frames(host, avctx);
    int result = gvc_flush(state->gvc);
    if (result != GVC_OK)
        codec_error(host, avctx, result);
}
