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

#ifndef AVCODEC_LIBGVC_H
#define AVCODEC_LIBGVC_H

#include <stdint.h>

#include <gvc.h>

#include "libavutil/pixfmt.h"

#include "avcodec.h"
#include "version_major.h"

/* The _FIELD macros turn a row of gvc_options.h into a member of the struct that
 * holds the values, the _OPTION macros into an AVOption. The including file
 * defines OFFSET and FLAGS. */
#define GVC_INT_FIELD(name, value, low, high, help) int64_t name;
#define GVC_DOUBLE_FIELD(name, value, low, high, help) double name;
#define GVC_STRING_FIELD(name, value, help) char *name;
#define GVC_INT_OPTION(name, value, low, high, help) \
    { #name, help, OFFSET(option.name), AV_OPT_TYPE_INT64, \
      { .i64 = value }, low, high, FLAGS },
#define GVC_DOUBLE_OPTION(name, value, low, high, help) \
    { #name, help, OFFSET(option.name), AV_OPT_TYPE_DOUBLE, \
      { .dbl = value }, low, high, FLAGS },
#define GVC_STRING_OPTION(name, value, help) \
    { #name, help, OFFSET(option.name), AV_OPT_TYPE_STRING, \
      { .str = value }, 0, 0, FLAGS },
/* This option is the last row, so it overrides the others. */
#define GVC_PARAMS_OPTION \
    { "gvc-params", "list of options, key=value:key=value; overrides the other options", \
      OFFSET(params), AV_OPT_TYPE_STRING, { .str = "" }, 0, 0, FLAGS },

/*
 * Names that some supported releases lack, with the same meaning for all. Without
 * AUTO_THREADS libavcodec sets thread_count to 1 before the codec sees it.
 */
#if LIBAVCODEC_VERSION_MAJOR < 60
#define GVC_CAPS_INTERNAL FF_CODEC_CAP_AUTO_THREADS | FF_CODEC_CAP_INIT_CLEANUP | FF_CODEC_CAP_INIT_THREADSAFE
#define CODEC_LONG_NAME(str) .p.long_name = NULL_IF_CONFIG_SMALL(str)
#else
#define GVC_CAPS_INTERNAL FF_CODEC_CAP_AUTO_THREADS | FF_CODEC_CAP_INIT_CLEANUP
#endif
#ifndef CODEC_PIXFMTS
#define CODEC_PIXFMTS(...) \
    .p.pix_fmts = (const enum AVPixelFormat[]){ __VA_ARGS__, AV_PIX_FMT_NONE }
#endif

/**
 * Open an encoder or a decoder with params->options, then the options of the
 * private context that differ from their defaults, then gvc-params. A later
 * value of an option overrides an earlier one. Logs the reason of a failure.
 *
 * @param open gvc_encoder_open or gvc_decoder_open
 * @return 0 or an AVERROR
 */
int ff_gvc_open(AVCodecContext *avctx, gvc_context **gvc,
                int (*open)(gvc_context **, const gvc_params *),
                const gvc_params *params);

/** @return the enum gvc_sample_format of a pixel format, 0 if there is none */
int ff_gvc_sample_format(enum AVPixelFormat pix_fmt);

/** @return the pixel format that decoders output for an enum gvc_sample_format */
enum AVPixelFormat ff_gvc_pix_fmt(int sample_format);

/**
 * Log the message of a failed call of libgvc.
 *
 * @return the AVERROR for the result of that call
 */
int ff_gvc_error(AVCodecContext *avctx, const gvc_context *gvc, int result);

/** @return the AVERROR for a result of libgvc */
int ff_gvc_averror(int result);

#endif /* AVCODEC_LIBGVC_H */
