/*
 * GVC encoding by libgvc
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

#include <gvc.h>
#include <gvc_options.h>

#include "libavutil/avstring.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"

#include "avcodec.h"
#include "codec_internal.h"
#include "encode.h"
#include "internal.h"
#include "libgvc.h"
#include "version_major.h"

typedef struct LibGVCEncContext {
    const AVClass *class;
    gvc_context *gvc;
    AVFrame *frame;

    /* User options */
    struct {
        GVC_ENCODER_OPTIONS(GVC_INT_FIELD, GVC_DOUBLE_FIELD, GVC_STRING_FIELD)
    } option;
    char *params;
} LibGVCEncContext;

static av_cold int open_encoder(AVCodecContext *avctx)
{
    LibGVCEncContext *s = avctx->priv_data;
    char standard[200] = "";
    const int full_range = avctx->pix_fmt == AV_PIX_FMT_YUVJ420P ||
                           avctx->pix_fmt == AV_PIX_FMT_YUVJ444P;
    const gvc_params params = {
        .struct_size     = sizeof(params),
        .options         = standard,
        .sample_format   = ff_gvc_sample_format(avctx->pix_fmt),
        .width           = avctx->width,
        .height          = avctx->height,
        .time_base_num   = avctx->time_base.num,
        .time_base_den   = avctx->time_base.den,
        .frame_rate_num  = avctx->framerate.num,
        .frame_rate_den  = avctx->framerate.den,
        .sar_num         = avctx->sample_aspect_ratio.num,
        .sar_den         = avctx->sample_aspect_ratio.den,
        .color_range     = full_range ? AVCOL_RANGE_JPEG : avctx->color_range,
        .color_primaries = avctx->color_primaries,
        .color_trc       = avctx->color_trc,
        .colorspace      = avctx->colorspace,
        .chroma_location = avctx->chroma_sample_location,
    };

    if (avctx->bit_rate > 0)
        av_strlcatf(standard, sizeof(standard), "bitrate=%"PRId64":",
                    avctx->bit_rate);
    if (avctx->rc_max_rate > 0)
        av_strlcatf(standard, sizeof(standard), "maxrate=%"PRId64":bufsize=%d:",
                    avctx->rc_max_rate, FFMAX(avctx->rc_buffer_size, 0));
    if (avctx->keyint_min >= 0)
        av_strlcatf(standard, sizeof(standard), "keyint_min=%d:",
                    FFMAX(avctx->keyint_min, 1));
    if (avctx->gop_size >= 0) // 0 means intra only in FFmpeg
        av_strlcatf(standard, sizeof(standard), "keyint=%d:",
                    FFMAX(avctx->gop_size, 1));
    if (avctx->thread_count > 0)
        av_strlcatf(standard, sizeof(standard), "threads=%d:", avctx->thread_count);
    return ff_gvc_open(avctx, &s->gvc, gvc_encoder_open, &params);
}

/** Set the sequence header, which muxers and demuxers need even without AV_CODEC_FLAG_GLOBAL_HEADER. */
static av_cold int set_extradata(AVCodecContext *avctx)
{
    LibGVCEncContext *s = avctx->priv_data;
    const uint8_t *data;
    size_t size;
    int ret = gvc_encoder_extradata(s->gvc, &data, &size);

    if (ret != GVC_OK)
        return ff_gvc_error(avctx, s->gvc, ret);
    avctx->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!avctx->extradata)
        return AVERROR(ENOMEM);
    memcpy(avctx->extradata, data, size);
    avctx->extradata_size = size;
    return 0;
}

static av_cold int libgvc_encode_init(AVCodecContext *avctx)
{
    LibGVCEncContext *s = avctx->priv_data;
    int ret;

    s->frame = av_frame_alloc();
    if (!s->frame)
        return AVERROR(ENOMEM);
    ret = open_encoder(avctx);
    if (ret < 0)
        return ret;
    if (!avctx->codec_tag)
        avctx->codec_tag = MKTAG('G', 'V', 'C', '1');
    avctx->has_b_frames = 0;
    return set_extradata(avctx);
}

static int send_frame(AVCodecContext *avctx, const AVFrame *frame)
{
    LibGVCEncContext *s = avctx->priv_data;
    gvc_picture picture = {
        .pts = frame->pts,
        .key = frame->pict_type == AV_PICTURE_TYPE_I,
#if LIBAVCODEC_VERSION_MAJOR >= 60 // older releases have only pkt_duration, in the packets' time base
        .duration = frame->duration,
#endif
    };
    int ret;

    if (frame->width  != avctx->width || frame->height != avctx->height ||
        frame->format != avctx->pix_fmt) {
        av_log(avctx, AV_LOG_ERROR, "frame size or format changed; "
               "scale all frames to the first one's\n");
        return AVERROR(EINVAL);
    }
    for (int i = 0; i < FF_ARRAY_ELEMS(picture.data); i++) {
        picture.data[i]   = frame->data[i];
        picture.stride[i] = frame->linesize[i];
    }
    ret = gvc_encoder_send(s->gvc, &picture);
    return ret == GVC_OK ? 0 : ff_gvc_error(avctx, s->gvc, ret);
}

