/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** The encoder's callbacks. */
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** FFmpeg's own options with their counterparts in GVC. */
static const struct {
    const char *ffmpeg, *gvc; ///< names
    int64_t least;            ///< smallest value that means "set" in FFmpeg
    int64_t lowest;           ///< smallest value that GVC takes; smaller ones are raised to it
} standard_options[] = {
    {"b", "bitrate", 1, 1},
    {"maxrate", "maxrate", 1, 1},
    {"bufsize", "bufsize", 1, 1},
    {"g", "keyint", 0 /* intra */, 1},
    {"keyint_min", "keyint_min", 0, 1},
    {"threads", "threads", 1, 1},
};

/** Write the standard options that the user has set as `name=value:name=value`. */
static void standard_options_text(const struct host *host, AVCodecContext *avctx, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof standard_options / sizeof *standard_options; i++) {
        int64_t value, lowest = standard_options[i].lowest;
        if (host->call.av_opt_get_int(avctx, standard_options[i].ffmpeg, 0, &value) < 0 ||
            value < standard_options[i].least || used >= size)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s=%lld", used ? ":" : "", standard_options[i].gvc,
                                 (long long)(value < lowest ? lowest : value));
    }
}

static gvc_params encoder_params(const struct host *host, AVCodecContext *avctx) {
    const struct layout *l = host->layout;
    struct rational time_base = FIELD(struct rational, avctx, l->avctx_time_base);
    struct rational frame_rate = FIELD(struct rational, avctx, l->avctx_framerate);
    struct rational sar = FIELD(struct rational, avctx, l->avctx_sample_aspect_ratio);
    int pixel_format = FIELD(int, avctx, l->avctx_pix_fmt), range = FIELD(int, avctx, l->avctx_color_range);
    return (gvc_params){
        .struct_size = sizeof(gvc_params),
        .width = FIELD(int, avctx, l->avctx_width),
        .height = FIELD(int, avctx, l->avctx_height),
        .time_base_num = time_base.num,
        .time_base_den = time_base.den,
        .frame_rate_num = frame_rate.num,
        .frame_rate_den = frame_rate.den,
        .sar_num = sar.num,
        .sar_den = sar.den,
        .color_range = is_full_range(host, pixel_format) ? AVCOL_RANGE_JPEG : range,
        .color_primaries = FIELD(int, avctx, l->avctx_color_primaries),
        .color_trc = FIELD(int, avctx, l->avctx_color_trc),
        .colorspace = FIELD(int, avctx, l->avctx_colorspace),
        .chroma_location = FIELD(int, avctx, l->avctx_chroma_location),
        .sample_format = sample_format_of(host, pixel_format),
    };
}

/** Copy the sequence header to the context. It must be there before the muxer writes the file's header. */
static int set_extradata(const struct host *host, AVCodecContext *avctx) {
    const uint8_t *data;
    size_t size;
    int result = gvc_encoder_extradata(codec_state(host, avctx)->gvc, &data, &size);
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    uint8_t *copy = host->call.av_mallocz(size + (size_t)host->layout->input_padding);
    if (!copy)
        return AVERROR(ENOMEM);
    memcpy(copy, data, size);
    FIELD(uint8_t *, avctx, host->layout->avctx_extradata) = copy;
    FIELD(int, avctx, host->layout->avctx_extradata_size) = (int)size;
    return 0;
}

int encoder_init(AVCodecContext *avctx) {
    const struct host *host = host_of(avctx);
    if (!host)
        return AVERROR_BUG;
    struct codec_state *state = codec_state(host, avctx);
    gvc_params params = encoder_params(host, avctx);
    char standard[200];
    standard_options_text(host, avctx, standard, sizeof(standard));
    char *options = options_text(state, ENCODER, standard);
    if (!options)
        return AVERROR(ENOMEM);
    params.options = options;
    int result = gvc_encoder_open(&state->gvc, &params);
    free(options);
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    if (!FIELD(uint32_t, avctx, host->layout->avctx_codec_tag))
        FIELD(uint32_t, avctx, host->layout->avctx_codec_tag) = FOURCC('G', 'V', 'C', '1');
    FIELD(int, avctx, host->layout->avctx_has_b_frames) = 0;
    return set_extradata(host, avctx);
}

static int send_frame(const struct host *host, AVCodecContext *avctx, const AVFrame *frame) {
    const struct layout *l = host->layout;
    if (FIELD(const int, frame, l->frame_width) != FIELD(int, avctx, l->avctx_width) ||
        FIELD(const int, frame, l->frame_height) != FIELD(int, avctx, l->avctx_height) ||
        FIELD(const int, frame, l->frame_format) != FIELD(int, avctx, l->avctx_pix_fmt)) {
        host->call.av_log(avctx, AV_LOG_ERROR, "frame size or format changed; scale all frames to the first one's\n");
        return AVERROR(EINVAL);
    }
    gvc_picture picture = {
        .pts = FIELD(const int64_t, frame, l->frame_pts),
        .duration = l->frame_duration_valid ? FIELD(const int64_t, frame, l->frame_duration) : 0,
        .key = FIELD(const int, frame, l->frame_pict_type) == l->picture_type_i,
    };
    for (int i = 0; i < 3; i++) {
        picture.data[i] = (&FIELD(uint8_t *const, frame, l->frame_data))[i];
        picture.stride[i] = (&FIELD(const int, frame, l->frame_linesize))[i];
    }
    int result = gvc_encoder_send(codec_state(host, avctx)->gvc, &picture);
    return result == GVC_OK ? 0 : codec_error(host, avctx, result);
}

/** Output the next packet, if there is one. */
static int receive_packet(const struct host *host, AVCodecContext *avctx, AVPacket *packet, int *got_packet) {
    const struct layout *l = host->layout;
    gvc_packet coded = {0};
    int result = gvc_encoder_receive(codec_state(host, avctx)->gvc, &coded);
    if (result == GVC_AGAIN || result == GVC_EOF)
        return 0;
    if (result != GVC_OK)
        return codec_error(host, avctx, result);
    if (coded.size > INT32_MAX)
        return AVERROR(ENOMEM);
    int error = host->call.av_new_packet(packet, (int)coded.size);
    if (error < 0)
        return error;
    memcpy(FIELD(uint8_t *, packet, l->packet_data), coded.data, coded.size);
    FIELD(int64_t, packet, l->packet_pts) = FIELD(int64_t, packet, l->packet_dts) = coded.pts;
    if (l->frame_duration_valid) // otherwise libavcodec computes the duration, and warns of any other
        FIELD(int64_t, packet, l->packet_duration) = coded.duration;
    if (coded.flags & GVC_PACKET_KEY)
        FIELD(int, packet, l->packet_flags) |= l->packet_flag_key;
    *got_packet = 1;
    return 0;
}

int encoder_encode(AVCodecContext *avctx, AVPacket *packet, const AVFrame *frame, int *got_packet) {
    const struct host *host = host_of(avctx);
    if (!host)
        return AVERROR_BUG;
    struct codec_state *state = codec_state(host, avctx);
    int error = 0;
    if (frame) {
        error = send_frame(host, avctx, frame);
    } else if (!state->draining) {
        state->draining = true;
        int result = gvc_encoder_send(state->gvc, NULL);
        error = result == GVC_OK ? 0 : codec_error(host, avctx, result);
    }
    return error < 0 ? error : receive_packet(host, avctx, packet, got_packet);
}
