/*
 * GVC decoding by libgvc
 * Copyright (c) 2026 The GVC contributors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

#include <stdio.h>
#include <string.h>

#include <gvc.h>
#include <gvc_options.h>

#include "libavutil/avstring.h"
#include "libavutil/fifo.h"
#include "libavutil/opt.h"

#include "avcodec.h"
#include "codec_internal.h"
#include "decode.h"
#include "internal.h"
#include "libgvc.h"
#include "version_major.h"

#if LIBAVCODEC_VERSION_MAJOR < 60 // libavcodec copied the properties of packets to frames itself until then
#define GVC_CAPS_PROPS 0
#define KNOWS_PACKETS 0
#define track_props(avctx, frame) 0
#define ff_decode_frame_props_from_pkt(avctx, frame, pkt) 0
#else
#define track_props ff_decode_frame_props
#define GVC_CAPS_PROPS FF_CODEC_CAP_SETS_FRAME_PROPS
#define KNOWS_PACKETS 1
#endif

/** A frame whose packet was sent and whose picture has not come yet. */
typedef struct ComingFrame {
    AVPacket *props; ///< the properties of its packet, without data
    AVFrame *frame;  ///< frame with buffers, NULL if they were not requested yet
} ComingFrame;

typedef struct LibGVCDecContext {
    const AVClass *class;
    gvc_context *gvc;
    AVPacket *pkt;
    AVFifo *coming; ///< ComingFrames in the order of their packets
    char logged[1024]; ///< last error that was logged since the last frame

    /* User options */
    struct {
        GVC_DECODER_OPTIONS(GVC_INT_FIELD, GVC_DOUBLE_FIELD, GVC_STRING_FIELD)
    } option;
    char *params;
} LibGVCDecContext;

/** Copy size, format and colour from the sequence header, if one is known. */
static int update_format(AVCodecContext *avctx)
{
    LibGVCDecContext *s = avctx->priv_data;
    gvc_params format = { .struct_size = sizeof(format) };
    int ret = gvc_decoder_format(s->gvc, &format);

    if (ret == GVC_AGAIN)
        return 0;
    if (ret != GVC_OK)
        return ff_gvc_error(avctx, s->gvc, ret);

    ret = ff_set_dimensions(avctx, format.width, format.height);
    if (ret < 0)
        return ret;
    avctx->pix_fmt                = ff_gvc_pix_fmt(format.sample_format);
    avctx->color_range            = format.color_range;
    avctx->color_primaries        = format.color_primaries;
    avctx->color_trc              = format.color_trc;
    avctx->colorspace             = format.colorspace;
    avctx->chroma_sample_location = format.chroma_location;
    if (format.sar_num > 0)
        avctx->sample_aspect_ratio = (AVRational){ format.sar_num, format.sar_den };
    if (format.frame_rate_num > 0)
        avctx->framerate = (AVRational){ format.frame_rate_num, format.frame_rate_den };
    return 0;
}

static int frame_delay(const AVCodecContext *avctx)
{
    int frame_threads = avctx->thread_type & FF_THREAD_FRAME && !(avctx->flags & AV_CODEC_FLAG_LOW_DELAY);

    return gvc_frame_delay(frame_threads, avctx->thread_count);
}

static av_cold int libgvc_decode_init(AVCodecContext *avctx)
{
    LibGVCDecContext *s = avctx->priv_data;
    char standard[60] = "";
    const gvc_params params = {
        .struct_size    = sizeof(params),
        .options        = standard,
        .width          = avctx->width,
        .height         = avctx->height,
        .extradata      = avctx->extradata,
        .extradata_size = avctx->extradata_size,
    };
    int ret;

    s->pkt    = av_packet_alloc();
    s->coming = av_fifo_alloc2(1, sizeof(ComingFrame), AV_FIFO_FLAG_AUTO_GROW);
    if (!s->pkt || !s->coming)
        return AVERROR(ENOMEM);
    snprintf(standard, sizeof(standard), "frame_delay=%d:threads=%d:", frame_delay(avctx), avctx->thread_count);
    ret = ff_gvc_open(avctx, &s->gvc, gvc_decoder_open, &params);
    if (ret < 0)
        return ret;
    avctx->pix_fmt      = AV_PIX_FMT_YUV420P;
    avctx->has_b_frames = 0; // pictures are coded in the order of display
    avctx->delay        = frame_delay(avctx);
    return update_format(avctx);
}

/** Log an error once, even if it repeats for several packets. */
static int decoder_error(AVCodecContext *avctx, int result)
{
    LibGVCDecContext *s = avctx->priv_data;
    const char *message = gvc_error_message(s->gvc);

    if (!strcmp(message, s->logged))
        return ff_gvc_averror(result);
    av_strlcpy(s->logged, message, sizeof(s->logged));
    return ff_gvc_error(avctx, s->gvc, result);
}

