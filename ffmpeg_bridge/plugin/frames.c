/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A queue with the properties of packets whose frames have not come yet. libavcodec itself remembers only the newest
 * packet's properties. Packets before the first keyframe, damaged packets and discarded packets have no frame.
 */
#include "codec.h"

#include <stdlib.h>

struct coming_frame {
    struct coming_frame *next;
    AVPacket *packet;         ///< properties of the packet, without its data
    AVFrame *frame;           ///< frame with buffers, NULL if they were not requested yet
    int64_t reordered_opaque; ///< FFmpeg 5 and 6: the caller's reordered_opaque when the packet was sent
};

static void free_first(const struct host *host, struct frame_queue *queue) {
    struct coming_frame *first = queue->first;
    queue->first = first->next;
    host->call.av_frame_free(&first->frame);
    host->call.av_packet_free(&first->packet);
    free(first);
}

static void describe_frame(const struct host *host, AVCodecContext *avctx, AVFrame *frame, const gvc_picture *picture) {
    const struct layout *l = host->layout;
    FIELD(int64_t, frame, l->frame_pts) = FIELD(int64_t, frame, l->frame_pkt_dts) = picture->pts;
    FIELD(int64_t, frame, l->frame_duration) = picture->duration;
    FIELD(int, frame, l->frame_pict_type) = picture->key ? l->picture_type_i : l->picture_type_p;
    if (l->frame_key_frame >= 0)
        FIELD(int, frame, l->frame_key_frame) = picture->key != 0;
    else
        FIELD(int, frame, l->frame_flags) = picture->key ? l->frame_flag_key : 0;
    FIELD(struct rational, frame, l->frame_sample_aspect_ratio) =
        FIELD(struct rational, avctx, l->avctx_sample_aspect_ratio);
    FIELD(int, frame, l->frame_color_range) = FIELD(int, avctx, l->avctx_color_range);
    FIELD(int, frame, l->frame_color_primaries) = FIELD(int, avctx, l->avctx_color_primaries);
    FIELD(int, frame, l->frame_color_trc) = FIELD(int, avctx, l->avctx_color_trc);
    FIELD(int, frame, l->frame_colorspace) = FIELD(int, avctx, l->avctx_colorspace);
    FIELD(int, frame, l->frame_chroma_location) = FIELD(int, avctx, l->avctx_chroma_location);
}

/** Copy the properties of a packet to its frame. */
static int copy_props(const struct host *host, const AVCodecContext *avctx, const struct coming_frame *coming,
                      AVFrame *frame) {
    const struct layout *l = host->layout;
    if (l->frame_pkt_pos >= 0) {
        FIELD(int64_t, frame, l->frame_pkt_pos) = FIELD(int64_t, coming->packet, l->packet_pos);
        FIELD(int, frame, l->frame_pkt_size) = FIELD(int, coming->packet, l->packet_size);
    }
    if (l->frame_reordered_opaque >= 0)
        FIELD(int64_t, frame, l->frame_reordered_opaque) = coming->reordered_opaque;
    if (FIELD(const int, avctx, l->avctx_flags) & l->flag_copy_opaque) {
        FIELD(void *, frame, l->frame_opaque) = FIELD(void *, coming->packet, l->packet_opaque);
        int error = host->call.av_buffer_replace(&FIELD(void *, frame, l->frame_opaque_ref),
                                                 FIELD(void *, coming->packet, l->packet_opaque_ref));
        if (error < 0)
            return error;
    }
    return add_packet_side_data(host, coming->packet, frame);
}

/**
 * Set a frame's properties, then request its buffers. The order is that of ff_get_buffer, because get_buffer2 may use
 * the properties. `coming` is NULL if the packet is unknown.
 */
static int make_frame(const struct host *host, AVCodecContext *avctx, const struct coming_frame *coming,
                      const gvc_picture *picture, AVFrame *frame) {
    describe_frame(host, avctx, frame, picture);
    int error = add_track_side_data(host, avctx, frame);
    if (error >= 0 && coming)
        error = copy_props(host, avctx, coming, frame);
    return error < 0 ? error : get_buffer(host, avctx, frame);
}

/**
 * Request a frame's buffers when its packet is sent. Decoders with frame threads do so, and programs with their own
 * get_buffer2 rely on it: GStreamer drops a packet for which no buffer was requested.
 */
static void make_early(const struct host *host, AVCodecContext *avctx, struct coming_frame *coming,
                       const gvc_packet *coded) {
    const struct layout *l = host->layout;
    if (FIELD(get_buffer2_function *, avctx, l->avctx_get_buffer2) == host->call.avcodec_default_get_buffer2 ||
        FIELD(int, avctx, l->avctx_width) <= 0)
        return;
    const gvc_picture picture = {.pts = coded->pts, .duration = coded->duration, .key = coded->flags & GVC_PACKET_KEY};
    coming->frame = host->call.av_frame_alloc();
    if (coming->frame && make_frame(host, avctx, coming, &picture, coming->frame) < 0)
        host->call.av_frame_free(&coming->frame); // take_frame tries again when the picture comes
}

int expect_frame(const struct host *host, AVCodecContext *avctx, const AVPacket *packet, const gvc_packet *coded) {
    const struct layout *l = host->layout;
    struct frame_queue *queue = &codec_state(host, avctx)->coming;
    struct coming_frame *coming = calloc(1, sizeof(*coming));
    AVPacket *copy = coming ? host->call.av_packet_alloc() : NULL;
    if (!copy || host->call.av_packet_copy_props(copy, packet) < 0) {
        host->call.av_packet_free(&copy);
        free(coming);
        return AVERROR(ENOMEM);
    }
    FIELD(int64_t, copy, l->packet_pts) = coded->pts;
    FIELD(int, copy, l->packet_size) = FIELD(const int, packet, l->packet_size);
    coming->packet = copy;
    if (l->avctx_reordered_opaque >= 0)
        coming->reordered_opaque = FIELD(int64_t, avctx, l->avctx_reordered_opaque);
    make_early(host, avctx, coming, coded);
    *(queue->first ? &queue->last->next : &queue->first) = coming;
    queue->last = coming;
    return 0;
}

/** Return whether a frame that was made early has the stream's current size and format. */
static bool fits(const struct host *host, AVCodecContext *avctx, AVFrame *frame) {
    const struct layout *l = host->layout;
    return FIELD(int, frame, l->frame_width) == FIELD(int, avctx, l->avctx_width) &&
           FIELD(int, frame, l->frame_height) == FIELD(int, avctx, l->avctx_height) &&
           FIELD(int, frame, l->frame_format) == FIELD(int, avctx, l->avctx_pix_fmt);
}

int take_frame(const struct host *host, AVCodecContext *avctx, const gvc_picture *picture, AVFrame *frame) {
    struct frame_queue *queue = &codec_state(host, avctx)->coming;
    while (queue->first && FIELD(int64_t, queue->first->packet, host->layout->packet_pts) != picture->pts)
        free_first(host, queue);
    struct coming_frame *coming = queue->first;
    int error = 0;
    if (coming && coming->frame && fits(host, avctx, coming->frame)) {
        host->call.av_frame_move_ref(frame, coming->frame);
        describe_frame(host, avctx, frame, picture);
    } else {
        error = make_frame(host, avctx, coming, picture, frame);
    }
    if (coming)
        free_first(host, queue);
    return error;
}

void forget_frames(const struct host *host, AVCodecContext *avctx) {
    struct frame_queue *queue = &codec_state(host, avctx)->coming;
    while (queue->first)
        free_first(host, queue);
}
