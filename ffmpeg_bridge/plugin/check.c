/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** Checks, before anything is written, that the structs of the library in memory have the layout of its version. */
#include "host.h"

#include <string.h>

static bool is_rational(const void *object, int offset, int num, int den) {
    struct rational value = FIELD(struct rational, object, offset);
    return value.num == num && value.den == den;
}

/**
 * Return whether an option of AVCodecContext has this type and offset (-1 = not checked). This checks the layouts of
 * AVOption and of AVCodecContext at once.
 */
static bool option_is(const struct host *host, AVCodecContext *avctx, const char *name, int type, int offset) {
    const struct layout *l = host->layout;
    const void *option = host->call.av_opt_find(avctx, name, NULL, 0, 0);
    return option && !strcmp(FIELD(const char *const, option, l->option_name), name) &&
           (type < 0 || FIELD(const int, option, l->option_type) == type) &&
           (offset < 0 || FIELD(const int, option, l->option_offset) == offset);
}

static bool options_fit(const struct host *host, AVCodecContext *avctx) {
    const struct layout *l = host->layout;
    const char *first = host->call.av_opt_next(avctx, NULL);
    const char *second = first ? host->call.av_opt_next(avctx, first) : NULL;
    return second && second - first == l->option_size &&
           option_is(host, avctx, "b", l->type_int64, l->avctx_bit_rate) &&
           option_is(host, avctx, "g", -1, l->avctx_gop_size) && option_is(host, avctx, "flags", -1, l->avctx_flags) &&
           option_is(host, avctx, "max_pixels", l->type_int64, l->avctx_max_pixels) &&
           option_is(host, avctx, "time_base", -1, l->avctx_time_base) &&
           option_is(host, avctx, "dump_separator", l->type_string, -1) &&
           option_is(host, avctx, "color_range", -1, l->avctx_color_range) &&
           option_is(host, avctx, "color_primaries", -1, l->avctx_color_primaries) &&
           option_is(host, avctx, "color_trc", -1, l->avctx_color_trc) &&
           option_is(host, avctx, "colorspace", -1, l->avctx_colorspace) &&
           option_is(host, avctx, "chroma_sample_location", -1, l->avctx_chroma_location);
}

static bool context_fits(const struct host *host, AVCodecContext *avctx) {
    const struct layout *l = host->layout;
    return *(const void **)avctx == host->context_class && options_fit(host, avctx) &&
           FIELD(int, avctx, l->avctx_gop_size) == l->default_gop_size && FIELD(int, avctx, l->avctx_pix_fmt) == -1 &&
           FIELD(int, avctx, l->avctx_sw_pix_fmt) == -1 &&
           FIELD(get_buffer2_function *, avctx, l->avctx_get_buffer2) == host->call.avcodec_default_get_buffer2 &&
           (l->avctx_reordered_opaque < 0 || FIELD(int64_t, avctx, l->avctx_reordered_opaque) == AV_NOPTS_VALUE) &&
           FIELD(void *, avctx, l->avctx_priv_data) == NULL && FIELD(void *, avctx, l->avctx_extradata) == NULL &&
           FIELD(int, avctx, l->avctx_extradata_size) == 0 && FIELD(int, avctx, l->avctx_width) == 0 &&
           FIELD(int, avctx, l->avctx_height) == 0 && FIELD(int, avctx, l->avctx_codec_tag) == 0 &&
           is_rational(avctx, l->avctx_time_base, 0, 1) && is_rational(avctx, l->avctx_framerate, 0, 1) &&
           is_rational(avctx, l->avctx_sample_aspect_ratio, 0, 1);
}

static bool frame_fits(const struct host *host, AVFrame *frame) {
    const struct layout *l = host->layout;
    return FIELD(int64_t, frame, l->frame_pts) == AV_NOPTS_VALUE &&
           FIELD(int64_t, frame, l->frame_pkt_dts) == AV_NOPTS_VALUE && FIELD(int, frame, l->frame_format) == -1 &&
           is_rational(frame, l->frame_sample_aspect_ratio, 0, 1) &&
           (l->frame_key_frame < 0 || FIELD(int, frame, l->frame_key_frame) == 1) &&
           FIELD(int, frame, l->frame_flags) == 0 && FIELD(int64_t, frame, l->frame_duration) == 0 &&
           FIELD(int, frame, l->frame_color_range) == 0 && FIELD(int, frame, l->frame_color_primaries) == 2 &&
           FIELD(int, frame, l->frame_color_trc) == 2 && FIELD(int, frame, l->frame_colorspace) == 2 &&
           FIELD(int, frame, l->frame_chroma_location) == 0 &&
           (l->frame_pkt_pos < 0 ||
            (FIELD(int64_t, frame, l->frame_pkt_pos) == -1 && FIELD(int, frame, l->frame_pkt_size) == -1)) &&
           FIELD(void *, frame, l->frame_buf) == NULL && FIELD(void *, frame, l->frame_opaque) == NULL &&
           FIELD(void *, frame, l->frame_opaque_ref) == NULL && FIELD(void *, frame, l->frame_private_ref) == NULL &&
           FIELD(void *, frame, l->frame_metadata) == NULL;
}

static bool packet_fits(const struct host *host, AVPacket *packet) {
    const struct layout *l = host->layout;
    if (host->call.av_new_packet(packet, 77) < 0)
        return false;
    const void *tags = host->call.av_packet_new_side_data(packet, l->packet_strings_metadata, 33);
    const char *entry = FIELD(const char *, packet, l->packet_side_data);
    return tags && entry && FIELD(int, packet, l->packet_side_data_count) == 1 &&
           FIELD(const void *const, entry, l->packet_side_data_data) == tags &&
           FIELD(const size_t, entry, l->packet_side_data_size) == 33 &&
           FIELD(const int, entry, l->packet_side_data_type) == l->packet_strings_metadata &&
           FIELD(int64_t, packet, l->packet_pos) == -1 && FIELD(void *, packet, l->packet_opaque) == NULL &&
           FIELD(void *, packet, l->packet_opaque_ref) == NULL && FIELD(int, packet, l->packet_size) == 77 &&
           FIELD(void *, packet, l->packet_data) != NULL && FIELD(int64_t, packet, l->packet_pts) == AV_NOPTS_VALUE &&
           FIELD(int64_t, packet, l->packet_dts) == AV_NOPTS_VALUE && FIELD(int, packet, l->packet_flags) == 0 &&
           FIELD(int64_t, packet, l->packet_duration) == 0;
}

const char *host_check_layout(const struct host *host) {
    AVCodecContext *avctx = host->call.avcodec_alloc_context3(NULL);
    AVFrame *frame = host->call.av_frame_alloc();
    AVPacket *packet = host->call.av_packet_alloc();
    const char *reason = NULL;
    if (!avctx || !frame || !packet)
        reason = "out of memory";
    else if (host->layout->decode_data_is_refstruct && !host->call.av_refstruct_alloc_ext_c)
        reason = "it has no function av_refstruct_alloc_ext_c";
    else if (!context_fits(host, avctx))
        reason = "its AVCodecContext does not have the layout of this version";
    else if (!frame_fits(host, frame))
        reason = "its AVFrame does not have the layout of this version";
    else if (!packet_fits(host, packet))
        reason = "its AVPacket does not have the layout of this version";
    host->call.avcodec_free_context(&avctx);
    host->call.av_frame_free(&frame);
    host->call.av_packet_free(&packet);
    return reason;
}