static void free_coming(ComingFrame *coming)
{
    av_packet_free(&coming->props);
    av_frame_free(&coming->frame);
}

/** Set a frame's properties, then request its buffers, since get_buffer2 may use the properties. */
static int make_frame(AVCodecContext *avctx, AVFrame *frame, const AVPacket *props)
{
    int ret = track_props(avctx, frame); // the track's properties come first, because the packet's override them

    if (ret >= 0 && props)
        ret = ff_decode_frame_props_from_pkt(avctx, frame, props);
    if (ret >= 0)
        ret = ff_get_buffer(avctx, frame, 0);
    return ret;
}

/**
 * Request a frame's buffers when its packet is sent, as decoders with frame
 * threads do. Programs with their own get_buffer2 may rely on that.
 */
static void make_early(AVCodecContext *avctx, ComingFrame *coming)
{
    if (!KNOWS_PACKETS || avctx->get_buffer2 == avcodec_default_get_buffer2 || avctx->width <= 0)
        return;
    coming->frame = av_frame_alloc();
    if (coming->frame && make_frame(avctx, coming->frame, coming->props) < 0)
        av_frame_free(&coming->frame); // take_frame tries again when the picture comes
}

/** Note that a packet was sent, and keep its properties for its frame. */
static int expect_frame(AVCodecContext *avctx, AVPacket *pkt, int64_t pts)
{
    LibGVCDecContext *s = avctx->priv_data;
    ComingFrame coming = { .props = av_packet_alloc() };
    int ret;

    if (!coming.props)
        return AVERROR(ENOMEM);
    av_buffer_unref(&pkt->buf);
    pkt->data = NULL;
    pkt->pts  = pts;
    av_packet_move_ref(coming.props, pkt);
    make_early(avctx, &coming);
    ret = av_fifo_write(s->coming, &coming, 1);
    if (ret < 0)
        free_coming(&coming);
    return ret;
}

/**
 * Make the frame of a picture, without its samples. Packets before the first
 * keyframe and damaged packets have no frame, so their entries are skipped.
 */
static int take_frame(AVCodecContext *avctx, AVFrame *frame, int64_t pts)
{
    LibGVCDecContext *s = avctx->priv_data;
    ComingFrame coming = { 0 };
    int ret = update_format(avctx); // a keyframe may have a new sequence header

    if (ret < 0)
        return ret;
    do {
        free_coming(&coming);
    } while (av_fifo_read(s->coming, &coming, 1) >= 0 && coming.props->pts != pts);
    if (coming.frame && coming.frame->width == avctx->width && coming.frame->height == avctx->height &&
        coming.frame->format == avctx->pix_fmt)
        av_frame_move_ref(frame, coming.frame);
    else
        ret = make_frame(avctx, frame, coming.props);
    free_coming(&coming);
    return ret;
}

static void forget_frames(LibGVCDecContext *s)
{
    ComingFrame coming;

    while (av_fifo_read(s->coming, &coming, 1) >= 0)
        free_coming(&coming);
}

/**
 * @return whether the caller wants the frame of a packet (skip_frame). Only
 *         keyframes can be decoded without other packets.
 */
static int is_wanted(const AVCodecContext *avctx, const AVPacket *pkt)
{
    return avctx->skip_frame < (pkt->flags & AV_PKT_FLAG_KEY ? AVDISCARD_ALL : AVDISCARD_NONINTRA);
}

/** Send the next packet, or the end of the stream, to libgvc. */
static int feed_decoder(AVCodecContext *avctx)
{
    LibGVCDecContext *s = avctx->priv_data;
    AVPacket *pkt = s->pkt;
    int ret = ff_decode_get_packet(avctx, pkt), memory;

    if (ret >= 0 && !is_wanted(avctx, pkt)) {
        av_packet_unref(pkt);
        return 0;
    }
    if (ret >= 0) {
        gvc_packet coded = {
            .data     = pkt->data,
            .size     = pkt->size,
            .pts      = pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts, // mpv may set only dts, which equals pts
            .duration = pkt->duration,
            .flags    = (pkt->flags & AV_PKT_FLAG_KEY     ? GVC_PACKET_KEY     : 0) |
                        (pkt->flags & AV_PKT_FLAG_DISCARD ? GVC_PACKET_DISCARD : 0) |
                        (avctx->skip_frame >= AVDISCARD_NONINTRA ? GVC_PACKET_ALONE : 0),
        };
        ret = gvc_decoder_send(s->gvc, &coded);
        if (ret == GVC_OK && (memory = expect_frame(avctx, pkt, coded.pts)) < 0)
            return memory;
        av_packet_unref(pkt);
    } else if (ret == AVERROR_EOF) {
        ret = gvc_decoder_send(s->gvc, NULL);
    } else {
        return ret;
    }
    return ret == GVC_OK ? 0 : decoder_error(avctx, ret);
}