/** Send the next frame, or the end of the video, to libgvc. */
static int feed_encoder(AVCodecContext *avctx)
{
    LibGVCEncContext *s = avctx->priv_data;
    int ret = ff_encode_get_frame(avctx, s->frame);

    if (ret >= 0) {
        ret = send_frame(avctx, s->frame);
        av_frame_unref(s->frame);
    } else if (ret == AVERROR_EOF) {
        ret = gvc_encoder_send(s->gvc, NULL);
        if (ret != GVC_OK)
            return ff_gvc_error(avctx, s->gvc, ret);
    }
    return ret;
}

static int libgvc_receive_packet(AVCodecContext *avctx, AVPacket *pkt)
{
    LibGVCEncContext *s = avctx->priv_data;
    gvc_packet coded;
    int ret;

    while ((ret = gvc_encoder_receive(s->gvc, &coded)) == GVC_AGAIN) {
        ret = feed_encoder(avctx);
        if (ret < 0)
            return ret;
    }
    if (ret == GVC_EOF)
        return AVERROR_EOF;
    if (ret != GVC_OK)
        return ff_gvc_error(avctx, s->gvc, ret);

    ret = ff_get_encode_buffer(avctx, pkt, coded.size, 0);
    if (ret < 0)
        return ret;
    memcpy(pkt->data, coded.data, coded.size);
    pkt->pts = pkt->dts = coded.pts;
#if LIBAVCODEC_VERSION_MAJOR >= 60 // older releases compute the duration themselves
    pkt->duration = coded.duration;
#endif
    if (coded.flags & GVC_PACKET_KEY)
        pkt->flags |= AV_PKT_FLAG_KEY;
    return 0;
}

static av_cold int libgvc_encode_close(AVCodecContext *avctx)
{
    LibGVCEncContext *s = avctx->priv_data;

    gvc_close(&s->gvc);
    av_frame_free(&s->frame);
    return 0;
}

#define OFFSET(x) offsetof(LibGVCEncContext, x)
#define FLAGS AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_ENCODING_PARAM
static const AVOption options[] = {
    GVC_ENCODER_OPTIONS(GVC_INT_OPTION, GVC_DOUBLE_OPTION, GVC_STRING_OPTION)
    GVC_PARAMS_OPTION
    { NULL },
};

static const AVClass libgvc_encoder_class = {
    .class_name = "gvc encoder",
    .item_name  = av_default_item_name,
    .option     = options,
    .version    = LIBAVUTIL_VERSION_INT,
};

/* Values that mean "not set", so that the engine's own defaults apply unless the
 * user sets a bitrate or keyframe distances. */
static const FFCodecDefault libgvc_encoder_defaults[] = {
    { "b",           "0" },
    { "g",          "-1" },
    { "keyint_min", "-1" },
    { NULL },
};

#if LIBAVCODEC_VERSION_MAJOR < 61 // in later releases filters negotiate the range
#define FULL_RANGE_PIXFMTS AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ444P,
#else
#define FULL_RANGE_PIXFMTS
#endif

const FFCodec ff_libgvc_encoder = {
    .p.name         = "gvc",
    CODEC_LONG_NAME("GVC generative video codec"),
    .p.type         = AVMEDIA_TYPE_VIDEO,
    .p.id           = AV_CODEC_ID_GVC,
    .p.capabilities = AV_CODEC_CAP_DR1 | AV_CODEC_CAP_DELAY |
                      AV_CODEC_CAP_OTHER_THREADS,
    .p.priv_class   = &libgvc_encoder_class,
    .p.wrapper_name = "libgvc",
    CODEC_PIXFMTS(AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P,
                  AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV444P10, FULL_RANGE_PIXFMTS
                  AV_PIX_FMT_GBRP, AV_PIX_FMT_GBRP10, AV_PIX_FMT_RGB24),
#if LIBAVCODEC_VERSION_MAJOR >= 60
    .color_ranges   = AVCOL_RANGE_MPEG | AVCOL_RANGE_JPEG,
#endif
    .priv_data_size = sizeof(LibGVCEncContext),
    .init           = libgvc_encode_init,
    FF_CODEC_RECEIVE_PACKET_CB(libgvc_receive_packet),
    .close          = libgvc_encode_close,
    .defaults       = libgvc_encoder_defaults,
    .caps_internal  = GVC_CAPS_INTERNAL,
};
