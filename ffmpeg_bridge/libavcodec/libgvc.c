/*
 * Functions that the GVC encoder and decoder by libgvc share
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

#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/bprint.h"
#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"

#include "libgvc.h"

static int print_option(void *priv, const AVOption *o, AVBPrint *text)
{
    uint8_t *value;
    int ret = av_opt_get(priv, o->name, 0, &value);

    if (ret < 0)
        return ret;
    if (!strcmp(o->name, "gvc-params")) {
        av_bprintf(text, "%s", value);
    } else {
        // The program may have set a locale with a decimal comma.
        for (uint8_t *c = value; o->type == AV_OPT_TYPE_DOUBLE && *c; c++)
            if (*c == ',')
                *c = '.';
        av_bprintf(text, "%s=", o->name);
        av_bprint_escape(text, value, ":", AV_ESCAPE_MODE_BACKSLASH, 0);
        av_bprint_chars(text, ':', 1);
    }
    av_free(value);
    return 0;
}

static int print_options(void *priv, AVBPrint *text)
{
    const AVOption *o = NULL;
    int ret = 0;

    while (ret >= 0 && (o = av_opt_next(priv, o)))
        if (!av_opt_is_set_to_default(priv, o))
            ret = print_option(priv, o, text);
    return ret < 0 || av_bprint_is_complete(text) ? ret : AVERROR(ENOMEM);
}

int ff_gvc_open(AVCodecContext *avctx, gvc_context **gvc,
                int (*open)(gvc_context **, const gvc_params *),
                const gvc_params *params)
{
    gvc_params complete = *params;
    AVBPrint options;
    int ret;

    av_bprint_init(&options, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (params->options)
        av_bprintf(&options, "%s", params->options);
    ret = print_options(avctx->priv_data, &options);
    if (ret >= 0) {
        complete.options = options.str;
        ret = open(gvc, &complete);
        if (ret != GVC_OK)
            ret = ff_gvc_error(avctx, *gvc, ret);
    }
    av_bprint_finalize(&options, NULL);
    return ret;
}

static const struct {
    enum AVPixelFormat pix_fmt;
    enum gvc_sample_format sample_format;
} sample_formats[] = { // decoders output the first pixel format of each sample format
    { AV_PIX_FMT_YUV420P,   GVC_SAMPLES_YUV420P },
    { AV_PIX_FMT_YUV444P,   GVC_SAMPLES_YUV444P },
    { AV_PIX_FMT_GBRP,      GVC_SAMPLES_GBRP },
    { AV_PIX_FMT_YUV420P10, GVC_SAMPLES_YUV420P10 },
    { AV_PIX_FMT_YUV444P10, GVC_SAMPLES_YUV444P10 },
    { AV_PIX_FMT_GBRP10,    GVC_SAMPLES_GBRP10 },
    { AV_PIX_FMT_RGB24,     GVC_SAMPLES_RGB24 },
    { AV_PIX_FMT_YUVJ420P,  GVC_SAMPLES_YUV420P },
    { AV_PIX_FMT_YUVJ444P,  GVC_SAMPLES_YUV444P },
};

int ff_gvc_sample_format(enum AVPixelFormat pix_fmt)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(sample_formats); i++)
        if (sample_formats[i].pix_fmt == pix_fmt)
            return sample_formats[i].sample_format;
    return 0;
}

enum AVPixelFormat ff_gvc_pix_fmt(int sample_format)
{
    for (int i = 0; i < FF_ARRAY_ELEMS(sample_formats); i++)
        if (sample_formats[i].sample_format == sample_format)
            return sample_formats[i].pix_fmt;
    return AV_PIX_FMT_NONE;
}

int ff_gvc_averror(int result)
{
    static const struct {
        enum gvc_result result;
        int error;
    } map[] = {
        { GVC_ERROR_BITSTREAM, AVERROR_INVALIDDATA },
        { GVC_ERROR_OPTION,    AVERROR(EINVAL) },
        { GVC_ERROR_RATE,      AVERROR(EINVAL) },
        { GVC_ERROR_MEDIA,     AVERROR(EINVAL) },
        { GVC_ERROR_MEMORY,    AVERROR(ENOMEM) },
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(map); i++)
        if (map[i].result == result)
            return map[i].error;
    return AVERROR_EXTERNAL;
}

int ff_gvc_error(AVCodecContext *avctx, const gvc_context *gvc, int result)
{
    av_log(avctx, AV_LOG_ERROR, "%s\n", gvc_error_message(gvc));
    return ff_gvc_averror(result);
}