/** Output the picture that libgvc has ready. */
static int output_frame(AVCodecContext *avctx, AVFrame *frame)
{
    LibGVCDecContext *s = avctx->priv_data;
    gvc_picture picture = { 0 };
    int ret;

    gvc_decoder_describe(s->gvc, &picture);
    ret = take_frame(avctx, frame, picture.pts);
    if (ret < 0) {
        gvc_decoder_drop(s->gvc); // skip this picture, or the next packet would get it
        av_frame_unref(frame);
        return ret;
    }
    if (gvc_decoder_conceals(s->gvc))
        frame->flags |= AV_FRAME_FLAG_CORRUPT;
    for (int i = 0; i < FF_ARRAY_ELEMS(picture.data); i++) {
        picture.data[i]   = frame->data[i];
        picture.stride[i] = frame->linesize[i];
    }
    ret = gvc_decoder_receive(s->gvc, &picture);
    if (ret != GVC_OK) {
        av_frame_unref(frame);
        return decoder_error(avctx, ret);
    }
    s->logged[0] = 0;
    frame->pts = frame->pkt_dts = picture.pts;
    frame->pict_type = picture.key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_P;
#if LIBAVCODEC_VERSION_MAJOR < 60
    frame->pkt_duration = picture.duration;
    frame->key_frame    = picture.key;
#else
    frame->duration = picture.duration;
    if (picture.key)
        frame->flags |= AV_FRAME_FLAG_KEY;
    else
        frame->flags &= ~AV_FRAME_FLAG_KEY;
#endif
    return 0;
}

/**
 * Feed a packet first, then look for a picture. libavcodec holds only one
 * packet, and an error about an earlier packet must not leave it waiting.
 */
static int libgvc_receive_frame(AVCodecContext *avctx, AVFrame *frame)
{
    LibGVCDecContext *s = avctx->priv_data;
    int fed, ret, error = 0;

    do {
        fed = feed_decoder(avctx);
        if (fed < 0 && fed != AVERROR(EAGAIN))
            return fed;
        ret = gvc_decoder_peek(s->gvc);
    } while (ret == GVC_AGAIN && fed >= 0);
    if (ret == GVC_AGAIN)
        return fed;
    while (ret == GVC_ERROR_BITSTREAM) { // the concealed picture of a damaged packet may follow
        error = decoder_error(avctx, ret);
        ret   = gvc_decoder_peek(s->gvc);
    }
    if (error && (ret == GVC_AGAIN || ret == GVC_EOF))
        return error;
    if (ret == GVC_EOF)
        return AVERROR_EOF;
    if (ret != GVC_OK)
        return decoder_error(avctx, ret);
    return output_frame(avctx, frame);
}

static void libgvc_decode_flush(AVCodecContext *avctx)
{
    LibGVCDecContext *s = avctx->priv_data;
    int ret = gvc_flush(s->gvc);

    forget_frames(s);
    if (ret != GVC_OK)
        decoder_error(avctx, ret);
}

static av_cold int libgvc_decode_close(AVCodecContext *avctx)
{
    LibGVCDecContext *s = avctx->priv_data;

    gvc_close(&s->gvc);
    if (s->coming)
        forget_frames(s);
    av_fifo_freep2(&s->coming);
    av_packet_free(&s->pkt);
    return 0;
}

#define OFFSET(x) offsetof(LibGVCDecContext, x)
#define FLAGS AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_DECODING_PARAM
static const AVOption options[] = {
    GVC_DECODER_OPTIONS(GVC_INT_OPTION, GVC_DOUBLE_OPTION, GVC_STRING_OPTION)
    GVC_PARAMS_OPTION
    { NULL },
};

static const AVClass libgvc_decoder_class = {
    .class_name = "gvc decoder",
    .item_name  = av_default_item_name,
    .option     = options,
    .version    = LIBAVUTIL_VERSION_INT,
};

const FFCodec ff_libgvc_decoder = {
    .p.name         = "gvc", // the same name as the encoder's, because PyAV looks up one by the other
    CODEC_LONG_NAME("GVC generative video codec"),
    .p.type         = AVMEDIA_TYPE_VIDEO,
    .p.id           = AV_CODEC_ID_GVC,
    .p.capabilities = AV_CODEC_CAP_DR1 | AV_CODEC_CAP_DELAY |
                      AV_CODEC_CAP_OTHER_THREADS,
    .p.priv_class   = &libgvc_decoder_class,
    .p.wrapper_name = "libgvc",
    .priv_data_size = sizeof(LibGVCDecContext),
    .init           = libgvc_decode_init,
    FF_CODEC_RECEIVE_FRAME_CB(libgvc_receive_frame),
    .close          = libgvc_decode_close,
    .flush          = libgvc_decode_flush,
    .caps_internal  = GVC_CAPS_INTERNAL | GVC_CAPS_PROPS,
};
